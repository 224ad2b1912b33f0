import { group } from 'd3-array';
import type { Explanation, FeatureEffect, Quantity, SwarmMark, TypicalCase } from '../facts.ts';
import { bottomAxis } from '../axis.ts';
import type { Drawing, Figure, Frame } from '../figure.ts';
import { count, counted, known, precision, quantity, signed } from '../format.ts';
import { minimumGroupRows } from '../small-groups.ts';
import { spanning } from '../scale.ts';
import type { Scale } from '../scale.ts';
import type { Headline } from '../status.ts';
import { el } from '../svg.ts';
import { mark } from './marks.ts';
import { rowsIn } from './rows.ts';

/** Colours for the value of a feature, from low to high; the style sheet has one class `v0` … for each, and `vx` for none. */
export const valueColours = 16;

/** More lines would be told apart no longer; the table goes on. */
const mostRows = 12;

/**
 * What each feature does to predictions: a mark per group of rows, across by contribution, coloured by the feature's
 * value. Within a stack low values lie at the bottom and high ones at the top, so that colour is not needed to tell.
 */
export function shapSwarm(explanation: Explanation, target: Quantity): Figure {
  const features = explanation.features.filter((feature) => (feature.marks ?? []).length > 0).slice(0, mostRows);
  const example = explanation.cases?.[0];
  return {
    title: explanationHeadline(explanation, target).sentence,
    description: `SHAP values over ${counted(explanation.rows, 'row')}, one line per feature, strongest first. Right of zero a feature raises the prediction, left it lowers it. ${features.map((feature) => `${feature.name}: ${directionWords(feature)}.`).join(' ')}`,
    span: 'full',
    legend: [
      { sample: el('path', { d: 'M0 0h0', class: 'swarm v1' }), text: 'low value' },
      { sample: el('path', { d: 'M0 0h0', class: 'swarm v8' }), text: 'middle' },
      { sample: el('path', { d: 'M0 0h0', class: 'swarm v14' }), text: 'high value' },
      { sample: el('path', { d: 'M0 0h0', class: 'swarm vx' }), text: 'category or missing' },
      ...(example ? [{ sample: mark('diamond', 0, 0, 'case'), text: `a typical ${example.group}` }] : []),
    ],
    note: `Every mark stands for ${count(minimumGroupRows)} or more rows with nearly the same contribution, never for one. In each stack the lowest values of the feature lie at the bottom; of a category with two levels the second counts as high.`,
    draw: (frame) => draw(features, example, target, frame),
    table: {
      columns: [
        { label: 'Feature' },
        { label: 'Mean |SHAP|', numeric: true },
        { label: 'Mean effect of the lowest third of values', numeric: true },
        { label: 'Mean effect of the highest third', numeric: true },
        { label: 'Direction' },
      ],
      rows: explanation.features.map((feature) => {
        const [low, high] = endEffects(feature.marks ?? []);
        return [
          feature.name,
          quantity(feature.meanAbsolute, target.unit),
          signed(low, target.unit),
          signed(high, target.unit),
          directionWords(feature),
        ];
      }),
    },
  };
}

/** Which features move predictions most, in one sentence. */
export function explanationHeadline({ features }: Explanation, { unit }: Quantity): Headline {
  const [first, ...others] = features.filter((feature) => known(feature.meanAbsolute));
  if (!first || first.meanAbsolute === 0) return { status: 'notice', sentence: 'No feature moves the prediction' };
  const next = others
    .filter((feature) => feature.meanAbsolute > 0)
    .slice(0, 2)
    .map((feature) => `${feature.name} (${quantity(feature.meanAbsolute, unit)})`);
  const then = next.length === 0 ? '' : `, then ${next.join(' and ')}`;
  return {
    status: 'notice',
    sentence: `${first.name} moves predictions most, by ${quantity(first.meanAbsolute, unit)} on average${then}`,
  };
}

