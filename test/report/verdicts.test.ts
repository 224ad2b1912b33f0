import { describe, expect, test } from 'vitest';
import { predictionsHeadline } from '../../src/report/charts/band-bars.ts';
import { calibrationHeadline, groupName } from '../../src/report/charts/calibration-curve.ts';
import { driftHeadline } from '../../src/report/charts/drift-dots.ts';
import { lift } from '../../src/report/charts/lift.ts';
import { modelsHeadline } from '../../src/report/charts/model-comparison.ts';
import { pairedImprovements } from '../../src/report/charts/paired-improvements.ts';
import { qualityHeadline } from '../../src/report/charts/reconciliation.ts';
import { residualFan } from '../../src/report/charts/residual-fan.ts';
import { runHeadline } from '../../src/report/charts/run-graph.ts';
import { metricsHeadline } from '../../src/report/charts/test-metrics.ts';
import { waterfall } from '../../src/report/charts/waterfall.ts';
import type { CalibrationGroup, RunFacts } from '../../src/report/facts.ts';
import { verdict } from '../../src/report/verdict.ts';
import { sampleFacts } from './sample-facts.ts';

const facts = sampleFacts();
const usd = { name: 'charges', unit: 'USD' };
const plain = (text: string) => text.replace(/[\u202f\u00a0]/g, ' ');

describe('the one verdict on a run', () => {
  const { run, target } = facts;
  const failedGate = facts.gates!.map((gate, g) => ({ ...gate, passed: g !== 0 }));
  const refused = { ...facts.promotion!, decision: 'refused' as const, reason: 'R² is below 0.80.' };
  const crashed = facts.machines!.map((machine) =>
    machine.name === 'train'
      ? { ...machine, states: [{ name: 'Train', status: 'failed' as const, error: 'States.Timeout' }] }
      : machine,
  );
  const lost = { ...facts.quality!, droppedRows: 5012 };

  test.each<[string, Partial<RunFacts>, string, string]>([
    ['a failed state', { ...facts, machines: crashed }, 'failed', 'Train (train) failed with States.Timeout'],
    ['lost rows', { ...facts, quality: lost }, 'failed', '12 rows of the drop cannot be accounted for'],
    [
      'a gate',
      { ...facts, gates: failedGate, promotion: refused },
      'failed',
      'v4 (gradient boosting) refused: v3 stays champion',
    ],
    ['a refusal', { ...facts, promotion: refused }, 'warned', 'v4 (gradient boosting) refused: v3 stays champion'],
    ['a promotion', facts, 'passed', 'v4 (gradient boosting) promoted: it replaces v3 (random forest) as champion'],
    [
      'drift',
      { drift: facts.drift, predictions: facts.predictions },
      'failed',
      '2 of 5 features drifted (age ↑ and smoker ↑)',
    ],
    [
      'predictions',
      { target, predictions: facts.predictions, quality: facts.quality },
      'passed',
      '4,912 predictions published with v4, $6,344 charges on average; intervals cover 89.4 % of actuals, 90 % promised',
    ],
    ['gates alone', { gates: facts.gates }, 'passed', 'All 6 gates passed'],
    [
      'data',
      { quality: facts.quality, machines: facts.machines },
      'passed',
      '98.2 % of 5,000 rows accepted, 73 quarantined, 15 rejected, none lost',
    ],
    [
      'states',
      { machines: facts.machines },
      'passed',
      '17 states of 5 machines succeeded in 20 s, 48 % of it in TuneCandidates',
    ],
  ])('%s decides before what comes after it', (_, parts, status, sentence) => {
    const { status: found, sentence: said } = verdict({ ...parts, run });
    expect([found, plain(said)]).toEqual([status, sentence]);
  });
});

describe('calibration', () => {
  const group = (meanPredicted: number, value: number, reach: number): CalibrationGroup => ({
    rows: 100,
    meanPredicted,
    meanActual: { value, low: value - reach, high: value + reach },
  });
  const even = Array.from({ length: 9 }, (_, g) => group(1000 * (g + 1), 1000 * (g + 1), 100));

  test('a gap beyond chance is named with its size, side and place', () => {
    const groups = [...even, group(9700, 10_000, 180)];
    expect(plain(calibrationHeadline({ groups }).sentence)).toBe(
      'Predictions run 3.0 % below actuals in the top tenth',
    );
    expect(calibrationHeadline({ groups }).status).toBe('warned');
  });

  test('a gap that one of ten groups has by chance is no alarm', () => {
    // just outside its own 95 % interval, inside the one for ten looks
    const groups = [...even, group(9700, 10_000, 260)];
    expect(plain(calibrationHeadline({ groups }).sentence)).toBe(
      'Predictions agree with actuals in every group; the largest gap, 3.0 % in the top tenth, is within chance',
    );
  });

  test('several gaps are counted, the widest is named', () => {
    const groups = [group(1500, 1000, 50), ...even.slice(1), group(9700, 10_000, 100)];
    expect(plain(calibrationHeadline({ groups }).sentence)).toBe(
      'Predictions run 50.0 % above actuals in the lowest tenth, and miss in 1 more of 10 groups',
    );
  });

  test('groups have names', () => {
    expect([0, 2, 9].map((g) => groupName(g, 10))).toEqual(['lowest tenth', 'third tenth', 'top tenth']);
    expect([groupName(0, 4), groupName(5, 7)]).toEqual(['lowest quarter', 'sixth group']);
  });

  test('lift compares the ends with the average and counts what is out of order', () => {
    const groups = [group(1, 50, 1), group(2, 40, 1), group(3, 110, 1), group(4, 200, 1)];
    expect(lift({ groups }, usd).title).toBe(
      'The top quarter by prediction has 2.0 times the average charges, the lowest quarter 0.5 times, out of order once',
    );
  });

  test('residuals say how far off half of all rows are', () => {
    const fan = (last: number) =>
      residualFan(
        {
          medianAbsolute: 620,
          groups: [1, last].map((spread) => ({
            rows: 50,
            p10: -2 * spread,
            p25: -spread,
            p50: 0,
            p75: spread,
            p90: 2 * spread,
          })),
        },
        usd,
      ).title;
    expect(fan(4)).toBe(
      'Half of all predictions are within $620 of the actual charges; the spread at the top is 4.0 times that at the bottom',
    );
    expect(fan(1)).toBe(
      'Half of all predictions are within $620 of the actual charges, about equally over the whole range',
    );
  });
});

