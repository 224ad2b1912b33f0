import type { Predictions, Quantity } from '../facts.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, counted, known, limit, percent, quantity, versionName } from '../format.ts';
import { hideSmall, minimumGroupRows } from '../small-groups.ts';
import type { Headline } from '../status.ts';
import { fragment } from '../svg.ts';
import { bar } from './marks.ts';
import { rowsIn } from './rows.ts';

type Band = NonNullable<Predictions['bands']>[number] & { shown?: number };
type Flag = NonNullable<Predictions['flags']>[number];

const few = `fewer than ${minimumGroupRows}`;

/** How many predictions fall in each band and carry each flag; groups of 1 to 10 are not told. */
export function bandBars(predictions: Predictions, target: Quantity): Figure {
  const all = predictions.bands ?? [];
  const shown = hideSmall(all.map((band) => band.rows));
  const bands = all.map((band, b) => ({ ...band, shown: shown[b] }));
  const flags = (predictions.flags ?? []).map((flag) => ({
    ...flag,
    shown: hideSmall([flag.rows, predictions.rows - flag.rows])[0],
  }));
  const share = (rows: number | undefined) => (rows === undefined ? '' : percent(rows / predictions.rows));
  const number = (rows: number | undefined) => (rows === undefined ? 'not told' : count(rows));
  return {
    title: bandSentence(bands, predictions.rows),
    description: `Predictions per band of ${target.name}, lowest first, then per flag; each bar as a share of all ${counted(predictions.rows, 'prediction')}.`,
    span: 'half',
    note: [...bands, ...flags].some((group) => group.shown === undefined)
      ? `Groups of ${few} are not told, nor those that would give them away.`
      : undefined,
    draw: (frame) => draw(bands, flags, predictions.rows, frame),
    table: {
      columns: [
        { label: 'Group' },
        { label: 'Rule' },
        { label: 'Predictions', numeric: true },
        { label: 'Share', numeric: true },
      ],
      rows: [
        ...bands.map((band) => [band.name, bandRule(band, target), number(band.shown), share(band.shown)]),
        ...flags.map((flag) => [flag.name, flag.rule ?? '', number(flag.shown), share(flag.shown)]),
      ],
    },
  };
}

/** What was published, in one sentence. */
export function predictionsHeadline(
  { rows, modelVersion, mean, intervals }: Predictions,
  { unit, name }: Quantity,
): Headline {
  const average =
    mean === undefined ? '' : `, ${quantity(typeof mean === 'number' ? mean : mean.value, unit)} ${name} on average`;
  const coverage = intervals?.measuredCoverage;
  const covered =
    coverage &&
    `; intervals cover ${percent(coverage.value)} of actuals, ${limit(intervals.nominalCoverage, 'share')} promised`;
  const short = coverage !== undefined && coverage.high < intervals!.nominalCoverage;
  return {
    status: rows === 0 || short ? 'warned' : 'passed',
    sentence: `${counted(rows, 'prediction')} published with ${versionName(modelVersion)}${average}${covered ?? ''}`,
  };
}

function bandSentence(bands: readonly Band[], rows: number): string {
  const largest = bands
    .filter((band) => band.shown !== undefined)
    .reduce<Band | undefined>((most, band) => (band.rows > (most?.rows ?? -1) ? band : most), undefined);
  if (!largest || rows === 0) return `${counted(rows, 'prediction')} by band and flag`;
  return `${percent(largest.rows / rows)} of predictions are ${largest.name}`;
}

function bandRule({ from, to }: Band, { unit }: Quantity): string {
  if (from !== undefined && to !== undefined) return `${limit(from, unit)} – ${limit(to, unit)}`;
  if (to !== undefined) return `< ${limit(to, unit)}`;
  return from === undefined ? '' : `≥ ${limit(from, unit)}`;
}

function draw(
  bands: readonly Band[],
  flags: readonly (Flag & { shown?: number })[],
  all: number,
  frame: Frame,
): Drawing {
  const groups = [
    ...bands.map((band) => ({ ...band, style: 'fill blue' })),
    ...flags.map((flag) => ({ ...flag, style: 'hatched orange' })),
  ];
  const rows = rowsIn(frame, { names: groups.map(({ name }) => name), rowHeight: 20 });
  return {
    height: rows.bottom,
    marks: groups.map(({ shown, style }, r) => {
      const words = shown === undefined ? 'not told' : `${count(shown)}  ·  ${percent(shown / all)}`;
      const width = known(shown) && shown > 0 && all >= shown ? Math.max(1.5, (shown / all) * frame.width) : 0;
      return fragment(
        rows.words(r, words),
        bar(0, rows.y(r) - 5, frame.width, 8, 'fill faint'),
        bar(0, rows.y(r) - 5, width, 8, style),
      );
    }),
  };
}
