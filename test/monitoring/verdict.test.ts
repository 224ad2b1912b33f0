import { describe, expect, test } from 'vitest';
import { monitor, type MonitoringInput } from '../../src/monitoring/monitor.ts';
import type { Verdict } from '../../src/monitoring/verdict.ts';
import { lookAt, policy, type World } from './portfolio.ts';

const verdictOf = (seed: string, world: World, options?: { matured?: number }): Verdict =>
  monitor(lookAt(seed, world, options), policy, true).verdict;
const kindsOf = ({ findings }: Verdict) => findings.map(({ kind }) => kind);

describe('one verdict', () => {
  test('stable: nothing is done, and what could have been overlooked is said', () => {
    const verdict = verdictOf('stable', { rows: 500 });
    expect(verdict).toMatchObject({
      kind: 'stable',
      severity: 'NONE',
      action: 'NOTHING',
      retrain: false,
      features: [],
    });
    expect(verdict.reason).toMatch(/a mean that had moved by 0\.\d+ standard deviations would have been noticed/);
  });

  test('population shift with unknown truth: a retrain is requested, with the shift as the reason', () => {
    const verdict = verdictOf('older', { rows: 600, older: 12 }, { matured: 0 });
    expect(verdict).toMatchObject({ kind: 'population-shift', action: 'REFIT', retrain: true, driftDetected: true });
    expect(verdict.features).toEqual(['age']);
    expect(verdict.reason).toMatch(/age is up by [\d.]+ years/);
    expect(verdict.reason).toContain('how well the model does is not known');
    expect(verdict.balanceFactor).toBeNull();
  });

  test('population shift that the model copes with: reported, and nothing is retrained', () => {
    // an error in proportion to the cost would rise with age, so the noise is made smaller by as much
    const verdict = verdictOf('older', { rows: 600, older: 12, noise: 0.18 });
    expect(verdict).toMatchObject({ kind: 'population-shift', action: 'NOTHING', retrain: false, driftDetected: true });
    expect(verdict.reason).toContain('The model copes with it so far.');
  });

  test('inflation alone: the level is wrong and the ranking is right, so the model is recalibrated', () => {
    const verdict = verdictOf('inflation', { rows: 800, inflation: 1.2 });
    expect(verdict).toMatchObject({
      kind: 'concept-drift',
      action: 'RECALIBRATE',
      retrain: false,
      driftDetected: true,
    });
    expect(Math.abs((verdict.balanceFactor ?? NaN) - 1.2)).toBeLessThan(0.03);
    expect(kindsOf(verdict)).toContain('imbalance');
  });

  test('inflation and an older population: refit', () => {
    const verdict = verdictOf('second month', { rows: 800, inflation: 1.15, older: 10 });
    expect(verdict).toMatchObject({ kind: 'concept-drift', action: 'REFIT', retrain: true, driftDetected: true });
    expect(verdict.features).toEqual(['age']);
  });

  test('costs that the features explain less than before: refit, critical beyond one and a half times the limit', () => {
    const verdict = verdictOf('noisier', { rows: 800, noise: 0.6 });
    expect(verdict).toMatchObject({ kind: 'concept-drift', action: 'REFIT', retrain: true });
    expect(kindsOf(verdict)).toContain('performance-worse');
    expect(verdictOf('much noisier', { rows: 800, noise: 1 }).severity).toBe('CRITICAL');
  });

  test('predictions that move without any input: the scoring is suspected, nothing is retrained', () => {
    const verdict = verdictOf('scoring', { rows: 500, predictionFactor: 1.4 }, { matured: 0 });
    expect(verdict).toMatchObject({ kind: 'prediction-drift', action: 'NOTHING', retrain: false, severity: 'HIGH' });
    expect(verdict.reason).toContain('no input explains it');
  });

  test('too few predictions: nothing is said about drift', () => {
    const verdict = verdictOf('few', { rows: 20, older: 30, inflation: 3 });
    expect(verdict).toMatchObject({
      kind: 'insufficient-data',
      severity: 'MEDIUM',
      retrain: false,
      driftDetected: false,
    });
  });

  test('a use case that does not retrain on drift is told to do it by hand', () => {
    const { verdict } = monitor(lookAt('older', { rows: 600, older: 12 }, { matured: 0 }), policy, false);
    expect(verdict).toMatchObject({ action: 'REFIT', retrain: false });
    expect(verdict.reason).toContain('start it by hand');
  });
});

describe('bad data are not learnt from', () => {
  const badly = (input: MonitoringInput) => monitor(input, policy, true).verdict;
  const bad = { kind: 'bad-data', action: 'NOTHING', retrain: false, driftDetected: false, features: [] };

  test.each([
    ['in tens', 10, '10 times'],
    ['in tenths', 0.1, '0.1 times'],
    ['pounds for kilograms', 2.20462, '2.205 times'],
  ])('a column whose unit has changed: %s', (_, bmiUnit, text) => {
    const verdict = badly(lookAt('unit', { rows: 500, bmiUnit }));
    expect(verdict).toMatchObject(bad);
    expect(verdict.severity).toBe('CRITICAL');
    expect(verdict.reason).toContain(`bmi looks ${text} as large`);
  });

  test('a shift that no unit explains is no unit change', () => {
    expect(badly(lookAt('heavier', { rows: 500, bmiUnit: 1.5 }, { matured: 0 })).kind).toBe('population-shift');
  });

  test('values that have gone missing', () => {
    const verdict = badly(lookAt('missing', { rows: 300, missingBmi: 0.3 }));
    expect(verdict).toMatchObject(bad);
    expect(verdict.reason).toMatch(/bmi is missing in \d\d\.\d % of the rows, in the reference in 0\.0 %/);
  });

  test('a column that has lost all its values', () => {
    expect(badly(lookAt('lost', { rows: 300, missingBmi: 1 }))).toMatchObject(bad);
  });

  test('rows in quarantine', () => {
    const input = lookAt('quarantine', { rows: 300, older: 12 });
    const verdict = badly({ ...input, delivery: { acceptedRows: 300, quarantinedRows: 60 } });
    expect(verdict).toMatchObject(bad);
    expect(verdict.reason).toContain('60 rows, 16.7 % of those delivered');
  });
});

describe('over many looks without any drift', () => {
  test('an alarm is raised in less than one of twenty, a retrain requested in less than one of a hundred', () => {
    const verdicts = Array.from({ length: 300 }, (_, month) =>
      verdictOf(`month ${month}`, { rows: 120 }, { matured: 0 }),
    );
    expect(verdicts.filter(({ driftDetected }) => driftDetected).length / 300).toBeLessThan(0.05);
    expect(verdicts.filter(({ retrain }) => retrain).length / 300).toBeLessThan(0.01);
  });
});

test('every finding says what it means and what to do', () => {
  const { findings } = verdictOf('everything', { rows: 800, inflation: 1.6, older: 15, noise: 0.9 });
  expect(new Set(findings.map(({ kind }) => kind)).size).toBeGreaterThan(4);
  for (const { text, impact, action } of findings) {
    for (const sentence of [text, impact, action]) expect(sentence).toMatch(/^\S.*\.$/);
  }
});

test('the result survives JSON, with null where there is no number', () => {
  const result = monitor(lookAt('json', { rows: 300, missingBmi: 1 }), policy, true);
  const back = JSON.parse(JSON.stringify(result));
  expect(back.verdict).toEqual(result.verdict);
  expect(back.drift.columns.find(({ name }: { name: string }) => name === 'bmi').psi).toBeNull();
});
