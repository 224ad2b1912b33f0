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
        marks: swarmMarks(contributions, hasOrder(matrix, c) ? column(matrix, c) : undefined, most),
      };
    }),
  };
}

/**
 * The marks of one feature. Rows are cut by contribution into narrow strips of at least 11 rows, and each strip by feature
 * value into marks of at least 11 rows: so a mark stands where its rows are, has their colour, and is nobody's own. Large samples get more rows a mark, at most about `most` marks.
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

/** Numbers have an order, and so have the codes of a category with two levels: the first is low, the second high. */
function hasOrder(matrix: Matrix, c: number): boolean {
  return !matrix.categorical?.includes(c) || new Set(column(matrix, c).filter(Number.isFinite)).size <= 2;
}

/**
 * Strips of equal width by contribution, 160 over the whole span. One of fewer than `least` rows joins the neighbour that
 * lies closer, so that a mark never stands in the gap between two groups. None where all rows are fewer.
 */
function strips(order: Uint32Array, contributions: Float64Array, least: number): Uint32Array[] {
  const rows = order.length;
  if (rows < least) return [];
  const at = (i: number) => contributions[order[i]];
  const width = (at(rows - 1) - at(0)) / 160 || 1;
  const stripOf = (i: number) => Math.floor((at(i) - at(0)) / width);

  // where each strip starts, and the end of the last one
  const cuts = [0];
  for (let i = 1; i < rows; i++) if (stripOf(i) !== stripOf(i - 1)) cuts.push(i);
  cuts.push(rows);
  for (;;) {
    const thin = cuts.findIndex((cut, c) => cuts[c + 1] - cut < least);
    if (thin < 0) break;
    const [first, end] = [cuts[thin], cuts[thin + 1]];
    const gapBefore = first === 0 ? Infinity : at(first) - at(first - 1);
    const gapAfter = end === rows ? Infinity : at(end) - at(end - 1);
    cuts.splice(gapBefore <= gapAfter ? thin : thin + 1, 1);
  }
  return cuts.slice(1).map((end, c) => order.slice(cuts[c], end));
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
