import { defineUseCase } from '../../src/usecase/declaration.ts';

export default defineUseCase({
  id: 'insurance-cost',
  question: 'What will the medical care of this policyholder cost in a year?',
  card: {
    intendedUse:
      'Planning budgets and reserves, and choosing which policies a person reviews, by the expected yearly charges.',
    limits: [
      'Not for accepting, refusing or pricing a person: it has not been tested for that.',
      'Charges are billed amounts of one country and year; other markets and benefits need their own training.',
      'Adults of 18 to 100 only; a body-mass index outside 10 to 60 is quarantined and never predicted.',
    ],
  },
  entity: { key: 'customer_id', eventTime: 'recorded_at' },
  sources: { policies: 'policies.odcs.yaml' },
  profiles: {
    policies: {
      boxPlot: { value: 'charges', by: ['region', 'smoker'] },
      groups: { high_risk: 'smoker AND bmi > 30 AND age > 50' },
    },
  },

  features: {
    numeric: [
      'age',
      'bmi',
      'children',
      'age_risk_score',
      'smoking_impact',
      'family_size_factor',
      'regional_multiplier',
      'health_risk_composite',
    ],
    categorical: ['sex', 'region'],
    carried: ['smoker', 'age_group', 'bmi_category'],
  },
  label: { column: 'charges', unit: 'USD', maturity: 'P0D', highQuantile: 0.95 },

  models: [
    {
      kind: 'random-forest',
      parameters: { trees: 100, maxDepth: 10, minSplitSamples: 5, minChildSamples: 2, seed: 42 },
      search: {
        space: {
          maxDepth: { integer: [4, 10] },
          minChildSamples: { integer: [2, 20] },
          featureFraction: { uniform: [0.3, 0.9] },
        },
        trials: 4,
        folds: 5,
        metric: 'mae',
        seed: 42,
      },
    },
    {
      kind: 'gradient-boosting',
      parameters: { iterations: 100, learningRate: 0.1, maxDepth: 6, seed: 42 },
      search: {
        space: {
          learningRate: { logUniform: [0.03, 0.15] },
          maxDepth: { integer: [2, 6] },
          minChildSamples: { integer: [5, 40] },
          featureFraction: { uniform: [0.5, 1] },
        },
        trials: 8,
        folds: 5,
        metric: 'mae',
        seed: 42,
      },
    },
  ],
  ratingTable: ['smoker', 'age_group'],
  split: { test: 0.2, seed: 42, window: 'P30D' },

  gates: {
    r2: { min: 0.8 },
    mae: { max: 3000 },
    // nineteen in twenty policies are not high-cost, so a constant passes this one: the next three are what it cannot pass
    high_cost_accuracy: { min: 0.75 },
    high_cost_recall: { min: 0.5 },
    high_cost_precision: { min: 0.5 },
    skill_over_constant: { min: 0.4 },
    beatsChampion: { metric: 'mae', confidence: 0.95, minimumEffect: 25 },
  },

  score: {
    at: '0 2 * * *',
    timeZone: 'UTC',
    floor: 500,
    bands: [
      { name: 'low', below: 2000 },
      { name: 'medium', below: 8000 },
      { name: 'high', below: 20000 },
      { name: 'very_high' },
    ],
    interval: { coverage: 0.9 },
    flags: {
      high_risk_patient: "adjusted_prediction > 15000 OR category = 'very_high'",
      requires_review: 'adjusted_prediction > 25000 OR (smoker AND adjusted_prediction > 10000)',
    },
  },
  retrain: { at: '0 0 1 * *', timeZone: 'UTC', onDrift: true },

  monitor: {
    window: 'P30D',
    minVolume: 50,
    performance: { mae: { max: 2500 }, r2: { min: 0.75 } },
    drift: {
      psi: { warn: 0.1, alert: 0.25 },
      falseDiscoveryRate: 0.05,
      prediction: { relative: 0.2, z: 2 },
      demographic: { columns: ['smoker', 'age', 'bmi', 'children', 'sex', 'region'], alert: 0.1 },
      composite: { columns: ['smoker', 'age'], warn: 0.2, alert: 0.3 },
    },
    slices: ['region', 'age_group', 'smoker', 'bmi_category'],
  },
});
