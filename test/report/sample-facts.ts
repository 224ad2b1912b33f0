import type { Matrix } from '../../src/ml/matrix.ts';
import { random } from '../../src/ml/random.ts';
import type { Random } from '../../src/ml/random.ts';
import type { FeatureDrift, RunFacts } from '../../src/report/facts.ts';
import { calibrationGroups, residualGroups } from '../../src/report/summaries/deciles.ts';
import { explain, typicalCase } from '../../src/report/summaries/explanation.ts';
import { histogram, levels, overlay, overlayLevels } from '../../src/report/summaries/histogram.ts';

/** Synthetic policies: `insurance-cost` in miniature, with the true effects in place of a model's. */
export type Sample = { matrix: Matrix; shap: Float64Array; predicted: Float64Array; actual: Float64Array };

const regions = ['northeast', 'northwest', 'southeast', 'southwest'];
const names = ['age', 'bmi', 'children', 'smoker', 'sex', 'region'];

/** `rows` policies of an age around `meanAge`; contributions add up to the prediction exactly, as SHAP values do. */
export function samplePolicies(seed: number, rows: number, meanAge = 45): Sample {
  const draw = random(seed);
  const values = new Float64Array(rows * names.length);
  const shap = new Float64Array(rows * (names.length + 1));
  const [predicted, actual] = [new Float64Array(rows), new Float64Array(rows)];
  const base = 5100;
  for (let row = 0; row < rows; row++) {
    const policy = drawPolicy(draw, meanAge);
    policy.forEach((value, c) => (values[c * rows + row] = value));
    const [age, bmi, children, smoker, sex, region] = policy;
    const logs = [
      1.5 * Math.log(age / 43),
      Math.log(1 + Math.max(0, (bmi - 25) / 25)) - 0.13,
      Math.log(1 + 0.1 * children) - 0.1,
      smoker === 1 ? 0.8 : -0.13,
      sex === 1 ? 0.01 : -0.01,
      [0.02, 0, -0.01, -0.02][region],
    ];
    const total = logs.reduce((sum, log) => sum + log, 0);
    predicted[row] = base * Math.exp(total);
    // the logarithmic mean divides the difference among the effects without a remainder
    const slope = total === 0 ? base : (predicted[row] - base) / total;
    logs.forEach((log, c) => (shap[row * (names.length + 1) + c] = log * slope));
    shap[row * (names.length + 1) + names.length] = base;
    actual[row] = predicted[row] * Math.exp(draw.normal(0, 0.25)) * (predicted[row] > 11_000 ? 1.12 : 1);
  }
  return { matrix: { rows, columns: names.length, names, values, categorical: [5] }, shap, predicted, actual };
}

function drawPolicy(draw: Random, meanAge: number): number[] {
  const age = Math.round(Math.min(85, Math.max(18, draw.normal(meanAge, 15))));
  const bmi = Math.round(Math.min(50, Math.max(16, draw.normal(28, 6))) * 10) / 10;
  const smoker = draw.uniform() < 0.15 + 0.001 * (age - 30) ? 1 : 0;
  return [age, bmi, draw.poisson(1.2), smoker, draw.integer(2), draw.integer(4)];
}

const featureWords = {
  age: { unit: 'years' },
  bmi: { unit: 'kg/m²' },
  children: { unit: 'count' },
  smoker: { levels: ['no', 'yes'] },
  sex: { levels: ['female', 'male'] },
  region: { levels: regions },
};

