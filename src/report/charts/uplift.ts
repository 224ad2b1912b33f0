import type { Figure } from '../figure.ts';
import type { Estimate, Uplift } from '../facts.ts';
import { counted, listed, percent, quantity, range, signed } from '../format.ts';
import type { Headline } from '../status.ts';
import { el } from '../svg.ts';
import { mark } from './marks.ts';
import { drawStrips } from './strips.ts';

/** The part of the facts that the chart shows. */
export type UpliftFacts = Pick<Uplift, 'overall' | 'offers'>;

/** What contacts change: the response rate of the contacted less that of the holdout, with intervals. */
export function upliftStrips(facts: UpliftFacts): Figure {
  const all = [{ name: 'all offers', result: facts.overall }, ...facts.offers];
  const rows = all.flatMap(({ name, result: { uplift } }) => (uplift ? [{ name, uplift }] : []));
  const untold = all.length - rows.length;
  return {
    title: upliftHeadline(facts).sentence,
    description: `One row per offer, all on one scale: the dot is the difference of response rates between contacted members and the holdout, the line its interval; zero is no effect. ${rows.map(({ name, uplift }) => `${name}: ${points(uplift.difference)}.`).join(' ')}`,
    span: 'full',
    legend: [
      { sample: mark('dot', 0, 0, 'blue'), text: 'difference and interval' },
      { sample: el('path', { d: 'M0-6V6', class: 'line quiet' }), text: 'no effect' },
    ],
    note: `The intervals of the offers hold all together at 95 %. ${untold > 0 ? `${counted(untold, 'row')} with too few members on either side left out.` : ''}`.trimEnd(),
    draw: (frame) =>
      drawStrips(
        rows.map(({ name, uplift: { difference } }) => ({
          name,
          unit: 'share',
          value: points(difference),
          estimate: difference,
          neutral: { at: 0, text: '' },
        })),
        frame,
        { oneScale: true },
      ),
    table: {
      columns: [
        { label: 'Offer' },
        ...['Contacted', 'Response', 'Holdout', 'Response', 'Difference in points (interval)', 'Would have shown'].map(
          (label) => ({ label, numeric: true }),
        ),
      ],
      rows: rows.map(({ name, uplift: { sent, holdout, difference, minimumDetectable } }) => [
        name,
        counted(sent.members, 'member'),
        percent(sent.rate.value),
        counted(holdout.members, 'member'),
        percent(holdout.rate.value),
        points(difference),
        signed(minimumDetectable * 100, '', 1),
      ]),
    },
  };
}

/** Whether contacts change anything, in one sentence; where they do not visibly, what would have been seen. */
export function upliftHeadline({ overall, offers }: UpliftFacts): Headline {
  const { uplift } = overall;
  if (!uplift) return { status: 'notice', sentence: 'Too few responses to say what contacts change' };
  const { low, high } = uplift.difference;
  const interval = points(uplift.difference);
  if (low <= 0 && high >= 0)
    return {
      status: 'notice',
      sentence: `No effect of contacts is visible: ${interval}; a rise of ${quantity(uplift.minimumDetectable * 100, 'points', 1)} would have shown`,
    };
  const harmful = offers.filter(({ result }) => (result.uplift?.difference.high ?? 0) < 0).map(({ name }) => name);
  const warning = harmful.length > 0 ? `; ${listed(harmful)} put members off` : '';
  return {
    status: high < 0 || harmful.length > 0 ? 'warned' : 'passed',
    sentence: `Contacts change the response rate by ${interval}${warning}`,
  };
}

/** In percentage points: `+8.3 points (2.3 – 13.6)`. */
function points({ value, low, high }: Estimate): string {
  return `${signed(value * 100, 'points', 1)} (${range(low * 100, high * 100, '', 1)})`;
}
