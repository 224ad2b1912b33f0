import { ensureSameRows, ensureWhole } from '../ensure.ts';
import { descending, tieEnds } from './order.ts';

/**
 * For each row (a member) a value per item (an offer), row-major: `values[row * items + item]`. An item whose actual value is not
 * known (NaN) does not count; a row without any is NaN in every measure.
 */
export type RankedLists = { items: number; actual: Float64Array; predicted: Float64Array };

/**
 * Normalised discounted cumulative gain at k of each row (Järvelin and Kekäläinen, ACM TOIS 20, 2002): linear gain, log₂
 * discount, items of equal prediction sharing their places (McSherry and Najork, 2008). Actual values are relevances ≥ 0;
 * a row without any is NaN. Average the rows, or bootstrap them, by `meanOverRows`.
 */
export function ndcgAtK(lists: RankedLists, k: number): Float64Array {
  return perRow(lists, k, (actual, predicted) => {
    const ideal = discountedGain(actual, actual, k);
    return ideal > 0 ? discountedGain(actual, predicted, k) / ideal : NaN;
  });
}

/** Of the k items predicted highest in each row, the share whose actual value is at least `relevantFrom`. */
export function precisionAtK(lists: RankedLists, k: number, relevantFrom: number): Float64Array {
  return perRow(lists, k, (actual, predicted) => {
    const chosen = topShare(predicted, k);
    return actual.reduce((sum, value, item) => sum + (value >= relevantFrom ? chosen[item] : 0), 0) / k;
  });
}

/** The share of the k items predicted highest in each row that are also among its k actually highest. */
export function topKOverlap(lists: RankedLists, k: number): Float64Array {
  return perRow(lists, k, (actual, predicted) => {
    const chosen = topShare(predicted, k);
    const right = topShare(actual, k);
    return chosen.reduce((sum, share, item) => sum + share * right[item], 0) / k;
  });
}

/**
 * Of two items of a row whose actual values are known and differ, the chance that the one with the higher value is predicted
 * higher; equal predictions count half (Harrell's concordance within each row; with two actual values it is the row's ROC AUC).
 * A row without such two is NaN.
 */
export function concordance(lists: RankedLists): Float64Array {
  return perRow(lists, 1, (actual, predicted) => {
    let pairs = 0;
    let right = 0;
    for (let i = 0; i < actual.length; i++) {
      for (let j = 0; j < actual.length; j++) {
        if (!(actual[i] > actual[j])) continue;
        pairs++;
        if (predicted[i] > predicted[j]) right++;
        else if (predicted[i] === predicted[j]) right += 0.5;
      }
    }
    return right / pairs;
  });
}

/** Weighted mean over the rows that are defined: a statistic for `replicate` of the bootstrap. */
export function meanOverRows(values: Float64Array): (weight?: Float64Array) => number {
  return (weight) => {
    let sum = 0;
    let total = 0;
    for (let row = 0; row < values.length; row++) {
      if (Number.isNaN(values[row])) continue;
      const w = weight ? weight[row] : 1;
      sum += w * values[row];
      total += w;
    }
    return sum / total;
  };
}

function perRow(
  { items, actual, predicted }: RankedLists,
  k: number,
  measure: (actual: Float64Array, predicted: Float64Array) => number,
): Float64Array {
  ensureSameRows({ actual, predicted });
  ensureWhole('The number of items', items, 1);
  ensureWhole('k', k, 1);
  return Float64Array.from({ length: actual.length / items }, (_, row) => {
    const [start, end] = [row * items, (row + 1) * items];
    const [own, scores] = [actual.subarray(start, end), predicted.subarray(start, end)];
    const known = own.filter((value) => !Number.isNaN(value));
    if (known.length === items) return measure(own, scores);
    return known.length === 0
      ? NaN
      : measure(
          known,
          scores.filter((_, item) => !Number.isNaN(own[item])),
        );
  });
}

/** Σ gain / log₂(place + 1) over the first k places; items of equal score share the mean of their gains. */
function discountedGain(gain: Float64Array, score: Float64Array, k: number): number {
  const order = descending(score);
  let total = 0;
  let start = 0;
  for (const end of tieEnds(score, order)) {
    let gains = 0;
    for (let i = start; i < end; i++) gains += gain[order[i]];
    for (let place = start; place < Math.min(end, k); place++) total += gains / (end - start) / Math.log2(place + 2);
    start = end;
  }
  return total;
}

/** How likely each item is among the k highest when equal ones are drawn by lot: 1, 0, or a share at the edge. */
function topShare(score: Float64Array, k: number): Float64Array {
  const order = descending(score);
  const share = new Float64Array(score.length);
  let start = 0;
  for (const end of tieEnds(score, order)) {
    const places = Math.max(0, Math.min(k, end) - start);
    for (let i = start; i < end; i++) share[order[i]] = places / (end - start);
    start = end;
  }
  return share;
}
