import type { PairedImprovement, Promotion } from '../facts.ts';
import type { Figure } from '../figure.ts';
import { counted, known, limit, quantity, range, signed, versionName } from '../format.ts';
import { el } from '../svg.ts';
import { mark } from './marks.ts';
import { drawStrips } from './strips.ts';

/** How much better the challenger is than the champion on the same rows, metric by metric, against what was asked for. */
export function pairedImprovements(promotion: Promotion, improvements: readonly PairedImprovement[]): Figure {
  const { testRows } = promotion;
  const [challenger, champion] = rivals(promotion);
  return {
    title: improvementSentence(promotion, improvements[0]),
    description: `One row per metric on its own scale: the dot is the improvement of ${challenger} over ${champion}, right is better, the line its 95 % interval, the dashed line the least improvement asked for. ${improvements.map((row) => `${row.name}: ${words(row)}.`).join(' ')}`,
    span: 'full',
    legend: [
      { sample: mark('dot', 0, 0, 'blue'), text: 'improvement, 95 % interval' },
      { sample: el('path', { d: 'M0-6V6', class: 'line limit' }), text: 'asked for' },
      { sample: el('path', { d: 'M0-6V6', class: 'line quiet' }), text: 'no difference' },
    ],
    note: `Right is better. Both models predict the same ${testRows === undefined ? 'rows' : counted(testRows, 'row')}, which neither was trained on. The first metric decides; the others may be worse by their margin at most.`,
    draw: (frame) =>
      drawStrips(
        improvements.map((row) => ({
          name: row.name,
          unit: row.unit,
          value: words(row),
          estimate: row.improvement,
          met: row.met,
          wanted: known(row.required) ? { from: row.required, text: asked(row) } : undefined,
          neutral: { at: 0, text: 'no difference' },
        })),
        frame,
      ),
    table: {
      columns: [
        { label: 'Metric' },
        { label: 'Champion', numeric: true },
        { label: 'Challenger', numeric: true },
        { label: 'Improvement (95 % interval)', numeric: true },
        { label: 'Asked for', numeric: true },
        { label: 'Met' },
      ],
      rows: improvements.map((row) => [
        `${row.name} (${row.better} is better)`,
        quantity(row.champion, row.unit),
        quantity(row.challenger, row.unit),
        words(row),
        asked(row),
        row.met ? 'yes' : 'no',
      ]),
    },
  };
}

function improvementSentence(promotion: Promotion, row: PairedImprovement): string {
  const [challenger, champion] = rivals(promotion);
  const { value, low, high } = row.improvement;
  const verb = low > 0 ? 'improves' : high < 0 ? 'worsens' : 'hardly changes';
  const size = verb === 'hardly changes' ? words(row) : quantity(Math.abs(value), row.unit);
  return `${challenger} ${verb} ${row.name}${verb === 'hardly changes' ? ':' : ' by'} ${size} against ${champion}; that is ${row.met ? 'enough' : 'not enough'}`;
}

function rivals({ version, champion }: Promotion): [challenger: string, champion: string] {
  return [versionName(version), champion ? versionName(champion.version) : 'the champion'];
}

function words({ improvement: { value, low, high }, unit }: PairedImprovement): string {
  return `${signed(value, unit)} (${range(low, high, unit)})`;
}

function asked({ required, unit }: PairedImprovement): string {
  return known(required) ? `≥ ${required > 0 ? '+' : ''}${limit(required, unit)}` : '';
}
