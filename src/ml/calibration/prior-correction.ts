import { ensureShare } from '../ensure.ts';
import { ensureProbabilities } from '../metrics/binary.ts';

export type PriorShift = {
  /** Share of positives that the model has seen, weights counted. */
  trained: number;
  /** Share of positives where the probabilities are to hold. */
  actual: number;
};

/**
 * Probabilities of a model that was trained on another share of positives than there is: by undersampled negatives, or by
 * weights on the positives. Their odds are multiplied by the ratio of the priors' odds (Elkan, "The foundations of cost-sensitive
 * learning", IJCAI 2001, theorem 2), which is exact where the model's own probabilities are and the classes look the same as
 * before. The ranking stays.
 */
export function correctPrior(predicted: Float64Array, { trained, actual }: PriorShift): Float64Array {
  ensureShare('The share of positives in training', trained);
  ensureShare('The actual share of positives', actual);
  ensureProbabilities(predicted);
  const ratio = (actual / (1 - actual)) * ((1 - trained) / trained);
  return predicted.map((p) => (p * ratio) / (p * ratio + 1 - p));
}
