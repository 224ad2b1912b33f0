import * as z from 'zod';

const fraction = z.number().gt(0).max(1);
const nonNegative = z.number().min(0);
const wholeFrom = (least: number) => z.number().int().min(least);

/** What both trainers share: how one tree may grow. Names and defaults are LightGBM's, in camel case. */
const growth = {
  /** Largest number of levels; 0 is no limit. */
  maxDepth: wholeFrom(0).default(0),
  /** Fewest rows in a leaf. */
  minChildSamples: wholeFrom(1).default(20),
  /** Least sum of hessians in a leaf. */
  minChildWeight: nonNegative.default(1e-3),
  lambdaL1: nonNegative.default(0),
  lambdaL2: nonNegative.default(0),
  /** Least gain of a split. */
  minSplitGain: nonNegative.default(0),
  /** Most bins of a feature, the one for missing values not counted. */
  maxBin: wholeFrom(2).max(255).default(255),
  /** Fewest rows that a bin is made of. */
  minDataInBin: wholeFrom(1).default(3),
  /** Try one random threshold per feature instead of all ("extremely randomised trees"). */
  extraTrees: z.boolean().default(false),
  /** −1, 0 or 1 per feature: the prediction may only fall, move freely, or only rise with it. */
  monotoneConstraints: z.array(z.literal([-1, 0, 1])).optional(),
  /** Added to the hessian when categories are sorted by their gradient statistics. */
  categoricalSmoothing: nonNegative.default(10),
  /** Added to lambdaL2 in the gain of a categorical split of more than four categories. */
  categoricalL2: nonNegative.default(10),
  /** Most categories on the smaller side of a categorical split. */
  maxCategoriesPerSplit: wholeFrom(1).default(32),
  seed: z.union([z.number(), z.string()]).default(0),
};

export const boostingParameters = z.strictObject({
  objective: z
    .enum(['squared_error', 'absolute_error', 'huber', 'quantile', 'poisson', 'gamma', 'tweedie', 'binary'])
    .default('squared_error'),
  /** Huber: where the loss turns linear. Quantile: the level. */
  alpha: z.number().gt(0).default(0.9),
  /** The variance power of Tweedie, between Poisson (1) and Gamma (2). */
  tweediePower: z.number().gt(1).lt(2).default(1.5),
  /** Binary: the weight of the positive rows. */
  scalePosWeight: z.number().gt(0).default(1),
  iterations: wholeFrom(1).default(100),
  learningRate: z.number().gt(0).default(0.1),
  numLeaves: wholeFrom(2).default(31),
  /** Share of the features that one tree may use. */
  featureFraction: fraction.default(1),
  /** Share of the tree's features that one split may use. */
  featureFractionByNode: fraction.default(1),
  /** Share of the rows that a tree is grown on, drawn anew every `baggingFrequency` trees. */
  baggingFraction: fraction.default(1),
  baggingFrequency: wholeFrom(1).default(1),
  /** Stop after so many iterations without a better validation loss; 0 is never. Needs a validation set. */
  earlyStoppingRounds: wholeFrom(0).default(0),
  ...growth,
});

export const forestParameters = z.strictObject({
  trees: wholeFrom(1).default(100),
  /** Share of the features tried at each split. */
  featureFraction: fraction.default(1 / 3),
  /** Draw as many rows with repeats for each tree; otherwise each tree sees every row once. */
  bootstrap: z.boolean().default(true),
  /** Fewest rows that a node needs to be split. */
  minSplitSamples: wholeFrom(2).default(2),
  /** Most leaves of a tree; 0 is no limit. */
  numLeaves: wholeFrom(0).default(0),
  ...growth,
  minChildSamples: wholeFrom(1).default(1),
  minChildWeight: nonNegative.default(0),
});

/** As the caller writes them: everything may be left out. */
export type BoostingParameters = z.input<typeof boostingParameters>;
export type ForestParameters = z.input<typeof forestParameters>;
export type Boosting = z.output<typeof boostingParameters>;
export type Forest = z.output<typeof forestParameters>;

/** Thrown for a parameter that does not exist or has no meaning; names the parameter. */
export class InvalidParameter extends Error {
  override name = 'InvalidParameter';
}

/** Thrown for training data that nothing can be learnt from: lengths that differ, an infinite value; names the column. */
export class InvalidTrainingData extends Error {
  override name = 'InvalidTrainingData';
}

/** Checks the parameters and fills in the defaults. Throws InvalidParameter. */
export function completeParameters<S extends z.ZodType>(schema: S, given: z.input<S>): z.output<S> {
  const checked = schema.safeParse(given);
  if (!checked.success) throw new InvalidParameter(`Training parameters: ${z.prettifyError(checked.error)}`);
  return checked.data;
}
