import { expect, test } from 'vitest';
import { deviance, d2 } from '../../../src/ml/metrics/deviance.ts';
import { mae, mse, r2, weightedMean } from '../../../src/ml/metrics/regression.ts';
import { skillOver } from '../../../src/ml/metrics/skill.ts';
import { actual, exposure, other, predicted } from './fixture.ts';

test('skill over the rows’ own mean is R² for the squared error and D² for a deviance', () => {
  const mean = weightedMean(actual, exposure);
  expect(skillOver(mse, mean)(actual, predicted, exposure)).toBeCloseTo(r2(actual, predicted, exposure), 12);
  expect(skillOver(deviance('poisson'), mean)(actual, predicted, exposure)).toBeCloseTo(
    d2('poisson')(actual, predicted, exposure),
    12,
  );
});

test('the baseline itself has skill 0 and a perfect prediction skill 1', () => {
  const skill = skillOver(mae, other);
  expect(skill(actual, other)).toBe(0);
  expect(skill(actual, actual)).toBe(1);
});

test('twice the error of the baseline is skill −1', () => {
  expect(skillOver(mae, 1)(Float64Array.of(2, 3), Float64Array.of(4, -1))).toBe(-1);
});

test('skill over a baseline without error is undefined', () => {
  expect(skillOver(mae, actual)(actual, predicted)).toBeNaN();
});
