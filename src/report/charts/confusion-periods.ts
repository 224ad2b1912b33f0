import type { ConfusionOverTime } from '../facts.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, counted, percent, quantity } from '../format.ts';
import { hideSmall, minimumGroupRows } from '../small-groups.ts';
import type { Headline } from '../status.ts';
import { fragment } from '../svg.ts';
import { bar, swatch } from './marks.ts';
import { rowsIn } from './rows.ts';

type Period = ConfusionOverTime['periods'][number];

/** So many of the last periods are drawn; the table has as many. */
const mostPeriods = 12;

const kinds = {
  rightPositive: { text: 'rightly positive', style: 'fill blue' },
  rightNegative: { text: 'rightly negative', style: 'fill bar' },
  review: { text: 'left to a person', style: 'fill faint' },
  wrongPositive: { text: 'wrongly positive', style: 'hatched orange' },
  wrongNegative: { text: 'wrongly negative', style: 'dotted red' },
  notTold: { text: 'not told', style: 'hollow muted' },
} as const;
type Kind = keyof typeof kinds;

/** Each period's decisions against what happened: one bar a period, cut by what was right and what was wrong. */
export function confusionPeriods(confusion: ConfusionOverTime): Figure {
  const { decisions, metrics } = confusion;
  const shown = told(confusion).map((period) => ({ ...period, parts: partsOf(confusion, period) }));
  const used = new Set(shown.flatMap(({ parts }) => parts.map(({ kind }) => kind)));
  return {
    title: confusionHeadline(confusion).sentence,
    description: `Decisions that were made before the truth was known, by period, against what happened. ${shown.map(({ period, rows, parts }) => `${period}, ${counted(rows, 'case')}: ${parts.map((part) => `${kinds[part.kind].text} ${percent(part.rows / rows)}`).join(', ')}.`).join(' ')}`,
    span: 'full',
    legend: (Object.keys(kinds) as Kind[])
      .filter((kind) => used.has(kind))
      .map((kind) => ({ sample: swatch(kinds[kind].style), text: kinds[kind].text })),
    note: used.has('notTold')
      ? `Counts of fewer than ${minimumGroupRows} are not told, nor those that would give them away.`
      : undefined,
    draw: (frame) => draw(shown, metrics, frame),
    table: {
      columns: [
        { label: 'Period' },
        { label: 'Cases', numeric: true },
        ...decisions.flatMap((decision) => [
          { label: `${decision}, happened`, numeric: true },
          { label: `${decision}, did not`, numeric: true },
        ]),
        ...metrics.map(({ name }) => ({ label: name, numeric: true })),
      ],
      rows: shown.map((period) => [
        period.period,
        count(period.rows),
        ...cellsOf(period).map((rows) => (rows === undefined ? 'not told' : count(rows))),
        ...metrics.map(({ unit }, m) => quantity(period.metrics[m], unit)),
      ]),
    },
  };
}

/** How the last period went, in one sentence. */
export function confusionHeadline(confusion: ConfusionOverTime): Headline {
  const last = told(confusion).at(-1);
  if (!last) return { status: 'notice', sentence: 'Too few decisions have a known outcome to be told' };
  const { decisions, review } = confusion;
  const decided = last.cells.filter(({ decision }) => decision !== review);
  const sums = decided.map(({ decision, happened, notHappened }) => {
    const isPositive = decision === decisions.at(-1);
    return { right: isPositive ? happened : notHappened, wrong: isPositive ? notHappened : happened };
  });
  const right = sums.reduce((sum, cell) => sum + cell.right, 0);
  const all = sums.reduce((sum, cell) => sum + cell.right + cell.wrong, 0);
  const [shown] = hideSmall([right, all - right]);
  const share = shown === undefined ? '' : `${percent(shown / all)} of `;
  return {
    status: 'notice',
    sentence: `${share}${counted(all, 'decision')} of ${last.period} whose outcome is known${share === '' ? '' : ' were right'}`,
  };
}

/** The last periods of which enough cases are known. */
function told({ periods }: ConfusionOverTime): Period[] {
  return periods.filter(({ rows }) => rows >= minimumGroupRows).slice(-mostPeriods);
}

/** The counts of a period's cells in the order of the table, without those that are small. */
function cellsOf({ cells }: Period): (number | undefined)[] {
  return hideSmall(cells.flatMap(({ happened, notHappened }) => [happened, notHappened]));
}

/** The last decision is the positive one; all others but the review are negative. */
function partsOf({ decisions, review }: ConfusionOverTime, period: Period): { kind: Kind; rows: number }[] {
  const shown = cellsOf(period);
  const sums = new Map<Kind, number>();
  const add = (kind: Kind, rows: number) => rows > 0 && sums.set(kind, (sums.get(kind) ?? 0) + rows);
  period.cells.forEach(({ decision, happened, notHappened }, i) => {
    const isPositive = decision === decisions.at(-1);
    for (const [k, rows] of [happened, notHappened].entries()) {
      if (shown[2 * i + k] === undefined) add('notTold', rows);
      else if (decision === review) add('review', rows);
      else if (isPositive) add(k === 0 ? 'rightPositive' : 'wrongPositive', rows);
      else add(k === 0 ? 'wrongNegative' : 'rightNegative', rows);
    }
  });
  return (Object.keys(kinds) as Kind[]).flatMap((kind) => {
    const rows = sums.get(kind);
    return rows === undefined ? [] : [{ kind, rows }];
  });
}

function draw(
  periods: readonly (Period & { parts: { kind: Kind; rows: number }[] })[],
  metrics: ConfusionOverTime['metrics'],
  frame: Frame,
): Drawing {
  const rows = rowsIn(frame, { names: periods.map(({ period }) => period), valueWidth: 230, rowHeight: 26 });
  const width = rows.right - rows.left;
  return {
    height: rows.bottom + 4,
    marks: periods.map((period, r) => {
      const [precision, recall] = metrics.map(({ name, unit }, m) => `${name} ${quantity(period.metrics[m], unit)}`);
      let at = rows.left;
      return fragment(
        rows.words(r, `${precision} · ${recall}`),
        period.parts.map(({ kind, rows: cases }) => {
          const length = (cases / period.rows) * width;
          const segment = bar(at, rows.y(r) - 8, Math.max(1, length - 1), 16, kinds[kind].style);
          at += length;
          return segment;
        }),
      );
    }),
  };
}
