import { defineUseCase } from '../../src/usecase/declaration.ts';

export default defineUseCase({
  id: 'claim-propensity',
  question: 'Will this applicant have a claim?',
  card: {
    intendedUse:
      'Sorting new applications for the claims team: which to expect a claim of, and which a person looks at.',
    limits: [
      'Not for refusing or pricing a person: it has not been tested for that.',
      'Learnt from applicants who were insured; of those who were turned away no outcome is known.',
      'A claim here is one within the observed time, whatever its size.',
    ],
  },
  entity: { key: 'application_id', eventTime: 'received_at' },
  sources: { applications: 'applications.odcs.yaml' },
  profiles: {
    applications: {
      boxPlot: { value: 'credit_score_1', by: ['claim_status', 'gender'] },
      groups: { claimed: 'claim_status', claimed_before: 'previous_claim_rate >= 3' },
    },
  },

  features: {
    numeric: [
      'age',
      'height_cm',
      'weight_kg',
      'bmi',
      'income',
      'financial_hist_1',
      'financial_hist_2',
      'financial_hist_3',
      'financial_hist_4',
      'credit_score_1',
      'credit_score_2',
      'credit_score_3',
      'insurance_hist_1',
      'insurance_hist_2',
      'insurance_hist_3',
      'insurance_hist_4',
      'insurance_hist_5',
      'n_dependents',
    ],
    categorical: [
      'gender',
      'marital_status',
      'occupation',
      'location',
      'prev_claim_rejected',
      'known_health_conditions',
      'uk_residence',
      'family_history_1',
      'family_history_2',
      'family_history_3',
      'family_history_4',
      'family_history_5',
      'product_var_1',
      'product_var_2',
      'product_var_3',
      'product_var_4',
      'health_status',
      'driving_record',
      'previous_claim_rate',
      'education_level',
      'income_level',
      'employment_type',
    ],
    carried: ['age_band'],
    // family_history_3 (81 %) and employment_type (71 %) go by this rule, and 38 inputs stay
    maxMissingShare: 0.5,
  },
  label: { column: 'claim_status', task: 'binary', maturity: 'P30D' },

  models: [
    {
      kind: 'gradient-boosting',
      parameters: {
        objective: 'binary',
        iterations: 400,
        learningRate: 0.08,
        maxDepth: 5,
        // as many as the deepest tree of the search can have: the depth is the only limit
        numLeaves: 128,
        minChildSamples: 1,
        minChildWeight: 3,
        lambdaL2: 1,
        featureFraction: 0.42,
        baggingFraction: 0.88,
        earlyStoppingRounds: 15,
        seed: 101,
      },
      search: {
        space: {
          iterations: { integer: [50, 499] },
          learningRate: { uniform: [0.01, 0.76] },
          baggingFraction: { uniform: [0.25, 1] },
          maxDepth: { integer: [1, 7] },
          featureFraction: { uniform: [0.1, 0.85] },
          minChildWeight: { choice: [1, 3, 5, 7, 9] },
        },
        trials: 100,
        folds: 5,
        metric: 'roc_auc',
        seed: 101,
      },
    },
  ],
  split: { test: 0.2, validation: 0.2, seed: 7, stratify: true },

  gates: {
    roc_auc: { min: 0.95 },
    pr_auc: { min: 0.9 },
    log_loss: { max: 0.16 },
    calibration_error: { max: 0.03 },
    skill_over_constant: { min: 0.5 },
    beatsChampion: { metric: 'log_loss', confidence: 0.95, minimumEffect: 0.002 },
  },

  // before its first use a model scores a batch that nothing acts on
  shadow: { runs: 1, minimumRows: 200, prediction: { psi: 0.25 }, decisions: { differ: 0.15 } },

  // risks differ by age, and so do the decisions: age is followed as a slice and has no limit of its own
  fairness: { over: ['gender'], selectionRatio: { min: 0.8 }, oddsDifference: { max: 0.15 } },

  score: {
    at: '0 19 * * *',
    timeZone: 'Europe/London',
    decision: {
      negative: 'no_claim',
      review: 'review',
      positive: 'claim',
      // in pounds: a claim that nobody expected, somebody suspected of one, a person's quarter of an hour
      costs: { falsePositive: 60, falseNegative: 240, review: 15 },
    },
    calibration: 'platt',
    reasons: 3,
  },
  retrain: { at: '0 0 1 * *', timeZone: 'Europe/London', onDrift: true },

  monitor: {
    window: 'P30D',
    minVolume: 50,
    performance: { roc_auc: { min: 0.93 }, log_loss: { max: 0.2 } },
    drift: {
      psi: { warn: 0.1, alert: 0.25 },
      falseDiscoveryRate: 0.05,
      prediction: { relative: 0.2, z: 2 },
      demographic: { columns: ['age', 'income', 'gender', 'uk_residence', 'n_dependents'], alert: 0.1 },
      composite: { columns: ['age', 'income'], warn: 0.2, alert: 0.3 },
    },
    slices: ['gender', 'age_band', 'uk_residence', 'health_status'],
  },
});
