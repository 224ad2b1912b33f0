import { defineUseCase } from '../../../../src/usecase/declaration.ts';

/** The smallest use case that goes the whole way: one source, an identifier, two features, a handful of trees. */
export default defineUseCase({
  id: 'policy-cost',
  question: 'What will this policy cost?',
  card: { intendedUse: 'To be simulated.', limits: ['No data of anybody.'] },
  entity: { key: 'member_no', eventTime: 'recorded_at' },
  sources: { policies: 'policies.odcs.yaml' },
  features: { numeric: ['units', 'factor'], buckets: 2 },
  label: { column: 'charges', unit: 'USD', maturity: 'P0D' },
  models: [
    {
      kind: 'gradient-boosting',
      parameters: { iterations: 4, learningRate: 0.3, maxDepth: 3, minChildSamples: 5, seed: 1 },
      search: {
        space: { maxDepth: { integer: [2, 3] } },
        trials: 1,
        folds: 2,
        metric: 'mae',
        seed: 1,
      },
    },
  ],
  split: { test: 0.25, seed: 1 },
  gates: { beatsChampion: { metric: 'mae', confidence: 0.9, minimumEffect: 0 } },
  score: {
    at: '0 2 * * *',
    bands: [{ name: 'low', below: 3000 }, { name: 'high' }],
    interval: { coverage: 0.9 },
  },
  retrain: { at: '0 0 1 * *', onDrift: false },
  monitor: {
    window: 'P30D',
    minVolume: 1,
    performance: {},
    drift: {
      psi: { warn: 0.1, alert: 0.25 },
      falseDiscoveryRate: 0.05,
      prediction: { relative: 0.5, z: 3 },
      demographic: { columns: ['units'], alert: 0.5 },
      composite: { columns: ['units'], warn: 0.5, alert: 0.9 },
    },
  },
});
