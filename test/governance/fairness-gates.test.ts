import { expect, test } from 'vitest';
import { fairnessGates } from '../../src/governance/fairness-gates.ts';
import { assessFairness } from '../../src/ml/fairness/assess.ts';

/** Two groups of 100: of the first 60 are selected, of the second 30, and all rightly. */
const rows = 200;
const selected = Float64Array.from({ length: rows }, (_, row) => ((row < 100 ? row < 60 : row < 130) ? 1 : 0));
const assessed = assessFairness('binary', 0.5, {
  actual: selected,
  predicted: selected,
  sensitive: { feature: 'sex', values: Array.from({ length: rows }, (_, row) => (row < 100 ? 'F' : 'M')) },
  seed: 1,
});

const declared = { over: ['sex'], minGroupRows: 30 };

test('nothing is asked where no limit is declared', () => {
  expect(fairnessGates({}, [])).toEqual([]);
  expect(fairnessGates({ fairness: declared }, [assessed])).toEqual([]);
});

test.each([
  ['selectionRatio', { min: 0.5 }, true, 0.5],
  ['selectionRatio', { min: 0.8 }, false, 0.5],
  ['selectionDifference', { max: 0.3 }, true, 0.3],
  ['selectionDifference', { max: 0.1 }, false, 0.3],
  ['oddsDifference', { max: 0.1 }, true, 0],
  // the means .6 and .3: their deviation .15 over .45
  ['groupMeanVariation', { max: 0.15 }, false, 1 / 3],
] as const)('%s %o', (limit, bound, passed, value) => {
  const [gate] = fairnessGates({ fairness: { ...declared, [limit]: bound } }, [assessed]);
  expect(gate.name).toBe(`${limit}_sex`);
  expect(gate.passed).toBe(passed);
  expect(gate.evidence.value).toBeCloseTo(value, 12);
  expect(gate.evidence.constantPasses).toBe(true);
});

test('a limit whose groups are too small to be measured is not passed', () => {
  const [gate] = fairnessGates({ fairness: { ...declared, selectionRatio: { min: 0.8 } } }, []);
  expect(gate).toMatchObject({ passed: false, evidence: { value: null } });
  expect(gate.evidence.text).toContain('was not measured');
});
