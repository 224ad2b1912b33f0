import { ArgumentError } from '../ensure.ts';
import type { Metric } from '../metrics/metric.ts';
import type { Split } from './folds.ts';

export type CrossValidation<Name extends string> = {
  /** Metrics of each fold on the rows that its model had not seen. */
  folds: { fold: number; rows: number; metrics: Record<Name, number> }[];
  mean: Record<Name, number>;
  /** Sample standard deviation over the folds; NaN with one fold. */
  standardDeviation: Record<Name, number>;
  /** The predictions of each row by the model that had not seen it, rows × outputs; NaN for rows that no fold judges. */
  outOfFold: Float64Array;
};

/**
 * Fits on the training rows of every split and judges on its test rows. `fit` receives row numbers and must do everything
 * that learns from data (encoders, scalers, early stopping) from those rows alone; `predict` gives one value per row
 * number, or one for each output. `actual` is row-major where there are several. A split that judges a row twice is refused, because out-of-fold predictions would then be ambiguous.
 */
export function crossValidate<Model, Name extends string>(task: {
  splits: readonly Split[];
  actual: Float64Array;
  /** @default 1 */
  outputs?: number;
  weight?: Float64Array;
  metrics: Record<Name, Metric>;
  fit: (rows: Uint32Array, fold: number) => Model;
  predict: (model: Model, rows: Uint32Array) => Float64Array;
}): CrossValidation<Name> {
  const { splits, actual, outputs = 1, weight, metrics, fit, predict } = task;
  const names = Object.keys(metrics) as Name[];
  const outOfFold = new Float64Array(actual.length).fill(NaN);
  const judged = new Uint8Array(actual.length / outputs);

  const folds = splits.map(({ train, test }, fold) => {
    const predicted = predict(fit(train, fold), test);
    if (predicted.length !== test.length * outputs) {
      throw new ArgumentError(
        `Fold ${fold + 1} has ${test.length} rows but ${predicted.length / outputs} predictions.`,
      );
    }
    test.forEach((row, i) => {
      if (judged[row]) throw new ArgumentError(`Row ${row} is judged by two folds.`);
      judged[row] = 1;
      outOfFold.set(predicted.subarray(i * outputs, (i + 1) * outputs), row * outputs);
    });
    const truth = takeRows(actual, test, outputs);
    const exposure = weight && takeRows(weight, test);
    const values = names.map((name) => [name, metrics[name](truth, predicted, exposure)]);
    return { fold, rows: test.length, metrics: Object.fromEntries(values) as Record<Name, number> };
  });

  const summary = names.map((name) => ({ name, ...spread(folds.map((fold) => fold.metrics[name])) }));
  return {
    folds,
    mean: Object.fromEntries(summary.map(({ name, mean }) => [name, mean])) as Record<Name, number>,
    standardDeviation: Object.fromEntries(
      summary.map(({ name, standardDeviation }) => [name, standardDeviation]),
    ) as Record<Name, number>,
    outOfFold,
  };
}

/** The values of some rows, of each output. */
export function takeRows(values: Float64Array, rows: ArrayLike<number>, outputs = 1): Float64Array {
  const taken = new Float64Array(rows.length * outputs);
  for (let i = 0; i < rows.length; i++) {
    for (let output = 0; output < outputs; output++) taken[i * outputs + output] = values[rows[i] * outputs + output];
  }
  return taken;
}

function spread(values: number[]): { mean: number; standardDeviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, standardDeviation: Math.sqrt(squares / (values.length - 1)) };
}
