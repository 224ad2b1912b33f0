import { describe, expect, test } from 'vitest';
import { evaluateGates, type GateEvidence, gateSummary } from '../../src/governance/gates.ts';
import { checkPredictions } from '../../src/governance/integrity.ts';
import type { Declaration } from '../../src/usecase/declaration.ts';

const declared: Declaration['gates'] = {
  r2: { min: 0.8 },
  mae: { max: 3000 },
  high_cost_accuracy: { min: 0.75 },
  beatsChampion: { metric: 'mae', confidence: 0.95, minimumEffect: 25 },
};

const estimate = (value: number, half: number) => ({ value, low: value - half, high: value + half });

const sound: GateEvidence = {
  metrics: {
    r2: estimate(0.83, 0.02),
    mae: estimate(1500, 80),
    high_cost_accuracy: estimate(0.97, 0.01),
    skill_over_constant: estimate(0.55, 0.03),
  },
  constantMetrics: { r2: 0, mae: 3300, high_cost_accuracy: 0.955 },
  testRows: 1000,
  outcomes: 0,
  leakage: [],
  integrity: {
    digestFaults: [],
    unreadable: null,
    features: { expected: ['age', 'bmi'], found: ['age', 'bmi'] },
    predictions: checkPredictions(Float64Array.of(900, 4000, 21_000)),
  },
  lineage: {
    runId: 'run-a',
    algorithm: 'random-forest',
    parameters: { trees: 100 },
    seed: 42,
    features: ['age', 'bmi'],
    contractVersions: { patients: '1.0.0' },
    dataVersion: 1,
    trainDigest: 'a'.repeat(64),
    testDigest: 'b'.repeat(64),
    trainRows: 4000,
    testRows: 1000,
    codeCommit: 'c0ffee',
  },
  fairness: [],
  quantisation: [],
  shadow: [],
  championChecks: [],
};

const failing = (evidence: GateEvidence) =>
  evaluateGates(declared, evidence)
    .filter(({ passed }) => !passed)
    .map(({ name }) => name);

test('a sound model passes every gate, and every gate says what it found', () => {
  const gates = evaluateGates(declared, sound);
  expect(gates.filter(({ passed }) => !passed)).toEqual([]);
  expect(gateSummary(gates)).toBe(`All ${gates.length} gates passed.`);
  const r2 = gates.find(({ name }) => name === 'r2')?.evidence;
  expect(r2).toEqual({
    value: 0.83,
    low: 0.83 - 0.02,
    high: 0.83 + 0.02,
    limit: 0.8,
    requirement: 'R² ≥ 0.8',
    text: 'R² is 0.83 (0.81 to 0.85) on 1,000 rows, a constant has 0.',
    constantPasses: false,
  });
});

describe('a bad model is stopped by the gate that names its fault', () => {
  const { integrity, metrics } = sound;
  const withPredictions = (...values: number[]) => ({
    ...sound,
    integrity: { ...integrity, predictions: checkPredictions(Float64Array.from(values)) },
  });
  const fault = { file: 'model.txt', expected: 'aa', found: 'bb' };
  const leak = {
    check: 'label-derived',
    feature: 'health_risk',
    message: 'health_risk is computed from the label: remove it.',
    evidence: {},
  } as const;

  test.each<[string, string, GateEvidence]>([
    ['not-a-number predictions', 'finitePredictions', withPredictions(1, NaN, 3)],
    ['no predictions at all', 'finitePredictions', withPredictions()],
    ['one prediction for everybody', 'predictionsVary', withPredictions(5, 5, 5)],
    ['another digest', 'artefactDigest', { ...sound, integrity: { ...integrity, digestFaults: [fault] } }],
    [
      'a truncated model',
      'artefactReadable',
      { ...sound, integrity: { ...integrity, unreadable: 'Tree 7 ends early.' } },
    ],
    [
      'features in another order',
      'featureOrder',
      { ...sound, integrity: { ...integrity, features: { expected: ['age', 'bmi'], found: ['bmi', 'age'] } } },
    ],
    [
      'a feature too few',
      'featureOrder',
      { ...sound, integrity: { ...integrity, features: { expected: ['age', 'bmi'], found: ['age'] } } },
    ],
    ['a leaked label', 'noLeakage', { ...sound, leakage: [leak] }],
    ['an unknown commit', 'lineageComplete', { ...sound, lineage: { ...sound.lineage, codeCommit: '' } }],
    ['too low an R²', 'r2', { ...sound, metrics: { ...metrics, r2: estimate(0.79, 0.02) } }],
    ['a metric that was not measured', 'mae', { ...sound, metrics: { ...metrics, mae: undefined } }],
    ['a metric that is not a number', 'mae', { ...sound, metrics: { ...metrics, mae: estimate(NaN, 0) } }],
    [
      'skill that may be chance',
      'betterThanConstant',
      { ...sound, metrics: { ...metrics, skill_over_constant: estimate(0.02, 0.03) } },
    ],
  ])('%s: %s', (_, gate, evidence) => {
    expect(failing(evidence)).toContain(gate);
    expect(gateSummary(evaluateGates(declared, evidence))).toContain(`${gate}: `);
  });

  test('a constant predictor does not pass, though it passes the gate on high-cost accuracy', () => {
    const evidence: GateEvidence = {
      ...withPredictions(5, 5, 5),
      metrics: {
        r2: estimate(0, 0),
        mae: estimate(3300, 90),
        high_cost_accuracy: estimate(0.955, 0.01),
        skill_over_constant: estimate(0, 0),
      },
    };
    expect(failing(evidence)).toEqual(['predictionsVary', 'betterThanConstant', 'r2', 'mae']);
  });
});

test('a gate that a constant passes says so', () => {
  const gates = evaluateGates(declared, sound);
  const vacuous = gates.filter(({ evidence }) => evidence.constantPasses).map(({ name }) => name);
  expect(vacuous).toEqual(['high_cost_accuracy']);
});

test('a limit inside the interval is said to be undecided', () => {
  const gates = evaluateGates(declared, { ...sound, metrics: { ...sound.metrics, r2: estimate(0.81, 0.02) } });
  expect(gates.find(({ name }) => name === 'r2')?.evidence.text).toContain('The limit lies inside the interval.');
});

describe('a gate on outcomes', () => {
  const asked: Declaration['gates'] = { ...declared, concordance_over_rules: { min: 0 } };
  const gateOf = (evidence: GateEvidence) =>
    evaluateGates(asked, evidence).find(({ name }) => name === 'concordance_over_rules');
  const found = (value: number): GateEvidence => ({
    ...sound,
    outcomes: 700,
    metrics: { ...sound.metrics, concordance_over_rules: estimate(value, 0.02) },
  });

  test('is not there as long as nobody knows what came of offers', () => {
    expect(gateOf(sound)).toBeUndefined();
  });

  test('closes to a model that orders worse than the rules, and says on how many outcomes', () => {
    expect(gateOf(found(0.05))).toMatchObject({ passed: true });
    const { passed, evidence } = gateOf(found(-0.05))!;
    expect(passed).toBe(false);
    expect(evidence.text).toContain('on 700 outcomes');
  });

  test('fails where outcomes are known and the metric is missing', () => {
    expect(gateOf({ ...sound, outcomes: 700 })).toMatchObject({ passed: false });
  });
});