/** A whole run with every part filled: trained, promoted over a champion, scored, and drifted in two features. */
export function sampleFacts(seed = 42): RunFacts {
  const test = samplePolicies(seed, 1000);
  const train = samplePolicies(seed + 1, 4000);
  const next = samplePolicies(seed + 2, 1200, 51);
  const column = ({ matrix }: Sample, name: string) =>
    matrix.values.subarray(matrix.names.indexOf(name) * matrix.rows, (matrix.names.indexOf(name) + 1) * matrix.rows);
  const smokers = [...column(train, 'smoker').keys()].filter(
    (row) => column(train, 'smoker')[row] === 1 && column(train, 'age')[row] > 50,
  );
  const young = [...column(train, 'age').keys()].filter((row) => column(train, 'age')[row] < 30);
  const byRegion = (sample: Sample) => {
    const counts: Record<string, number> = {};
    for (const code of column(sample, 'region')) counts[regions[code]] = (counts[regions[code]] ?? 0) + 1;
    return counts;
  };
  return {
    run: {
      id: '2026-03-01T02-00-00Z-7f3ac1',
      useCase: 'insurance-cost',
      question: 'What will this policyholder’s medical care cost in the coming year?',
      startedAt: '2026-03-01T02:00:04.311Z',
      tookSeconds: 21.6,
      environment: 'laptop',
    },
    target: { name: 'charges', unit: 'USD' },
    machines: [
      {
        name: 'ingest',
        startedBy: 'DatasetArrived',
        states: [
          { name: 'Validate', status: 'succeeded', tookSeconds: 1.42 },
          { name: 'Features', status: 'succeeded', tookSeconds: 0.61 },
          { name: 'Report', status: 'succeeded', tookSeconds: 0.08 },
        ],
      },
      {
        name: 'train',
        startedBy: 'FeaturesReady',
        states: [
          { name: 'Snapshot', status: 'succeeded', tookSeconds: 0.31 },
          { name: 'TuneCandidates', status: 'succeeded', tookSeconds: 9.84, items: 6 },
          { name: 'Train', status: 'succeeded', tookSeconds: 1.92, attempts: 2 },
          { name: 'Evaluate', status: 'succeeded', tookSeconds: 2.71 },
          { name: 'Report', status: 'succeeded', tookSeconds: 0.09 },
        ],
      },
      {
        name: 'govern',
        startedBy: 'ModelTrained',
        states: [
          { name: 'Govern', status: 'succeeded', tookSeconds: 0.92 },
          { name: 'Promote', status: 'succeeded', tookSeconds: 0.05 },
          { name: 'Report', status: 'succeeded', tookSeconds: 0.08 },
        ],
      },
      {
        name: 'score',
        startedBy: 'ModelPromoted',
        states: [
          { name: 'Pin', status: 'succeeded', tookSeconds: 0.02 },
          { name: 'ScorePartitions', status: 'succeeded', tookSeconds: 1.11, items: 4 },
          { name: 'Publish', status: 'succeeded', tookSeconds: 0.36 },
          { name: 'Report', status: 'succeeded', tookSeconds: 0.08 },
        ],
      },
      {
        name: 'monitor',
        startedBy: 'ScoresPublished',
        states: [
          { name: 'Monitor', status: 'succeeded', tookSeconds: 0.74 },
          { name: 'Report', status: 'succeeded', tookSeconds: 0.1 },
        ],
      },
    ],
    quality: {
      droppedRows: 5000,
      acceptedRows: 4912,
      quarantinedRows: 73,
      rejectedRows: 15,
      sources: [{ name: 'policies', contractVersion: '1.2.0', files: 1 }],
      rules: [
        {
          name: 'age_in_range',
          column: 'age',
          outcome: 'quarantine',
          rows: 31,
          description: 'Age lies between 18 and 100.',
        },
        {
          name: 'smoker_known',
          column: 'smoker',
          outcome: 'quarantine',
          rows: 24,
          description: 'Smoker is yes, no, true, false, 1 or 0.',
        },
        {
          name: 'charges_positive',
          column: 'charges',
          outcome: 'quarantine',
          rows: 20,
          description: 'Charges are above zero.',
        },
        {
          name: 'charges_plausible',
          column: 'charges',
          outcome: 'warn',
          rows: 3,
          description: 'Charges are below 100,000.',
        },
      ],
      columns: [
        {
          name: 'age',
          type: 'integer',
          unit: 'years',
          nullShare: 0,
          distinct: 68,
          p5: 21,
          median: 45,
          p95: 70,
          bins: histogram(column(train, 'age'), 'years'),
        },
        {
          name: 'bmi',
          type: 'number',
          unit: 'kg/m²',
          nullShare: 0.004,
          distinct: 322,
          p5: 18.1,
          median: 28,
          p95: 37.8,
          bins: histogram(column(train, 'bmi'), 'kg/m²'),
        },
        {
          name: 'children',
          type: 'integer',
          nullShare: 0,
          distinct: 8,
          p5: 0,
          median: 1,
          p95: 3,
          bins: histogram(column(train, 'children')),
        },
        { name: 'smoker', type: 'boolean', nullShare: 0, distinct: 2, bins: levels({ no: 3340, yes: 660 }) },
        { name: 'region', type: 'string', nullShare: 0.001, distinct: 4, bins: levels(byRegion(train)) },
        {
          name: 'charges',
          type: 'number',
          unit: 'USD',
          nullShare: 0,
          distinct: 4898,
          p5: 1421,
          median: 4903,
          p95: 16_421,
          bins: histogram(train.actual, 'USD'),
        },
      ],
    },
    models: {
      folds: 5,
      metrics: [
        { name: 'R²', unit: '', better: 'higher' },
        { name: 'MAE', unit: 'USD', better: 'lower' },
      ],
      candidates: [
        {
          name: 'Gradient boosting',
          kind: 'candidate',
          chosen: true,
          scores: [
            {
              estimate: { value: 0.8421, low: 0.8263, high: 0.8562 },
              foldValues: [0.8311, 0.8478, 0.8402, 0.8533, 0.8381],
            },
            { estimate: { value: 1289, low: 1241, high: 1338 }, foldValues: [1311, 1262, 1290, 1248, 1334] },
          ],
          parameters: { trees: 240, leaves: 15, learningRate: 0.05 },
          trainingSeconds: 0.74,
        },
        {
          name: 'Random forest',
          kind: 'candidate',
          scores: [
            {
              estimate: { value: 0.8334, low: 0.8172, high: 0.8479 },
              foldValues: [0.8221, 0.8401, 0.8312, 0.8441, 0.8295],
            },
            { estimate: { value: 1322, low: 1270, high: 1371 }, foldValues: [1350, 1295, 1320, 1281, 1364] },
          ],
          parameters: { trees: 100, depth: 10, minLeaf: 2 },
          trainingSeconds: 0.52,
        },
        {
          name: 'Gradient boosting, deep',
          kind: 'candidate',
          scores: [
            {
              estimate: { value: 0.8207, low: 0.8011, high: 0.8388 },
              foldValues: [0.8065, 0.8291, 0.8189, 0.8333, 0.8157],
            },
            { estimate: { value: 1377, low: 1318, high: 1431 }, foldValues: [1404, 1349, 1378, 1329, 1425] },
          ],
          parameters: { trees: 400, leaves: 63, learningRate: 0.1 },
          trainingSeconds: 2.31,
        },
        {
          name: 'Current rules',
          kind: 'baseline',
          scores: [
            { estimate: { value: 0.512, low: 0.478, high: 0.541 }, foldValues: [0.49, 0.52, 0.51, 0.54, 0.5] },
            { estimate: { value: 2410, low: 2333, high: 2489 }, foldValues: [2440, 2391, 2402, 2370, 2447] },
          ],
        },
        {
          name: 'Constant (mean)',
          kind: 'baseline',
          scores: [
            { estimate: { value: -0.001, low: -0.004, high: 0 }, foldValues: [-0.001, 0, -0.002, 0, -0.001] },
            { estimate: { value: 3842, low: 3735, high: 3951 }, foldValues: [3861, 3820, 3840, 3811, 3878] },
          ],
        },
      ],
    },
    metrics: {
      rows: 1000,
      set: 'frozen test set',
      metrics: [
        {
          name: 'R²',
          unit: '',
          better: 'higher',
          estimate: { value: 0.8388, low: 0.8124, high: 0.8611 },
          limit: { min: 0.8, met: true },
          baselines: [
            { name: 'constant', value: -0.001 },
            { name: 'current rules', value: 0.509 },
          ],
        },
        {
          name: 'MAE',
          unit: 'USD',
          better: 'lower',
          estimate: { value: 1302, low: 1214, high: 1397 },
          limit: { max: 3000, met: true },
          baselines: [
            { name: 'constant', value: 3871 },
            { name: 'current rules', value: 2433 },
          ],
        },
        {
          name: 'Recall at p95',
          unit: 'share',
          better: 'higher',
          estimate: { value: 0.68, low: 0.541, high: 0.804 },
          limit: { min: 0.5, met: true },
          baselines: [
            { name: 'constant', value: 0 },
            { name: 'current rules', value: 0.44 },
          ],
        },
        {
          name: 'Precision at p95',
          unit: 'share',
          better: 'higher',
          estimate: { value: 0.694, low: 0.556, high: 0.816 },
          baselines: [{ name: 'current rules', value: 0.41 }],
        },
        {
          name: 'Skill over constant',
          unit: 'share',
          better: 'higher',
          estimate: { value: 0.664, low: 0.642, high: 0.685 },
          limit: { min: 0.25, met: true },
        },
      ],
    },
    gates: [
      { name: 'R²', passed: true, requirement: 'R² ≥ 0.80', evidence: '0.839 (0.812 – 0.861) on 1,000 test rows' },
      {
        name: 'MAE',
        passed: true,
        requirement: 'MAE ≤ $3,000',
        evidence: '$1,302 ($1,214 – $1,397) on 1,000 test rows',
      },
      {
        name: 'High-cost accuracy',
        passed: true,
        requirement: '≥ 75 %',
        evidence: '96.7 % (95.5 % – 97.7 %)',
        constantPasses: true,
      },
      {
        name: 'Recall at the 95th percentile',
        passed: true,
        requirement: '≥ 50 %',
        evidence: '68.0 % (54.1 % – 80.4 %)',
      },
      {
        name: 'No leakage',
        passed: true,
        requirement: 'no feature derived from the label',
        evidence: '6 features checked; the strongest alone explains 41 %',
      },
      {
        name: 'Beats the champion',
        passed: true,
        requirement: 'MAE better by $50 or more',
        evidence: '$212 better ($150 – $274), paired on 1,000 rows',
      },
    ],
    calibration: {
      groups: calibrationGroups(test.actual, test.predicted),
      gini: { value: 0.391, low: 0.372, high: 0.41 },
    },
    residuals: residualGroups(test.actual, test.predicted),
    explanation: {
      ...explain(train.matrix, train.shap),
      cases: [
        typicalCase(train.matrix, train.shap, smokers, 'smoker over 50', featureWords),
        typicalCase(train.matrix, train.shap, young, 'person under 30', featureWords),
      ],
    },
    promotion: {
      version: '4',
      algorithm: 'gradient boosting',
      decision: 'promoted',
      reason:
        'MAE is better by $212, more than the $50 asked for, and neither calibration nor any group got worse beyond its margin.',
      champion: { version: '3', algorithm: 'random forest' },
      testRows: 1000,
      improvements: [
        {
          name: 'MAE',
          unit: 'USD',
          better: 'lower',
          champion: 1514,
          challenger: 1302,
          improvement: { value: 212, low: 150, high: 274 },
          required: 50,
          met: true,
        },
        {
          name: 'R²',
          unit: '',
          better: 'higher',
          champion: 0.8191,
          challenger: 0.8388,
          improvement: { value: 0.0197, low: 0.0081, high: 0.0322 },
          required: -0.02,
          met: true,
        },
        {
          name: 'Calibration error',
          unit: 'share',
          better: 'lower',
          champion: 0.021,
          challenger: 0.023,
          improvement: { value: -0.002, low: -0.011, high: 0.007 },
          required: -0.02,
          met: true,
        },
      ],
    },
    shadow: {
      version: '4',
      runs: 2,
      rows: 1_240,
      failures: 0,
      testRows: 980,
      overlay: [0.12, 0.2, 0.34, 0.52, 0.81].map((edge, i, edges) => ({
        label: i === 0 ? `up to ${edge}` : `${edges[i - 1]} – ${edge}`,
        ...(i > 0 && { from: edges[i - 1] }),
        to: edge,
        referenceShare: 0.2,
        analysisShare: [0.18, 0.23, 0.21, 0.2, 0.18][i],
      })),
      champion: {
        version: '3',
        rows: 1_180,
        meanDifference: 12.4,
        decisions: [
          { champion: 'low', shadow: 'low', rows: 800 },
          { champion: 'low', shadow: 'high', rows: 60 },
          { champion: 'high', shadow: 'high', rows: 320 },
        ],
      },
    },
    confusion: {
      decisions: ['reject', 'manual_review', 'approve'],
      review: 'manual_review',
      metrics: [
        { name: 'Precision', unit: '', better: 'higher' },
        { name: 'Recall', unit: '', better: 'higher' },
        { name: 'F1', unit: '', better: 'higher' },
        { name: 'ROC AUC', unit: '', better: 'higher' },
      ],
      periods: [
        ['2026-01', [40, 210, 180, 90, 600, 52], [0.92, 0.73, 0.81, 0.88]],
        ['2026-02', [61, 190, 170, 120, 540, 88], [0.86, 0.7, 0.77, 0.85]],
        ['2026-03', [5, 30, 12, 13, 60, 14], [0.81, 0.69, 0.75, NaN]],
        ['2026-04', [1, 2, 0, 0, 3, 0], [1, 0.75, 0.86, 1]],
      ].map(([period, counts, metrics]) => ({
        period: period as string,
        rows: (counts as number[]).reduce((sum, rows) => sum + rows, 0),
        cells: ['reject', 'manual_review', 'approve'].map((decision, d) => ({
          decision,
          happened: (counts as number[])[2 * d],
          notHappened: (counts as number[])[2 * d + 1],
        })),
        metrics: metrics as number[],
      })),
    },
    predictions: {
      rows: 4912,
      modelVersion: '4',
      mean: 6344,
      bands: [
        { name: 'low', rows: 521, to: 2000 },
        { name: 'medium', rows: 3088, from: 2000, to: 8000 },
        { name: 'high', rows: 1203, from: 8000, to: 20_000 },
        { name: 'very high', rows: 100, from: 20_000 },
      ],
      flags: [
        { name: 'high-risk patient', rows: 288, rule: 'prediction over $15,000 or very high' },
        { name: 'requires review', rows: 7, rule: 'over $25,000, or smoker over $10,000' },
      ],
      intervals: { nominalCoverage: 0.9, measuredCoverage: { value: 0.894, low: 0.873, high: 0.912 }, meanWidth: 4122 },
    },
    drift: {
      reference: { label: 'training snapshot 3', rows: 4000 },
      analysis: { label: 'March 2026', rows: 1200 },
      psiLimits: { warn: 0.1, alert: 0.25 },
      falseDiscoveryRate: 0.05,
      action: 'Retraining is requested: age is over its alert limit and holds 38 % of all movement.',
      prediction: {
        name: 'prediction',
        unit: 'USD',
        severity: 'warn',
        psi: 0.182,
        psiByChance: 0.0097,
        direction: 'up',
        effect: { name: 'mean', unit: 'USD', reference: 6344, analysis: 7590 },
        test: { name: 'KS', statistic: 0.171, p: 2e-12, adjustedP: 6e-12 },
        minimumDetectable: 390,
        overlay: overlay(train.predicted, next.predicted, 'USD'),
      },
      features: [
        numericDrift('age', 'years', 'alert', 0.311, 'up', column(train, 'age'), column(next, 'age'), 0.38),
        numericDrift('bmi', 'kg/m²', 'stable', 0.007, 'none', column(train, 'bmi'), column(next, 'bmi'), 0.17),
        numericDrift(
          'children',
          'children',
          'stable',
          0.004,
          'none',
          column(train, 'children'),
          column(next, 'children'),
          0.08,
        ),
        {
          name: 'smoker',
          severity: 'warn',
          psi: 0.113,
          psiByChance: 0.0011,
          direction: 'up',
          effect: { name: 'share of yes', unit: 'share', reference: 0.165, analysis: 0.214 },
          test: { name: 'χ²', statistic: 15.2, p: 0.0001, adjustedP: 0.0003 },
          minimumDetectable: 0.031,
          importanceShare: 0.34,
          overlay: overlayLevels({ no: 3340, yes: 660 }, { no: 943, yes: 257 }),
        },
        {
          name: 'region',
          severity: 'stable',
          psi: 0.006,
          psiByChance: 0.0033,
          direction: 'none',
          test: { name: 'χ²', statistic: 4.1, p: 0.25, adjustedP: 0.42 },
          importanceShare: 0.01,
          overlay: overlayLevels(byRegion(train), byRegion(next)),
        },
      ],
    },
    lineage: {
      dataTable: 'features/insurance-cost',
      dataVersion: 7,
      dataHash: 'sha256:9b1f0c66e1a8f7d2c1e5b0a4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0',
      contractVersions: { policies: '1.2.0' },
      featuresHash: 'sha256:11aa0c66e1a8f7d2c1e5b0a4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0',
      codeCommit: '27fbcd8c0ffee0000000000000000000000000aa',
      seed: 42,
      algorithm: 'gradient boosting',
      parameters: { trees: 240, leaves: 15, learningRate: 0.05, subsample: 0.8 },
      modelVersion: '4',
      modelDigest: 'sha256:77fe0c66e1a8f7d2c1e5b0a4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0',
    },
  };
}

