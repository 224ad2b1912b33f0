import { ArgumentError, ensureSameRows } from '../ensure.ts';
import { ensureBinary, ensureProbabilities } from '../metrics/binary.ts';
import { ascending } from '../metrics/order.ts';

/** What a decision costs beyond a right one, all in one currency. */
export type DecisionCosts = {
  /** A negative row treated as positive. */
  falsePositive: number;
  /** A positive row treated as negative. */
  falseNegative: number;
  /** A person looks at the row and decides rightly. @default - no review: one threshold */
  review?: number;
};

/**
 * Probabilities below `reviewFrom` are negative, at or above `positiveFrom` positive, those between go to manual review.
 * Both are the same number where nothing is reviewed.
 */
export type DecisionBand = { reviewFrom: number; positiveFrom: number };

export type Decision = 'negative' | 'review' | 'positive';

/**
 * The band of least expected cost for calibrated probabilities (Chow, "On optimum recognition error and reject tradeoff",
 * 1970): review where both ways of deciding cost more than a review is worth. Where a review costs too much for any
 * probability, the one threshold is falsePositive / (falsePositive + falseNegative).
 */
export function decisionBand({ falsePositive, falseNegative, review = Infinity }: DecisionCosts): DecisionBand {
  for (const [name, cost] of Object.entries({ falsePositive, falseNegative, review })) {
    const least = name === 'review' ? cost >= 0 : cost > 0 && cost < Infinity;
    if (!least) throw new ArgumentError(`The cost ${name} must be a number above 0, it is ${cost}.`);
  }
  const reviewFrom = review / falseNegative;
  const positiveFrom = 1 - review / falsePositive;
  if (reviewFrom < positiveFrom) return { reviewFrom, positiveFrom };
  const threshold = falsePositive / (falsePositive + falseNegative);
  return { reviewFrom: threshold, positiveFrom: threshold };
}

/**
 * The band for a team that can review only `maxReviewShare` of the rows: the reviews that save most are kept, which is the
 * band of a dearer review. Where the capacity suffices it is the band of the declared costs.
 */
export function bandWithinCapacity(
  costs: DecisionCosts,
  predicted: Float64Array,
  maxReviewShare: number,
): DecisionBand {
  ensureProbabilities(predicted);
  const band = decisionBand(costs);
  const capacity = Math.floor(maxReviewShare * predicted.length);
  // what each review would save at most; the dearest one that no longer fits bounds the price from below
  const savings = predicted
    .filter((p) => p >= band.reviewFrom && p < band.positiveFrom)
    .map((p) => Math.min(p * costs.falseNegative, (1 - p) * costs.falsePositive))
    .sort();
  if (savings.length <= capacity) return band;
  const leftOut = savings[savings.length - capacity - 1];
  const kept = savings.find((saving) => saving > leftOut) ?? Infinity;
  return decisionBand({ ...costs, review: (leftOut + kept) / 2 });
}

/** The decision of each row. */
export function decide(band: DecisionBand, predicted: Float64Array): Decision[] {
  return Array.from(predicted, (p) => {
    if (p >= band.positiveFrom) return 'positive';
    return p >= band.reviewFrom ? 'review' : 'negative';
  });
}

export type BandResult = { costPerRow: number; reviewShare: number; falsePositives: number; falseNegatives: number };

/** What a band really cost on rows with known truth, reviews counted as decided rightly. */
export function bandCost(
  costs: DecisionCosts,
  band: DecisionBand,
  actual: Float64Array,
  predicted: Float64Array,
): BandResult {
  ensureSameRows({ actual, predicted });
  ensureBinary(actual);
  let reviews = 0;
  let falsePositives = 0;
  let falseNegatives = 0;
  decide(band, predicted).forEach((decision, row) => {
    if (decision === 'review') reviews++;
    else if (decision === 'positive' && actual[row] === 0) falsePositives++;
    else if (decision === 'negative' && actual[row] === 1) falseNegatives++;
  });
  const reviewCost = reviews > 0 ? reviews * (costs.review ?? Infinity) : 0;
  const total = reviewCost + falsePositives * costs.falsePositive + falseNegatives * costs.falseNegative;
  return {
    costPerRow: total / actual.length,
    reviewShare: reviews / actual.length,
    falsePositives,
    falseNegatives,
  };
}

/**
 * The one threshold that costs least on these rows, whatever the calibration of the predictions: midway between two
 * neighbouring scores. Of equally cheap ones the highest. Choose it on validation rows, judge it on others.
 */
export function cheapestThreshold(costs: DecisionCosts, actual: Float64Array, predicted: Float64Array): number {
  ensureSameRows({ actual, predicted });
  ensureBinary(actual);
  const order = ascending(predicted);
  // from everything positive upwards: each row passed turns negative
  let cost = 0;
  for (const y of actual) if (y === 0) cost += costs.falsePositive;
  let cheapest = cost;
  let threshold = predicted[order[0]];
  for (let i = 0; i < order.length; i++) {
    cost += actual[order[i]] === 1 ? costs.falseNegative : -costs.falsePositive;
    const isLast = i === order.length - 1;
    if (!isLast && predicted[order[i + 1]] === predicted[order[i]]) continue;
    if (cost > cheapest) continue;
    cheapest = cost;
    threshold = isLast ? Infinity : (predicted[order[i]] + predicted[order[i + 1]]) / 2;
  }
  return threshold;
}
