import { ArgumentError, ensureSameRows } from '../ensure.ts';
import { ascending, tieEnds } from '../metrics/order.ts';

/** A non-decreasing piecewise linear function: `values[i]` at `thresholds[i]`, constant beyond both ends. Plain JSON. */
export type Isotonic = { kind: 'isotonic'; thresholds: number[]; values: number[] };

/**
 * Isotonic regression by pooling adjacent violators (Barlow, Bartholomew, Bremner and Brunk, 1972), weighted. Rows of equal
 * prediction are averaged first. The fit is optimal for the squared error and, with it, for every deviance whose minimiser
 * is the mean.
 */
export function fitIsotonic(predicted: Float64Array, actual: Float64Array, weight?: Float64Array): Isotonic {
  ensureSameRows({ predicted, actual, weight });
  const order = ascending(predicted);
  const ends = tieEnds(predicted, order);

  // a stack of blocks; a block that lies below its left neighbour is merged into it
  const first: number[] = [];
  const last: number[] = [];
  const means: number[] = [];
  const weights: number[] = [];
  for (let run = 0, start = 0; run < ends.length; start = ends[run++]) {
    let total = 0;
    let mass = 0;
    for (let i = start; i < ends[run]; i++) {
      const w = weight ? weight[order[i]] : 1;
      total += w * actual[order[i]];
      mass += w;
    }
    if (mass === 0) continue;
    const x = predicted[order[start]];
    let mean = total / mass;
    let from = x;
    while (means.length > 0 && means[means.length - 1] >= mean) {
      const leftMass = weights.pop() ?? 0;
      mean = ((means.pop() ?? 0) * leftMass + mean * mass) / (leftMass + mass);
      mass += leftMass;
      from = first.pop() ?? from;
      last.pop();
    }
    first.push(from);
    last.push(x);
    means.push(mean);
    weights.push(mass);
  }
  if (means.length === 0) throw new ArgumentError('Isotonic regression needs a row of positive weight, there is none.');

  // a block is flat: its two ends say all
  const thresholds: number[] = [];
  const values: number[] = [];
  for (let block = 0; block < means.length; block++) {
    thresholds.push(first[block]);
    values.push(means[block]);
    if (last[block] > first[block]) {
      thresholds.push(last[block]);
      values.push(means[block]);
    }
  }
  return { kind: 'isotonic', thresholds, values };
}

/** The fitted function at each prediction: linear between thresholds, constant outside them. */
export function applyIsotonic(isotonic: Isotonic, predicted: Float64Array): Float64Array {
  const { thresholds, values } = isotonic;
  const last = thresholds.length - 1;
  return predicted.map((x) => {
    if (x <= thresholds[0]) return values[0];
    if (x >= thresholds[last]) return values[last];
    // the first threshold above x
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (thresholds[middle] <= x) low = middle;
      else high = middle;
    }
    const along = (x - thresholds[low]) / (thresholds[high] - thresholds[low]);
    return values[low] + along * (values[high] - values[low]);
  });
}
