import type { MeasuredUplift } from '../../recommend/uplift.ts';
import type { Figure } from '../figure.ts';
import { counted, listed, percent, range, signed } from '../format.ts';
import type { Headline } from '../status.ts';
import { el } from '../svg.ts';
import { mark } from './marks.ts';
import { drawStrips } from './strips.ts';

/** As `measureUplift` returns it, with names for the offers. */
export type UpliftFacts = { overall: MeasuredUplift; offers: readonly { name: string; result: MeasuredUplift }[] };

/** What contacts change: the response rate of the contacted less that of the holdout, with intervals. */
export function upliftStrips(facts: UpliftFacts): Figure {
  const all = [{ name: 'all offers', result: facts.overall }, ...facts.offers];
  const rows = all.flatMap(({ name, result: { uplift } }) => (uplift ? [{ name, uplift }] : []));
  const untold = all.length - rows.length;
  return {
    title: upliftHeadline(facts).sentence,
    description: `One row per offer on its own scale: the dot is the difference of response rates between contacted members and the holdout, the line its 95 % interval; zero is no effect. ${rows.map(({ name, uplift }) => `${name}: ${signed(uplift.difference.value, 'share')}.`).join(' ')}`,
    span: 'full',
    legend: [
      { sample: mark('dot', 0, 0, 'blue'), text: 'difference and 95 % interval' },
      { sample: el('path', { d: 'M0-6V6', class: 'line quiet' }), text: 'no effect' },
    ],
    note: untold > 0 ? `${counted(untold, 'offer')} with too few members on either side are not told.` : undefined,
    draw: (frame) =>
      drawStrips(
        rows.map(({ name, uplift: { difference } }) => ({
          name,
          unit: 'share',
          value: `${signed(difference.value, 'share')} (${range(difference.low, difference.high, 'share')})`,
          estimate: difference,
          neutral: { at: 0, text: 'no effect' },
        })),
        frame,
      ),
    table: {
      columns: [
        { label: 'Offer' },
        ...['Contacted', 'Response', 'Holdout', 'Response', 'Difference (95 % interval)', 'Would have shown'].map(
          (label) => ({ label, numeric: true }),
        ),
      ],
      rows: rows.map(({ name, uplift: { sent, holdout, difference, minimumDetectable } }) => [
        name,
        counted(sent.members, 'member'),
        percent(sent.rate.value),
        counted(holdout.members, 'member'),
        percent(holdout.rate.value),
        `${signed(difference.value, 'share')} (${range(difference.low, difference.high, 'share')})`,
        signed(minimumDetectable, 'share'),
      ]),
    },
  };
}

/** Whether contacts change anything, in one sentence; where they do not visibly, what would have been seen. */
export function upliftHeadline({ overall, offers }: UpliftFacts): Headline {
  const { uplift } = overall;
  if (!uplift) return { status: 'notice', sentence: 'Too few responses to say what contacts change' };
  const { value, low, high } = uplift.difference;
  const interval = `${signed(value, 'share')} (${range(low, high, 'share')})`;
  if (low <= 0 && high >= 0)
    return {
      status: 'notice',
      sentence: `No effect of contacts is visible: ${interval}; a rise of ${percent(uplift.minimumDetectable)} would have shown`,
    };
  const harmful = offers.filter(({ result }) => (result.uplift?.difference.high ?? 0) < 0).map(({ name }) => name);
  const warning = harmful.length > 0 ? `; ${listed(harmful)} put members off` : '';
  return {
    status: high < 0 || harmful.length > 0 ? 'warned' : 'passed',
    sentence: `Contacts change the response rate by ${interval}${warning}`,
  };
}
