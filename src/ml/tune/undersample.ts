import { ensureShare } from '../ensure.ts';
import { ensureBinary } from '../metrics/binary.ts';
import { random } from '../random.ts';

/**
 * The rows, ascending, that are left of an imbalanced label when negatives are drawn away until positives have the share
 * `positives`: all rows where they have it already. A model of these rows says too high probabilities: undo that by
 * `correctPrior`.
 */
export function undersample(
  label: Float64Array,
  { positives, seed }: { positives: number; seed: number | string },
): Uint32Array {
  ensureShare('The share of positives', positives);
  ensureBinary(label);
  const negatives = Array.from(label.keys()).filter((row) => label[row] === 0);
  const wanted = Math.round(((label.length - negatives.length) * (1 - positives)) / positives);
  if (wanted >= negatives.length) return Uint32Array.from(label.keys());
  const drawn = new Set(Array.from(random(seed).sample(negatives.length, wanted), (place) => negatives[place]));
  return Uint32Array.from(label.keys()).filter((row) => label[row] === 1 || drawn.has(row));
}
