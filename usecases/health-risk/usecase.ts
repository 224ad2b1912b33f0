import { defineUseCase } from '../../src/usecase/declaration.ts';

export default defineUseCase({
  id: 'health-risk',
  question: 'How many risk points will this patient have when the year is over?',
  card: {
    intendedUse: 'Choosing which patients a care programme talks to first, before the year and its charges are over.',
    limits: [
      'Not for accepting, refusing or pricing a person, and no clinical finding: it has not been tested for either.',
      'The points are the upstream formula; what the model adds is an expectation of the part that depends on charges.',
      'Ages, body-mass indices and families are known by class only; two patients of one class look alike.',
    ],
  },
  entity: { key: 'patient_natural_key', eventTime: 'effective_from' },
  sources: { patients: 'patients.odcs.yaml' },
  profiles: {
    patients: {
      boxPlot: { value: 'health_risk_score', by: ['region', 'smoker'] },
      groups: { high_risk: 'smoker AND bmi > 30 AND age > 50', current: 'is_current_record' },
    },
  },

  features: {
    numeric: ['age_risk_score', 'smoking_impact', 'family_size_factor', 'regional_multiplier', 'health_risk_composite'],
    categorical: ['bmi_category', 'sex', 'region'],
    carried: ['smoker', 'age', 'bmi', 'children', 'age_group'],
  },
  label: { column: 'health_risk_score', unit: 'points', maturity: 'P0D', highQuantile: 0.95 },

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
        trials: 6,
        folds: 5,
        metric: 'mae',
        seed: 42,
      },
    },
  ],
  ratingTable: ['smoker', 'age_group'],
  split: { test: 0.2, seed: 42 },

  gates: {
    r2: { min: 0.7 },
    // of an earlier system, which a constant passes with 11 points: the skills are what it cannot pass
    mae: { max: 15 },
    high_cost_accuracy: { min: 0.6 },
    high_cost_recall: { min: 0.4 },
    skill_over_constant: { min: 0.5 },
    skill_over_rules: { min: 0.2 },
    beatsChampion: { metric: 'mae', confidence: 0.95, minimumEffect: 0.05 },
  },

  fairness: { over: ['sex', 'region'], groupMeanVariation: { max: 0.15 } },

  score: {
    at: '0 2 * * *',
    timeZone: 'UTC',
    floor: 10,
    // the upstream system's own classes; the scale ends at 75, so that every one of them can be reached
    bands: [
      { name: 'low', below: 20 },
      { name: 'medium', below: 40 },
      { name: 'high', below: 60 },
      { name: 'critical' },
    ],
    interval: { coverage: 0.9 },
    flags: {
      high_risk_patient: "adjusted_prediction > 50 OR category = 'critical'",
      requires_review: 'adjusted_prediction > 55 OR (smoker AND adjusted_prediction > 45)',
    },
  },
  retrain: { at: '0 0 1 * *', timeZone: 'UTC', onDrift: true },

  monitor: {
    window: 'P7D',
    minVolume: 50,
    performance: { mae: { max: 15 }, r2: { min: 0.7 } },
    drift: {
      psi: { warn: 0.1, alert: 0.25 },
      falseDiscoveryRate: 0.05,
      prediction: { relative: 0.2, z: 2 },
      demographic: { columns: ['smoker', 'age', 'bmi', 'children', 'sex', 'region'], alert: 0.1 },
      composite: { columns: ['smoker', 'age'], warn: 0.2, alert: 0.3 },
    },
    slices: ['region', 'age_group', 'smoker', 'bmi_category', 'sex'],
  },
});