function numericDrift(
  name: string,
  unit: string,
  severity: FeatureDrift['severity'],
  psi: number,
  direction: FeatureDrift['direction'],
  reference: Float64Array,
  analysis: Float64Array,
  importanceShare: number,
): FeatureDrift {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    name,
    unit,
    severity,
    psi,
    psiByChance: 0.0097,
    direction,
    effect: { name: 'mean', unit, reference: mean(reference), analysis: mean(analysis) },
    test: {
      name: 'KS',
      statistic: psi / 2,
      p: severity === 'stable' ? 0.41 : 1e-9,
      adjustedP: severity === 'stable' ? 0.51 : 5e-9,
    },
    minimumDetectable: 1.4,
    importanceShare,
    overlay: overlay(reference, analysis, unit),
  };
}

/** More of everything than a use case has: 96 features as in `offer-prioritization`, long tables, many states. */
export function largeFacts(): RunFacts {
  // its labels are amounts: there is no event to be confused about
  const { confusion: _, ...facts } = sampleFacts();
  const draw = random(7);
  const many = <Item>(count: number, make: (i: number) => Item) => Array.from({ length: count }, (_, i) => make(i));
  const wide = { rows: 20_000, columns: 96, names: many(96, (i) => `engagement_channel_rate_last_${i}_days`) };
  const shap = Float64Array.from({ length: wide.rows * 97 }, (_, i) =>
    i % 97 === 96 ? 40 : draw.normal() * (97 - (i % 97)),
  );
  const matrix: Matrix = { ...wide, values: Float64Array.from({ length: wide.rows * 96 }, () => draw.normal()) };
  const values = Float64Array.from({ length: 3000 }, () => draw.normal(50, 12));
  return {
    ...facts,
    machines: facts.machines!.map((machine) => ({
      ...machine,
      states: many(6, (i) => ({ ...machine.states[0], name: `State${i}` })),
    })),
    quality: {
      ...facts.quality!,
      rules: many(60, (i) => ({
        name: `rule_${i}_of_the_contract`,
        column: `column_${i}`,
        outcome: 'warn' as const,
        rows: i,
        description: 'A sentence that says at some length what the rule asks for.',
      })),
      columns: many(96, (i) => ({
        name: wide.names[i],
        type: 'number',
        unit: 'points',
        nullShare: 0.01,
        distinct: 812,
        p5: 1.2,
        median: 50.1,
        p95: 98.7,
        bins: histogram(values, 'points'),
      })),
    },
    models: {
      ...facts.models!,
      candidates: many(16, (i) => ({ ...facts.models!.candidates[0], name: `Candidate ${i}`, chosen: i === 0 })),
    },
    gates: many(40, (i) => ({ ...facts.gates![0], name: `Gate ${i}` })),
    explanation: {
      ...explain(matrix, shap),
      cases: [0, 1, 2].map((i) =>
        typicalCase(
          matrix,
          shap,
          many(50, (row) => row),
          `member ${i}`,
        ),
      ),
    },
    drift: { ...facts.drift!, features: many(96, (i) => ({ ...facts.drift!.features[0], name: wide.names[i] })) },
  };
}
