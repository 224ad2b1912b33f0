import { mae, r2 } from '../../src/ml/metrics/regression.ts';
import { rowErrors } from '../../src/monitoring/row-errors.ts';
import { random } from '../../src/ml/random.ts';
import type { MonitorPolicy } from '../../src/monitoring/limits.ts';
import type { MonitoringInput } from '../../src/monitoring/monitor.ts';
import { fitReference, type MonitoredRows } from '../../src/monitoring/reference.ts';

/** Limits as a use case declares them. */
export const policy: MonitorPolicy = {
  window: 'P30D',
  minVolume: 50,
  performance: { mae: { max: 2500 }, r2: { min: 0.75 } },
  drift: {
    psi: { warn: 0.1, alert: 0.25 },
    falseDiscoveryRate: 0.05,
    prediction: { relative: 0.2, z: 2 },
    demographic: { columns: ['smoker', 'age', 'region'], alert: 0.1 },
    composite: { columns: ['smoker', 'age'], warn: 0.2, alert: 0.3 },
  },
  slices: ['region'],
};

/** How a portfolio differs from the one that the model was trained on. */
export type World = {
  rows: number;
  /** Added to the mean age of 45, in years. */
  older?: number;
  /** Factor on all costs, which no feature shows. */
  inflation?: number;
  /** Standard deviation of the logarithm of the cost that no feature explains. */
  noise?: number;
  /** Share of rows whose bmi is missing; factor on bmi. */
  missingBmi?: number;
  bmiUnit?: number;
  /** What the model makes of it. */
  predictionFactor?: number;
};

/** A portfolio after the first use case: people, their costs, and a model that knows everything but the noise. */
export function portfolio(seed: string, world: World): MonitoredRows & { actual: Float64Array; codes: Int32Array } {
  const { rows, older = 0, inflation = 1, noise = 0.25, missingBmi = 0, bmiUnit = 1, predictionFactor = 1 } = world;
  const draw = random(seed);
  const age = new Float64Array(rows);
  const bmi = new Float64Array(rows);
  const children = new Float64Array(rows);
  const smoker: string[] = [];
  const codes = new Int32Array(rows);
  const predictions = new Float64Array(rows);
  const actual = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    age[row] = Math.round(Math.min(85, Math.max(18, draw.normal(45 + older, 15))));
    const trueBmi = Math.min(50, Math.max(16, draw.normal(28, 6)));
    children[row] = draw.poisson(1.2);
    const smokes = draw.uniform() < 0.165;
    smoker.push(String(smokes));
    codes[row] = draw.integer(4);
    const cost =
      3000 *
      (age[row] / 40) ** 1.5 *
      (1 + Math.max(0, (trueBmi - 25) / 25)) *
      (smokes ? 2.5 : 1) *
      (1 + 0.1 * children[row]);
    predictions[row] = predictionFactor * cost;
    actual[row] = inflation * cost * Math.exp(draw.normal(-(noise ** 2) / 2, noise));
    bmi[row] = draw.uniform() < missingBmi ? NaN : trueBmi * bmiUnit;
  }
  return {
    columns: [
      { name: 'age', kind: 'number', values: age },
      { name: 'bmi', kind: 'number', values: bmi },
      { name: 'children', kind: 'number', values: children },
      { name: 'smoker', kind: 'category', values: smoker },
      { name: 'region', kind: 'category', values: Array.from(codes, (code) => regions[code]) },
    ],
    predictions,
    flags: { high_risk: Uint8Array.from(predictions, (prediction) => (prediction > 15_000 ? 1 : 0)) },
    actual,
    codes,
  };
}

const regions = ['northeast', 'northwest', 'southeast', 'southwest'];

const training = portfolio('training', { rows: 4000 });
const test = portfolio('frozen test', { rows: 1000 });
export const reference = fitReference(training, {
  dataVersion: 7,
  errors: rowErrors('regression', 1, test.actual, test.predictions),
  importance: { age: 3, bmi: 2, smoker: 4, children: 1 },
});

/** Everything that one look needs; the truth of all rows has matured unless told otherwise. */
export function lookAt(seed: string, world: World, { matured = world.rows } = {}): MonitoringInput {
  const rows = portfolio(seed, world);
  return {
    reference,
    rows,
    matured: {
      task: 'regression',
      outputs: 1,
      actual: rows.actual.slice(0, matured),
      predicted: rows.predictions.slice(0, matured),
      groups: { region: { names: regions, codes: rows.codes.slice(0, matured) } },
    },
    delivery: { acceptedRows: world.rows, quarantinedRows: 0 },
    units: { age: 'years', prediction: 'USD' },
    metrics: { mae, r2 },
    seed: 5,
  };
}
