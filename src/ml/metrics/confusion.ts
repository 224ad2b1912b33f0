import { ArgumentError, ensureSameRows, ensureWhole } from '../ensure.ts';
import { ensureBinary } from './binary.ts';
import type { Metric } from './metric.ts';

/** `counts[actual][predicted]`: exposure of rows of that class so predicted. Plain JSON. */
export type ConfusionMatrix = { classes: readonly string[]; counts: number[][] };

/** The confusion matrix of class codes 0 … classes − 1. */
export function confusionMatrix(
  classes: readonly string[],
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  weight?: ArrayLike<number>,
): ConfusionMatrix {
  ensureWhole('The number of classes', classes.length, 2);
  ensureSameRows({ actual, predicted, weight });
  const counts = classes.map(() => classes.map(() => 0));
  for (let i = 0; i < actual.length; i++) {
    const row = counts[actual[i]];
    if (row?.[predicted[i]] === undefined) {
      throw new ArgumentError(`Row ${i} has a class code outside 0 … ${classes.length - 1}.`);
    }
    row[predicted[i]] += weight ? weight[i] : 1;
  }
  return { classes, counts };
}

/** Share of rows on the diagonal. */
export function accuracyOf({ counts }: ConfusionMatrix): number {
  let right = 0;
  let total = 0;
  counts.forEach((row, actual) =>
    row.forEach((count, predicted) => {
      total += count;
      if (actual === predicted) right += count;
    }),
  );
  return right / total;
}

/**
 * Cohen's kappa with quadratic weights (Cohen, 1968): agreement beyond chance, disagreement counted by the squared distance
 * of the classes, which must be in order. With two classes it is the unweighted kappa. NaN where there is only one class.
 */
export function quadraticKappaOf({ counts }: ConfusionMatrix): number {
  const { ofActual, ofPredicted, total } = margins(counts);
  let observed = 0;
  let byChance = 0;
  counts.forEach((row, a) =>
    row.forEach((count, p) => {
      const distance = (a - p) ** 2;
      observed += distance * count;
      byChance += (distance * ofActual[a] * ofPredicted[p]) / total;
    }),
  );
  return byChance > 0 ? 1 - observed / byChance : NaN;
}

/**
 * Matthews correlation coefficient for any number of classes (Gorodkin, 2004): −1 … 1, and 0 for any prediction that does
 * not look at the row, however unbalanced the classes.
 */
export function matthewsOf({ counts }: ConfusionMatrix): number {
  const { ofActual, ofPredicted, total } = margins(counts);
  let right = 0;
  let product = 0;
  let squaredActual = 0;
  let squaredPredicted = 0;
  counts.forEach((row, k) => {
    right += row[k];
    product += ofActual[k] * ofPredicted[k];
    squaredActual += ofActual[k] ** 2;
    squaredPredicted += ofPredicted[k] ** 2;
  });
  const spread = Math.sqrt((total * total - squaredPredicted) * (total * total - squaredActual));
  return spread > 0 ? (right * total - product) / spread : 0;
}

/** The confusion matrix of a binary label at a threshold: probabilities at or above it are called positive. */
export function confusionAt(
  threshold: number,
  actual: Float64Array,
  predicted: Float64Array,
  weight?: Float64Array,
): ConfusionMatrix {
  return cellsOver(threshold, actual, predicted)(weight);
}

/** Share of rows called right at the threshold. */
export function accuracyAt(threshold: number): Metric {
  return atThreshold(threshold, accuracyOf);
}

/** Of the rows called positive, the share that is; 0 where none is called positive. */
export function precisionAt(threshold: number): Metric {
  return atThreshold(threshold, ({ counts: [[, falsePositives], [, truePositives]] }) =>
    truePositives > 0 ? truePositives / (truePositives + falsePositives) : 0,
  );
}

/** Of the positive rows, the share called positive (true positive rate, sensitivity); NaN without positive rows. */
export function recallAt(threshold: number): Metric {
  return atThreshold(
    threshold,
    ({ counts: [, [falseNegatives, truePositives]] }) => truePositives / (truePositives + falseNegatives),
  );
}

/** Of the negative rows, the share called positive; NaN without negative rows. */
export function falsePositiveRateAt(threshold: number): Metric {
  return atThreshold(
    threshold,
    ({ counts: [[trueNegatives, falsePositives]] }) => falsePositives / (falsePositives + trueNegatives),
  );
}

/** F1: harmonic mean of precision and recall; 0 where nothing positive is found, NaN without positive rows. */
export function f1At(threshold: number): Metric {
  return atThreshold(threshold, ({ counts: [[, falsePositives], [falseNegatives, truePositives]] }) =>
    truePositives + falseNegatives > 0
      ? (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives)
      : NaN,
  );
}

/** Cohen's kappa at the threshold. */
export function kappaAt(threshold: number): Metric {
  return atThreshold(threshold, quadraticKappaOf);
}

/** Matthews correlation coefficient at the threshold. */
export function matthewsAt(threshold: number): Metric {
  return atThreshold(threshold, matthewsOf);
}

function atThreshold(threshold: number, summarise: (matrix: ConfusionMatrix) => number): Metric {
  const metric: Metric = (actual, predicted, weight) => summarise(cellsOver(threshold, actual, predicted)(weight));
  metric.over = (actual, predicted) => {
    const cells = cellsOver(threshold, actual, predicted);
    return (weight) => summarise(cells(weight));
  };
  return metric;
}

/** The cell of each row stays while a bootstrap changes the weights. */
function cellsOver(threshold: number, actual: Float64Array, predicted: Float64Array) {
  ensureSameRows({ actual, predicted });
  ensureBinary(actual);
  const cell = Uint8Array.from(actual, (y, i) => 2 * y + Number(predicted[i] >= threshold));
  return (weight?: Float64Array): ConfusionMatrix => {
    ensureSameRows({ actual, weight });
    const sums = new Float64Array(4);
    for (let i = 0; i < cell.length; i++) sums[cell[i]] += weight ? weight[i] : 1;
    const [trueNegatives, falsePositives, falseNegatives, truePositives] = sums;
    return {
      classes: ['negative', 'positive'],
      counts: [
        [trueNegatives, falsePositives],
        [falseNegatives, truePositives],
      ],
    };
  };
}

function margins(counts: number[][]) {
  const ofActual = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const ofPredicted = counts.map((_, p) => counts.reduce((sum, row) => sum + row[p], 0));
  return { ofActual, ofPredicted, total: ofActual.reduce((sum, count) => sum + count, 0) };
}