function draw(
  features: readonly FeatureEffect[],
  example: TypicalCase | undefined,
  { name, unit }: Quantity,
  frame: Frame,
): Drawing {
  const rows = rowsIn(frame, { names: features.map(({ name }) => name), valueWidth: 70, rowHeight: 44 });
  const caseAt = new Map(example?.contributions.map(({ feature, contribution }) => [feature, contribution]));
  const shown = features.flatMap((feature) => [
    caseAt.get(feature.name) ?? 0,
    ...feature.marks!.map(([contribution]) => contribution),
  ]);
  const x = spanning([0, ...shown], [rows.left + 6, rows.right - 14], 0.01);
  const decimals = precision(
    features.map((feature) => feature.meanAbsolute),
    unit,
  );
  const pitch = frame.name === 'wide' ? 3 : 2;

  const points = features.flatMap((feature, r) => stack(feature.marks!, x, rows.y(r), pitch));
  const byStyle = [...group(points, (point) => point.style)].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    height: rows.bottom + 40,
    marks: [
      bottomAxis(x, {
        top: rows.top,
        bottom: rows.bottom,
        unit,
        caption: `effect on predicted ${name}`,
        about: frame.name === 'wide' ? 6 : 4,
      }),
      el('line', { x1: x(0), x2: x(0), y1: rows.top, y2: rows.bottom, class: 'line quiet' }),
      features.map((feature, r) => rows.words(r, quantity(feature.meanAbsolute, unit, decimals))),
      el(
        'g',
        { transform: 'scale(.5)' },
        byStyle.map(([style, same]) => el('path', { d: dots(same), class: `swarm ${style}` })),
      ),
      features.map((feature, r) => {
        const contribution = caseAt.get(feature.name);
        return known(contribution) && mark('diamond', x(contribution), rows.y(r), 'case');
      }),
    ],
  };
}

/** In half pixels, which keeps them whole and short. */
type Point = { x: number; y: number; style: string };

/** Marks of one feature, piled up around its line wherever several share a place; a high pile is pressed together. */
function stack(marks: readonly SwarmMark[], scale: Scale, middle: number, pitch: number): Point[] {
  const places = group(
    marks.filter(([contribution]) => known(contribution)),
    ([contribution]) => Math.round(scale(contribution) / pitch) * pitch,
  );
  const tallest = Math.max(0, ...[...places.values()].map((pile) => pile.length));
  const spacing = Math.min(pitch, 38 / Math.max(1, tallest));
  return [...places.values()].flatMap((pile) =>
    [...pile]
      .sort(([, a], [, b]) => (a ?? -1) - (b ?? -1))
      .map(([contribution, rank], i) => ({
        x: Math.round(scale(contribution) * 2),
        y: Math.round((middle + ((pile.length - 1) / 2 - i) * spacing) * 2),
        style: valueStyle(rank),
      })),
  );
}

/** Strokes of no length, whose round caps are the dots: in reading order each is a short step from the last. */
function dots(points: readonly Point[]): string {
  let [atX, atY] = [0, 0];
  const steps = [...points]
    .sort((a, b) => a.y - b.y || a.x - b.x)
    .map(({ x, y }) => {
      const step = `m${x - atX}${y < atY ? '' : ' '}${y - atY}h0`;
      [atX, atY] = [x, y];
      return step;
    });
  return steps.join('');
}

function valueStyle(rank: number | null): string {
  return known(rank) ? `v${Math.min(valueColours - 1, Math.floor(rank * valueColours))}` : 'vx';
}

/** Mean contribution where the feature's value is in its lowest, and in its highest third. */
function endEffects(marks: readonly SwarmMark[]): [number, number] {
  const mean = (kept: readonly SwarmMark[]) =>
    kept.reduce((sum, [contribution]) => sum + contribution, 0) / kept.length;
  return [
    mean(marks.filter(([, rank]) => known(rank) && rank < 1 / 3)),
    mean(marks.filter(([, rank]) => known(rank) && rank > 2 / 3)),
  ];
}

function directionWords({ marks = [] }: FeatureEffect): string {
  const [low, high] = endEffects(marks);
  if (!known(low) || !known(high) || low === high) return marks.length === 0 ? 'not drawn' : 'no order of values';
  return high > low ? 'higher values raise the prediction' : 'higher values lower the prediction';
}
