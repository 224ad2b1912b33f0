import { ArgumentError } from '../../ensure.ts';
import type { TfliteModel } from './model.ts';
import { type TflitePredictor, tflitePredictor } from './predictor.ts';
import { writeTflite } from './writer.ts';

/** What rounding to integers has changed: the evidence that a release gate judges. Scores are outputs, probabilities as a rule. */
export type QuantisationEvidence = {
  rows: number;
  /** |integer score − float score|. */
  scoreDifference: { mean: number; median: number; p95: number; p99: number; max: number };
  /** How many rows lie on another side of each threshold than before, and to which side they went. */
  flips: { threshold: number; toAbove: number; toBelow: number; share: number }[];
  /**
   * Whole files, and the weights and biases in them. The gate on size is for the latter: of a network of some hundred weights the tables
   * around them, which no precision changes, are most of the file.
   */
  bytes: {
    float: { file: number; constants: number };
    integer: { file: number; constants: number };
    /** integer / float */
    fileRatio: number;
    constantsRatio: number;
  };
  /** Mean per row in a batch, in seconds; null without a timer. */
  latencySeconds: { float: number; integer: number; ratio: number } | null;
};

/**
 * Compares an integer network with the float one that it was made from, on rows of features one after the other. `timer` gives
 * seconds, from whatever clock there is. Throws ArgumentError where there are no rows or more than one output.
 */
export function compareQuantised(
  float: TfliteModel,
  integer: TfliteModel,
  rows: Float32Array,
  thresholds: readonly number[],
  timer?: () => number,
): QuantisationEvidence {
  const before = timed(tflitePredictor(float), rows, timer);
  const after = timed(tflitePredictor(integer), rows, timer);
  const count = before.scores.length;
  const { shape } = float.tensors[float.output];
  if (count === 0 || after.scores.length !== count || shape.at(-1) !== 1) {
    throw new ArgumentError('Comparing precisions needs rows, and two networks with the same single output.');
  }
  const differences = before.scores.map((score, row) => Math.abs(after.scores[row] - score)).sort();
  const quantile = (share: number) => differences[Math.ceil(share * count) - 1];
  const floatBytes = bytesOf(float);
  const integerBytes = bytesOf(integer);
  return {
    rows: count,
    scoreDifference: {
      mean: differences.reduce((sum, difference) => sum + difference, 0) / count,
      median: quantile(0.5),
      p95: quantile(0.95),
      p99: quantile(0.99),
      max: differences[count - 1],
    },
    flips: thresholds.map((threshold) => flipsAt(threshold, before.scores, after.scores)),
    bytes: {
      float: floatBytes,
      integer: integerBytes,
      fileRatio: integerBytes.file / floatBytes.file,
      constantsRatio: integerBytes.constants / floatBytes.constants,
    },
    latencySeconds: timer
      ? { float: before.seconds / count, integer: after.seconds / count, ratio: after.seconds / before.seconds }
      : null,
  };
}

function timed(predict: TflitePredictor, rows: Float32Array, timer: (() => number) | undefined) {
  if (!timer) return { scores: predict(rows), seconds: NaN };
  // once before the clock starts, because the first rows are run before the code is compiled
  predict(rows);
  const start = timer();
  const scores = predict(rows);
  return { scores, seconds: timer() - start };
}

function flipsAt(threshold: number, before: Float64Array, after: Float64Array) {
  let toAbove = 0;
  let toBelow = 0;
  before.forEach((score, row) => {
    if (score < threshold && after[row] >= threshold) toAbove++;
    if (score >= threshold && after[row] < threshold) toBelow++;
  });
  return { threshold, toAbove, toBelow, share: (toAbove + toBelow) / before.length };
}

function bytesOf(model: TfliteModel): { file: number; constants: number } {
  const constants = model.tensors.reduce((sum, { data }) => sum + (data?.byteLength ?? 0), 0);
  return { file: writeTflite(model).length, constants };
}
