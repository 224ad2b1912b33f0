import { column } from '../../ml/matrix.ts';
import type { Matrix } from '../../ml/matrix.ts';
import { ascending } from '../../ml/metrics/order.ts';
import type { Explanation, FeatureEffect, SwarmMark, TypicalCase, Unit } from '../facts.ts';
import { quantity } from '../format.ts';
import { minimumGroupRows } from '../small-groups.ts';
import { quantile } from './quantile.ts';

/** How to write the values of a feature: its unit, and for a category the name of each code. */
export type FeatureWords = { unit?: Unit; levels?: readonly string[] };

/** SHAP values, row-major: rows × (features + 1), the expected value last in each row. */
export type ShapValues = Float64Array;

/** All swarms together: thousands of marks, and yet a page within its size. */
const mostMarks = 3000;

/** Features by falling mean |SHAP|, the first `swarms` of them with the marks of a beeswarm. */
export function explain(matrix: Matrix, shap: ShapValues, swarms = 12): Explanation {
  const stride = matrix.columns + 1;
  const most = Math.round(mostMarks / Math.min(swarms, matrix.columns));
  const features = matrix.names.map((name, c): FeatureEffect & { column: number } => {
    let sum = 0;
    for (let row = 0; row < matrix.rows; row++) sum += Math.abs(shap[row * stride + c]);
    return { name, column: c, meanAbsolute: sum / matrix.rows };
  });
  features.sort((a, b) => b.meanAbsolute - a.meanAbsolute);
  return {
    rows: matrix.rows,
    baseValue: shap[stride - 1],
    features: features.map(({ column: c, ...feature }, rank) => {
      if (rank >= swarms) return feature;
      const contributions = Float64Array.from({ length: matrix.rows }, (_, row) => shap[row * stride + c]);
      return {
        ...feature,
        marks: swarmMarks(contributions, matrix.categorical?.includes(c) ? undefined : column(matrix, c), most),
      };
    }),
  };
}

/**
 * The marks of one feature. Rows are cut by contribution into narrow strips, strips of fewer than 11 rows join the next
 * one inward, and each strip is cut by feature value into marks of at least 11 rows: so a mark stands where its rows
 * are, has their colour, and is nobody's own. Large samples get more rows a mark, at most about `most` marks.
 *
 * @param values the feature's values, or undefined where their order means nothing
 */
export function swarmMarks(contributions: Float64Array, values: Float64Array | undefined, most: number): SwarmMark[] {
  const rows = contributions.length;
  const rowsPerMark = Math.max(minimumGroupRows, Math.ceil(rows / most));
  const ranks = values === undefined ? undefined : relativeRanks(values);
  const order = ascending(contributions);

  const marks: SwarmMark[] = [];
  for (const strip of strips(order, contributions, rowsPerMark)) {
    if (ranks !== undefined) strip.sort((a, b) => missingLast(ranks[a]) - missingLast(ranks[b]) || a - b);
    const parts = Math.floor(strip.length / rowsPerMark);
    for (let part = 0; part < parts; part++) {
      const [from, to] = [part, part + 1].map((p) => Math.round((p * strip.length) / parts));
      const group = strip.subarray(from, to);
      const average = (of: Float64Array) => group.reduce((sum, row) => sum + of[row], 0) / group.length;
      const rank = ranks === undefined ? NaN : average(ranks);
      marks.push([significant(average(contributions)), Number.isNaN(rank) ? null : Math.round(rank * 100) / 100]);
    }
  }
  return marks;
}

/**
 * The mean contributions of a group of rows, which add up to its mean prediction, with the group's median or commonest
 * feature values.
 *
 * @param group completes "a typical …"
 * @throws RangeError where the group has fewer than 11 rows.
 */
export function typicalCase(
  matrix: Matrix,
  shap: ShapValues,
  rows: ArrayLike<number>,
  group: string,
  words: Readonly<Record<string, FeatureWords>> = {},
): TypicalCase {
  if (rows.length < minimumGroupRows) {
    throw new RangeError(
      `A typical case needs a group of at least ${minimumGroupRows} rows, "${group}" has ${rows.length}: choose a wider group.`,
    );
  }
  const stride = matrix.columns + 1;
  const picked = Uint32Array.from(rows);
  const meanAt = (c: number) => picked.reduce((sum, row) => sum + shap[row * stride + c], 0) / picked.length;
  const contributions = matrix.names.map((feature, c) => ({
    feature,
    value: typicalValue(
      Float64Array.from(picked, (row) => matrix.values[c * matrix.rows + row]),
      words[feature] ?? {},
    ),
    contribution: meanAt(c),
  }));
  const prediction = contributions.reduce((sum, { contribution }) => sum + contribution, meanAt(matrix.columns));
  return { group, rows: picked.length, prediction, contributions };
}

/** Strips of equal width by contribution, 160 over the whole span, none with fewer than `least` rows (unless all are fewer). */
function strips(order: Uint32Array, contributions: Float64Array, least: number): Uint32Array[] {
  if (order.length < least) return [];
  const low = contributions[order[0]];
  const width = (contributions[order.at(-1)!] - low) / 160 || 1;
  const middle = order.length / 2;

  // cut behind every strip, walking up to the middle and down to it, but only once enough rows have gathered
  const cuts: number[] = [0, order.length];
  const stripOf = (i: number) => Math.floor((contributions[order[i]] - low) / width);
  for (let i = 1, last = 0; i <= middle; i++)
    if (stripOf(i) !== stripOf(i - 1) && i - last >= least) cuts.push((last = i));
  for (let i = order.length - 1, last = order.length; i > middle; i--) {
    if (stripOf(i) !== stripOf(i - 1) && last - i >= least) cuts.push((last = i));
  }
  cuts.sort((a, b) => a - b);

  // the two walks meet in the middle, where one cut too many can leave a thin strip
  const kept = cuts.filter((cut, i) => i === 0 || i === cuts.length - 1 || cuts[i + 1] - cut >= least);
  return kept.slice(1).map((end, i) => order.slice(kept[i], end));
}

/** Where each value lies among all, 0 for the lowest and 1 for the highest, equal values alike; NaN where it is missing. */
function relativeRanks(values: Float64Array): Float64Array {
  const sorted = values.filter(Number.isFinite).sort();
  const middleRank = new Map<number, number>();
  for (let from = 0, to = 0; from < sorted.length; from = to) {
    while (to < sorted.length && sorted[to] === sorted[from]) to++;
    middleRank.set(sorted[from], (from + to - 1) / 2);
  }
  const low = middleRank.get(sorted[0]) ?? 0;
  const span = (middleRank.get(sorted.at(-1)!) ?? 0) - low;
  return values.map((value) =>
    span === 0 && Number.isFinite(value) ? 0.5 : ((middleRank.get(value) ?? NaN) - low) / span,
  );
}

/** Missing ranks go to one end, so that they share marks. */
function missingLast(rank: number): number {
  return Number.isNaN(rank) ? 2 : rank;
}

function typicalValue(values: Float64Array, { unit = '', levels }: FeatureWords): string | undefined {
  const sorted = values.filter(Number.isFinite).sort();
  if (sorted.length === 0) return undefined;
  if (levels === undefined) return quantity(quantile(sorted, 0.5), unit);
  const counts = new Map<number, number>();
  for (const code of sorted) counts.set(code, (counts.get(code) ?? 0) + 1);
  const [commonest] = [...counts].reduce((best, level) => (level[1] > best[1] ? level : best));
  return levels[commonest];
}

/** Four significant figures: more would only make the page longer. */
function significant(value: number): number {
  return Number(value.toPrecision(4));
}
