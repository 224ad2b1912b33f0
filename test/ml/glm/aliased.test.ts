import { expect, test } from 'vitest';
import { fitGlmLeavingOut } from '../../../src/ml/glm/aliased.ts';
import { fitGlm, predictGlm } from '../../../src/ml/glm/glm.ts';
import type { Matrix } from '../../../src/ml/matrix.ts';
import { random } from '../../../src/ml/random.ts';

const stream = random('aliased');
const rows = 300;
const children = Float64Array.from({ length: rows }, () => stream.integer(5));
const adults = Float64Array.from({ length: rows }, () => 1 + stream.integer(2));
const counts = Float64Array.from(children, (n, i) => stream.poisson(Math.exp(0.1 * n + 0.2 * adults[i])));
const matrixOf = (columns: Record<string, Float64Array>): Matrix => ({
  rows,
  columns: Object.keys(columns).length,
  names: Object.keys(columns),
  values: Float64Array.from(Object.values(columns).flatMap((values) => [...values])),
});

const lean = matrixOf({ children, adults });
const full = matrixOf({
  one: new Float64Array(rows).fill(1e6),
  children,
  children_in_dozens: children.map((n) => n / 12),
  adults,
  family: children.map((n, i) => n + adults[i] + 1),
});

test('what does not vary and what others determine gets no coefficient, the rest is as without it', () => {
  const glm = fitGlmLeavingOut(full, counts, { family: 'poisson' });
  const expected = fitGlm(lean, counts, { family: 'poisson' });
  expect(glm.names).toEqual(full.names);
  expect(glm.terms.map(({ name }) => name)).toEqual(['intercept', ...full.names]);
  const of = (name: string) => glm.terms.find((term) => term.name === name)!;
  for (const name of ['one', 'children_in_dozens', 'family']) {
    expect(of(name)).toEqual({ name, coefficient: 0, standardError: NaN });
  }
  for (const term of expected.terms) expect(of(term.name)).toEqual(term);
  expect(predictGlm(glm, full)).toEqual(predictGlm(expected, lean));
});

test('nearly equal features are both kept', () => {
  const near = matrixOf({ children, noisy: children.map((n) => n + stream.normal(0, 0.01)) });
  const glm = fitGlmLeavingOut(near, counts, { family: 'poisson' });
  expect(glm.terms.every(({ standardError }) => standardError > 0)).toBe(true);
});
