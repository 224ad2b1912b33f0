import type { Explanation, FeatureEffect, Quantity } from '../facts.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, known, percent, precision, quantity } from '../format.ts';
import { bar } from './marks.ts';
import { rowsIn } from './rows.ts';

const mostRows = 10;

/** How much each feature moves predictions on average, whichever way. */
export function shapBars({ features }: Explanation, target: Quantity, span: Figure['span']): Figure {
  const bars = barsOf(features);
  const total = sum(features);
  const half = halfway(features, total);
  return {
    title:
      total > 0
        ? `${count(half)} of ${count(features.length)} features ${half === 1 ? 'makes' : 'make'} up half of all movement`
        : 'No feature moves the prediction',
    description: `Mean absolute SHAP value of each feature, in the unit of ${target.name}, strongest first.`,
    span,
    draw: (frame) => draw(bars, target, frame),
    table: {
      columns: [
        { label: 'Feature' },
        { label: 'Mean |SHAP|', numeric: true },
        { label: 'Share of all', numeric: true },
      ],
      rows: bars.map(({ name, value }) => [name, quantity(value, target.unit), percent(value / total)]),
    },
  };
}

type Bar = { name: string; value: number; style: string };

/** The strongest features, and all others as one. */
function barsOf(features: readonly FeatureEffect[]): Bar[] {
  const bars = features
    .slice(0, mostRows)
    .map(({ name, meanAbsolute }) => ({ name, value: meanAbsolute, style: 'fill blue' }));
  const rest = features.slice(mostRows);
  if (rest.length === 0) return bars;
  return [...bars, { name: `${count(rest.length)} others together`, value: sum(rest), style: 'fill quiet' }];
}

function draw(bars: readonly Bar[], { unit }: Quantity, frame: Frame): Drawing {
  const wide = frame.name === 'wide';
  const most = Math.max(...bars.map((bar) => bar.value).filter(known), 0) || 1;
  const rows = rowsIn(frame, { names: bars.map(({ name }) => name), rowHeight: wide ? 24 : 18, valueWidth: 80 });
  const [left, right] = wide ? [rows.left, rows.right] : [0, frame.width];
  const decimals = precision(
    bars.map((bar) => bar.value),
    unit,
  );
  return {
    height: rows.bottom,
    marks: bars.map(({ value, style }, r) => [
      rows.words(r, quantity(value, unit, decimals)),
      known(value) && bar(left, rows.y(r) - 4, (value / most) * (right - left), 7, style),
    ]),
  };
}

function sum(features: readonly FeatureEffect[]): number {
  return features.reduce((total, { meanAbsolute }) => total + (known(meanAbsolute) ? meanAbsolute : 0), 0);
}

/** How many of the strongest features it takes to reach half of the total. */
function halfway(features: readonly FeatureEffect[], total: number): number {
  const reached = features.findIndex((_, f) => sum(features.slice(0, f + 1)) >= total / 2);
  return reached + 1;
}
