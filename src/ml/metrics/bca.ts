import { random } from '../random.ts';
import { normalCdf } from '../stats/special.ts';
import type { Statistic } from './metric.ts';
import { normalQuantile } from './normal.ts';

/**
 * Which quantiles of the replicates make the bias-corrected and accelerated interval (Efron, "Better bootstrap confidence
 * intervals", JASA 82, 1987): the bias is how far the estimate lies from the median of its replicates, the acceleration the
 * skewness of its jackknife values. Undefined replicates are left out. NaN where every replicate lies on one side of the estimate.
 */
export function bcaLevels(
  estimate: number,
  replicates: Float64Array,
  jackknifed: Float64Array,
  confidence: number,
): [number, number] {
  let below = 0;
  let defined = 0;
  for (const value of replicates) {
    if (Number.isNaN(value)) continue;
    defined++;
    if (value < estimate) below++;
    else if (value === estimate) below += 0.5;
  }
  if (below === 0 || below === defined || defined === 0) return [NaN, NaN];
  const bias = normalQuantile(below / defined);
  const acceleration = accelerationOf(jackknifed);
  const level = (probability: number) => {
    const z = bias + normalQuantile(probability);
    return normalCdf(bias + z / (1 - acceleration * z));
  };
  const tail = (1 - confidence) / 2;
  return [level(tail), level(1 - tail)];
}

/** Most parts that are left out one after the other. */
const mostParts = 200;

/**
 * The statistic without each unit (row or cluster) in turn. Above 200 units, 200 random parts of them are left out instead: the
 * skewness of their sums estimates the same acceleration. `codes[row]` is the row's unit.
 */
export function jackknife(
  statistic: Statistic,
  { codes, count }: { codes: Uint32Array; count: number },
  { seed, weight }: { seed: number | string; weight: Float64Array | undefined },
): Float64Array {
  const parts = Math.min(count, mostParts);
  const partOf = Uint32Array.from({ length: count }, (_, unit) => unit % parts);
  if (parts < count) random(seed).fork('jackknife').shuffle(partOf);
  const kept = new Float64Array(codes.length);
  return Float64Array.from({ length: parts }, (_, part) => {
    for (let i = 0; i < kept.length; i++) kept[i] = partOf[codes[i]] === part ? 0 : weight ? weight[i] : 1;
    return statistic(kept);
  });
}

/** Skewness of the influence of the units, over six; 0 where no unit matters. */
function accelerationOf(jackknifed: Float64Array): number {
  const values = jackknifed.filter((value) => !Number.isNaN(value));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  let squares = 0;
  let cubes = 0;
  for (const value of values) {
    squares += (mean - value) ** 2;
    cubes += (mean - value) ** 3;
  }
  return squares > 0 ? cubes / (6 * squares ** 1.5) : 0;
}
