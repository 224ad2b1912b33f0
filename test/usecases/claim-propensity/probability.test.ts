import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json } from '../../../src/data/json.ts';
import { type SqlEngine, openSql } from '../../../src/data/sql.ts';
import { applyCalibrator, fitCalibrator } from '../../../src/ml/calibration/calibrator.ts';
import { correctPrior } from '../../../src/ml/calibration/prior-correction.ts';
import type { Cell } from '../../../src/ml/encoders/columns.ts';
import { applyDesign, fitDesign } from '../../../src/ml/encoders/design.ts';
import { type Matrix, takeRows } from '../../../src/ml/matrix.ts';
import { expectedCalibrationError } from '../../../src/ml/metrics/calibration-error.ts';
import { logLoss } from '../../../src/ml/metrics/probability.ts';
import { averagePrecision, rocAuc } from '../../../src/ml/metrics/roc.ts';
import { type BoostingParameters } from '../../../src/ml/trees/parameters.ts';
import { trainBoosting } from '../../../src/ml/trees/boosting.ts';
import { predict } from '../../../src/ml/trees/predictor.ts';
import { stratifiedKFold } from '../../../src/ml/tune/folds.ts';
import { holdout } from '../../../src/ml/tune/holdout.ts';
import { undersample } from '../../../src/ml/tune/undersample.ts';
import { applications } from '../../../usecases/claim-propensity/generate.ts';
import { featuresOf, toSilver } from '../silver.ts';

/** As the use case declares its first candidate and its split. */
const parameters: BoostingParameters = {
  objective: 'binary',
  iterations: 400,
  learningRate: 0.08,
  maxDepth: 5,
  numLeaves: 128,
  minChildSamples: 1,
  minChildWeight: 3,
  lambdaL2: 1,
  featureFraction: 0.42,
  baggingFraction: 0.88,
  earlyStoppingRounds: 15,
  seed: 101,
};
const split = { test: 0.2, validation: 0.2, seed: 7 };
const noInputs = /^(application_id|received_at|age_band|claim_status|family_history_3|employment_type)$/;

let sql: SqlEngine;
let matrix: Matrix;
let label: Float64Array;
let rows: { train: Uint32Array; validation: Uint32Array; test: Uint32Array };
beforeAll(async () => {
  sql = await openSql();
  await toSilver(sql, 'claim-propensity', applications());
  const table = await sql.rows(`SELECT * FROM (${featuresOf('claim-propensity')}) ORDER BY application_id`);
  const names = Object.keys(table[0]).filter((name) => !noInputs.test(name));
  const columns = Object.fromEntries(names.map((name) => [name, table.map((row) => row[name] as Cell)]));
  const as = (value: Json) => (typeof value === 'number' ? 'number' : 'ordinal');
  const design = fitDesign(
    columns,
    names.map((column) => ({ column, as: as(table[0][column]) })),
  );
  matrix = applyDesign(design, columns);
  label = Float64Array.from(table, (row) => Number(row['claim_status']));
  rows = holdout(table.length, { ...split, keys: table.map((row) => row['application_id'] as string) });
});
afterAll(() => sql.close());

const labelOf = (of: ArrayLike<number>) => Float64Array.from(of, (row) => label[row]);
const positives = (of: ArrayLike<number>) => labelOf(of).reduce((sum, y) => sum + y, 0) / of.length;

/** The probabilities of the rows `asked`, by a model of the rows `taught`. */
function probabilities(taught: ArrayLike<number>, asked: ArrayLike<number>, changed: BoostingParameters = {}) {
  const validation = { data: takeRows(matrix, rows.validation), target: labelOf(rows.validation) };
  const model = trainBoosting(takeRows(matrix, taught), labelOf(taught), { ...parameters, ...changed }, { validation });
  return predict(model, takeRows(matrix, asked));
}

const judged = (predicted: Float64Array) => {
  const actual = labelOf(rows.test);
  return {
    auc: rocAuc(actual, predicted),
    prAuc: averagePrecision(actual, predicted),
    logLoss: logLoss(actual, predicted),
    calibrationError: expectedCalibrationError()(actual, predicted),
  };
};

describe('the default seed, through the contract and the features', () => {
  test('gives 38 inputs, of which 20 are categories', () => {
    expect([matrix.columns, matrix.categorical?.length]).toEqual([38, 20]);
    expect([rows.train, rows.validation, rows.test].map(({ length }) => length)).toEqual([6381, 1634, 1985]);
  });

  test('lets boosting reach AUC .965, PR AUC .921, log loss .137 and, calibrated, an error of .02', () => {
    const outOfFold = new Float64Array(rows.train.length);
    for (const fold of stratifiedKFold(labelOf(rows.train), { folds: 3, seed: 101 })) {
      const of = (places: Uint32Array) => places.map((place) => rows.train[place]);
      probabilities(of(fold.train), of(fold.test)).forEach((p, i) => (outOfFold[fold.test[i]] = p));
    }
    const calibrator = fitCalibrator('platt', outOfFold, labelOf(rows.train));
    const reached = judged(applyCalibrator(calibrator, probabilities(rows.train, rows.test)));
    expect(reached.auc).toBeGreaterThanOrEqual(0.965);
    expect(reached.prAuc).toBeGreaterThanOrEqual(0.921);
    expect(reached.logLoss).toBeLessThanOrEqual(0.137);
    expect(reached.calibrationError).toBeLessThanOrEqual(0.02);
  });
});

describe('the imbalance', () => {
  const half = 0.5;
  let plain: Float64Array;
  let sampled: Float64Array;
  beforeAll(() => {
    const kept = undersample(labelOf(rows.train), { positives: half, seed: 101 }).map((place) => rows.train[place]);
    plain = probabilities(rows.train, rows.test);
    sampled = probabilities(kept, rows.test);
  });

  test('undersampling makes probabilities too high, and correcting the prior makes them right again', () => {
    const corrected = judged(correctPrior(sampled, { trained: half, actual: positives(rows.train) }));
    const raw = judged(sampled);
    expect(raw.calibrationError).toBeGreaterThan(0.04);
    expect(corrected.calibrationError).toBeLessThan(0.02);
    expect(corrected.logLoss).toBeLessThan(0.75 * raw.logLoss);
    expect(corrected.auc).toBe(raw.auc);
  });

  test('weights and undersampling rank no better than nothing does', () => {
    const share = positives(rows.train);
    const weighted = probabilities(rows.train, rows.test, { scalePosWeight: (1 - share) / share });
    for (const other of [weighted, sampled]) expect(judged(other).auc).toBeLessThan(judged(plain).auc + 0.002);
  });
});