describe('data', () => {
  const counts = { droppedRows: 10, acceptedRows: 10, quarantinedRows: 0, rejectedRows: 0, sources: [], rules: [] };

  test.each([
    [counts, 'passed', 'All 10 rows were accepted'],
    [{ ...counts, acceptedRows: 9, rejectedRows: 1 }, 'passed', '90.0 % of 10 rows accepted, 1 rejected, none lost'],
    [{ ...counts, acceptedRows: 9 }, 'failed', '1 row of the drop cannot be accounted for'],
    [{ ...counts, acceptedRows: 12 }, 'failed', '2 rows more than the drop held'],
    [
      { ...counts, acceptedRows: 0, rejectedRows: 10, halted: true },
      'failed',
      'The drop of 10 rows was halted: nothing entered silver',
    ],
  ])('%o', (quality, status, sentence) => {
    const { status: found, sentence: said } = qualityHeadline(quality);
    expect([found, plain(said)]).toEqual([status, sentence]);
  });
});

describe('runs', () => {
  test('a handled failure is told, and so is what still runs', () => {
    const state = { name: 'Tune', status: 'caught' as const, tookSeconds: 1 };
    expect(runHeadline([{ name: 'train', states: [state] }])).toEqual({
      status: 'warned',
      sentence: 'Tune failed and the machine recovered',
    });
    expect(runHeadline([{ name: 'train', states: [{ name: 'Tune', status: 'running' }] }])).toEqual({
      status: 'notice',
      sentence: 'Tune still running',
    });
  });

  test('the state that writes the page does not count as unfinished', () => {
    const states = [
      { name: 'Validate', status: 'succeeded' as const, tookSeconds: 3 },
      { name: 'Features', status: 'succeeded' as const, tookSeconds: 1 },
      { name: 'Report', status: 'running' as const },
    ];
    const { status, sentence } = runHeadline([{ name: 'ingest', states }]);
    expect([status, plain(sentence)]).toEqual([
      'passed',
      '2 states of 1 machine succeeded in 4.0 s, 75 % of it in Validate',
    ]);
  });
});

describe('models', () => {
  test('a rival outside the interval is only told its value', () => {
    const [best, second] = facts.models!.candidates;
    const far = { ...second, scores: [{ estimate: { value: 0.7, low: 0.68, high: 0.72 }, foldValues: [0.7] }] };
    expect(modelsHeadline({ ...facts.models!, candidates: [far, best] }).sentence).toBe(
      'Gradient boosting chosen: R² 0.842 (0.826 – 0.856) over 5 folds; Random forest reaches 0.700',
    );
  });

  test('a limit that is missed is named, whatever the other metrics say', () => {
    const metrics = facts.metrics!.metrics.map((metric) =>
      metric.name === 'MAE'
        ? { ...metric, estimate: { value: 3120, low: 3000, high: 3260 }, limit: { max: 3000, met: false } }
        : metric,
    );
    expect(metricsHeadline({ ...facts.metrics!, metrics })).toEqual({
      status: 'failed',
      sentence: 'MAE $3,120 misses ≤ $3,000',
    });
  });

  test('an improvement whose interval holds zero hardly changes anything', () => {
    const [mae] = facts.promotion!.improvements!;
    const flat = { ...mae, improvement: { value: 12, low: -40, high: 64 }, met: false };
    expect(pairedImprovements(facts.promotion!, [flat]).title).toBe(
      'v4 hardly changes MAE: +$12 (−$40 to $64) against v3; that is not enough',
    );
  });

  test('a typical case is told against everyone', () => {
    const example = {
      group: 'smoker',
      rows: 40,
      prediction: 9000,
      contributions: [
        { feature: 'smoker', value: 'yes', contribution: 4200 },
        { feature: 'age', contribution: -200 },
      ],
    };
    expect(waterfall(example, 5000, usd).title).toBe(
      'A typical smoker: $9,000 against $5,000 for everyone; smoker = yes adds $4,200',
    );
  });
});

describe('drift and predictions', () => {
  test('many drifted features are named three by three, strongest first', () => {
    const features = [0.3, 0.9, 0.5, 0.4].map((psi, i) => ({ ...facts.drift!.features[0], name: `f${i}`, psi }));
    expect(driftHeadline({ ...facts.drift!, features }).sentence).toBe(
      '4 of 4 features drifted (f1 ↑, f2 ↑, f3 ↑ and 1 more)',
    );
  });

  test('intervals that surely cover too little are a warning', () => {
    const intervals = { nominalCoverage: 0.9, measuredCoverage: { value: 0.81, low: 0.78, high: 0.84 } };
    expect(predictionsHeadline({ ...facts.predictions!, intervals }, usd).status).toBe('warned');
  });
});
