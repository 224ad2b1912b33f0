import { expect, test } from 'vitest';
import { criticalValue, normalQuantile } from '../../../src/ml/metrics/normal.ts';
import { proportion } from '../../../src/ml/metrics/proportion.ts';
import { expected } from './fixture.ts';

test.each(expected.wilson)(
  '$successes of $trials at $confidence has the Wilson interval of statsmodels',
  ({ successes, trials, confidence, low, high }) => {
    const share = proportion(successes, trials, confidence);
    expect(share.value).toBe(successes / trials);
    expect(share.low).toBeCloseTo(low, 12);
    expect(share.high).toBeCloseTo(high, 12);
  },
);

test('the normal quantile agrees with scipy from the far tail to the centre', () => {
  for (const { probability, value } of expected.normalQuantile) {
    expect(Math.abs(normalQuantile(probability) - value)).toBeLessThanOrEqual(1e-13 * Math.max(1, Math.abs(value)));
  }
  expect(criticalValue(0.95)).toBeCloseTo(1.959963984540054, 12);
});

test('a share without trials is undefined, and more successes than trials are refused', () => {
  expect(proportion(0, 0)).toEqual({ value: NaN, low: NaN, high: NaN });
  expect(() => proportion(3, 2)).toThrow('successes ≤ trials');
});

test('a probability of 1 has no normal quantile', () => {
  expect(() => normalQuantile(1)).toThrow('between 0 and 1');
});
