import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Matrix, takeRows } from '../../../src/ml/matrix.ts';
import { random } from '../../../src/ml/random.ts';
import { type BoostingOptions, trainBoosting } from '../../../src/ml/trees/boosting.ts';
import { lossOf, weightedQuantile } from '../../../src/ml/trees/loss.ts';
import {
  type Boosting,
  type BoostingParameters,
  boostingParameters,
  completeParameters,
} from '../../../src/ml/trees/parameters.ts';
import { predict } from '../../../src/ml/trees/predictor.ts';

const objectives: Boosting['objective'][] = [
  'squared_error',
  'absolute_error',
  'huber',
  'quantile',
  'poisson',
  'gamma',
  'tweedie',
  'binary',
];

const complete = (given: BoostingParameters) => completeParameters(boostingParameters, given);

function example(objective: Boosting['objective']) {
  const r = random(`objective ${objective}`);
  const rows = 40;
  const draw = {
    binary: () => r.integer(2),
    poisson: () => r.poisson(1.5),
    tweedie: () => r.poisson(1) * r.gamma(2),
    gamma: () => r.gamma(2),
  };
  const target = Float64Array.from(
    { length: rows },
    objective in draw ? draw[objective as 'binary'] : () => r.normal(),
  );
  const score = Float64Array.from({ length: rows }, () => r.normal());
  const weight = Float64Array.from({ length: rows }, () => 0.5 + r.uniform());
  const offset = Float64Array.from({ length: rows }, () => 0.3 * r.normal());
  return { target, score, weight, offset };
}

describe.each(objectives)('objective %s', (objective) => {
  const parameters = complete({ objective, alpha: 0.7, scalePosWeight: 1.7 });
  const loss = lossOf(parameters);
  const { target, score, weight, offset } = example(objective);
  const total = weight.reduce((sum, w, i) => sum + w * (objective === 'binary' && target[i] === 1 ? 1.7 : 1), 0);

  test('its gradient is the slope of its loss', () => {
    const gradient = new Float64Array(score.length);
    loss.derivatives(target, score, weight, gradient, new Float64Array(score.length));
    // the squared error is taken without the half that its gradient implies
    const half = objective === 'squared_error' ? 0.5 : 1;
    const step = 1e-6;
    for (let i = 0; i < score.length; i++) {
      const above = loss.meanLoss(target, score.with(i, score[i] + step), weight);
      const below = loss.meanLoss(target, score.with(i, score[i] - step), weight);
      expect((half * total * (above - below)) / (2 * step)).toBeCloseTo(gradient[i], 5);
    }
  });

  test('its hessian is positive, and the slope of its gradient where it has one', () => {
    const rows = score.length;
    const [gradient, above, below, hessian] = Array.from({ length: 4 }, () => new Float64Array(rows));
    const step = 1e-5;
    loss.derivatives(target, score, weight, gradient, hessian);
    loss.derivatives(
      target,
      score.map((s) => s + step),
      weight,
      above,
      new Float64Array(rows),
    );
    loss.derivatives(
      target,
      score.map((s) => s - step),
      weight,
      below,
      new Float64Array(rows),
    );
    const damped = objective === 'poisson' ? Math.exp(0.7) : 1; // LightGBM's poisson_max_delta_step
    const curved = ['squared_error', 'poisson', 'gamma', 'tweedie', 'binary'].includes(objective);
    const expected = curved ? above.map((a, i) => (damped * (a - below[i])) / (2 * step)) : weight;
    for (let i = 0; i < rows; i++) {
      expect(hessian[i]).toBeGreaterThan(0);
      expect(hessian[i]).toBeCloseTo(expected[i], 4);
    }
  });

  test('no other constant beside the offset has less loss than the initial score', () => {
    const initial = loss.initialScore(target, weight, offset);
    const lossAt = (constant: number) =>
      loss.meanLoss(
        target,
        offset.map((o) => o + constant),
        weight,
      );
    for (const step of [-0.5, -0.01, 0.01, 0.5]) {
      expect(lossAt(initial)).toBeLessThanOrEqual(lossAt(initial + step) + 1e-12);
    }
  });
});

type Fixture = { train: number; columns: (number | null)[][] } & Record<string, number[]>;

describe('on held-out rows', () => {
  const folder = new URL('../../fixtures/trees/', import.meta.url);
  const read = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as unknown;
  const fixture = read('data.json') as Fixture;
  const losses = read('losses.json') as Record<string, number>;
  const rows = fixture.columns[0].length;
  const all: Matrix = {
    rows,
    columns: 5,
    names: ['a', 'b', 'c', 'd', 'e'],
    values: Float64Array.from(fixture.columns.flat(), (value) => value ?? NaN),
    categorical: [3],
  };
  const range = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i);
  const training = takeRows(all, range(0, fixture.train));
  const held = takeRows(all, range(fixture.train, rows));
  const column = (name: string) => Float64Array.from(fixture[name]);
  const exposure = column('exposure');
  const split = (values: Float64Array) => [values.slice(0, fixture.train), values.slice(fixture.train)];

  test.each<[Boosting['objective'], Float64Array, BoostingParameters, 'offset' | 'weight' | null]>([
    ['squared_error', column('value'), {}, null],
    ['absolute_error', column('value'), {}, null],
    ['huber', column('value'), { alpha: 0.7 }, null],
    ['quantile', column('value'), { alpha: 0.8 }, null],
    ['poisson', column('claims'), {}, 'offset'],
    ['gamma', column('severity'), {}, null],
    ['tweedie', column('premium').map((premium, i) => premium / exposure[i]), {}, 'weight'],
    ['binary', column('happened'), { scalePosWeight: 2 }, null],
  ])('%s loses no more than LightGBM with the same parameters', (objective, target, more, use) => {
    const parameters = { objective, iterations: 60, numLeaves: 15, ...more };
    const [trainTarget, heldTarget] = split(target);
    const [trainUse, heldUse] = split(use === 'offset' ? exposure.map(Math.log) : exposure);
    const options: BoostingOptions = use === null ? {} : { [use]: trainUse };
    const model = trainBoosting(training, trainTarget, parameters, options);
    const scores = predict(model, held, { raw: true }).map((s, i) => s + (use === 'offset' ? heldUse[i] : 0));
    const loss = lossOf(complete(parameters)).meanLoss(heldTarget, scores, use === 'weight' ? heldUse : null);
    expect(loss).toBeLessThan(losses[objective] * (1 + 0.03 * Math.sign(losses[objective])));
  });
});

test('a weighted quantile is the value at which the weights reach the level', () => {
  const values = Float64Array.of(5, 1, 3);
  expect(weightedQuantile(values, Float64Array.of(1, 1, 1), 0.5)).toBe(3);
  expect(weightedQuantile(values, Float64Array.of(1, 5, 1), 0.5)).toBe(1);
  expect(weightedQuantile(values, Float64Array.of(2, 1, 1), 0.5)).toBe(4);
  expect(weightedQuantile(Float64Array.of(2), Float64Array.of(1), 0.9)).toBe(2);
});
