import type { TreeModel } from '../trees/model.ts';

/** Thrown when an explanation is asked for that is not to be had: without a background, or of more work than its declared limit. */
export class InvalidExplanation extends Error {
  override name = 'InvalidExplanation';
}

/** Explanations add up over the trees: of an averaged model they are the sums divided by its iterations. */
export function averageOver({ averaged, trees, outputs }: TreeModel, values: Float64Array): void {
  if (!averaged || trees.length === 0) return;
  const iterations = trees.length / outputs;
  for (let i = 0; i < values.length; i++) values[i] /= iterations;
}
