import { expect, test } from 'vitest';
import { bootstrap } from '../../../src/ml/metrics/bootstrap.ts';
import { meanOverOutputs, outputOf, overKnown } from '../../../src/ml/metrics/outputs.ts';
import { mae, r2, rmse } from '../../../src/ml/metrics/regression.ts';
import { skillOver } from '../../../src/ml/metrics/skill.ts';
import { random } from '../../../src/ml/random.ts';

const r = random('outputs');
const [rows, outputs] = [40, 3];
const actual = Float64Array.from({ length: rows * outputs }, () => (r.uniform() < 0.3 ? NaN : r.normal()));
const predicted = actual.map((value) => (Number.isNaN(value) ? 1e6 : value + r.normal(0, 0.5)));
const weight = Float64Array.from({ length: rows }, () => r.uniform());
const baseline = actual.map((value) => (Number.isNaN(value) ? -1e6 : 0.1));

/** The naive twin: the metric of the rows that are known, and nothing else there. */
function ofKnown(output: number) {
  const own = outputOf(actual, outputs, output);
  const known = [...own.keys()].filter((row) => !Number.isNaN(own[row]));
  const take = (values: Float64Array) => Float64Array.from(known, (row) => values[row]);
  return { actual: take(own), predicted: take(outputOf(predicted, outputs, output)), weight: take(weight), take };
}

test.each([
  ['R²', r2],
  ['mean absolute error', mae],
  ['root mean squared error', rmse],
])('%s of several outputs is the mean over the values that are known', (_, metric) => {
  const parts = [0, 1, 2].map(ofKnown);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / outputs;
  const each = meanOverOutputs([metric, metric, metric]);
  expect(each(actual, predicted)).toBeCloseTo(mean(parts.map((own) => metric(own.actual, own.predicted))), 12);
  expect(each(actual, predicted, weight)).toBeCloseTo(
    mean(parts.map((own) => metric(own.actual, own.predicted, own.weight))),
    12,
  );
});

test('a baseline of each row stays with its row', () => {
  const { actual: known, predicted: scores, take } = ofKnown(1);
  const own = outputOf(baseline, outputs, 1);
  const found = overKnown(skillOver(mae, own), outputOf(actual, outputs, 1), outputOf(predicted, outputs, 1));
  expect(found()).toBeCloseTo(skillOver(mae, take(own))(known, scores), 12);
});

test('an interval can be drawn of what is known', () => {
  const metric = meanOverOutputs([rmse, rmse, rmse]);
  const { error } = bootstrap({ error: metric }, actual, predicted, { seed: 1, resamples: 200, outputs });
  expect(error.low).toBeGreaterThan(0);
  expect(error.low).toBeLessThan(error.value);
  expect(error.high).toBeLessThan(1);
});
