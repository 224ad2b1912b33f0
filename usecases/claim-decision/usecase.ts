import { defineUseCase } from '../../src/usecase/declaration.ts';

export default defineUseCase({
  id: 'claim-decision',
  question: 'Will this claim be approved?',
  card: {
    intendedUse:
      'Deciding claims that are clearly to be paid at once, and choosing which claims a person looks at first.',
    limits: [
      'It learns what adjudicators decided, their mistakes and habits included; it does not know what would have been right.',
      'A rejection is a proposal: nobody is denied a payment without a person who looks at the claim.',
      'Claims whose lines do not add up to their total never reach it.',
    ],
  },
  entity: { key: 'claim_id', eventTime: 'received_at' },
  sources: {
    claims: 'claims.odcs.yaml',
    lines: 'lines.odcs.yaml',
    // what is not there yet is not known: claims are undecided, procedures count 1.00
    decisions: { contract: 'decisions.odcs.yaml', optional: true },
    rvus: { contract: 'rvus.odcs.yaml', optional: true },
  },
  profiles: { claims: { boxPlot: { value: 'total_charges', by: ['insurance_type'] } } },

  features: {
    numeric: [
      'log_total_charges',
      'line_count',
      'age_at_service',
      'duration_days',
      'insurance_code',
      'surgery',
      'complexity',
    ],
    carried: [
      'diagnosis_group',
      'diagnoses',
      'provider_decided',
      'provider_denial_share',
      'patient_denied',
      'insurance_type',
      'total_charges',
      'rvu_total',
      'reimbursement',
    ],
    views: {
      // what the history of a provider and of a patient would add; a single request does not know them
      extended: {
        numeric: ['diagnoses', 'provider_decided', 'provider_denial_share', 'patient_denied'],
        categorical: ['diagnosis_group'],
        comparedOnly: true,
      },
    },
  },
  label: { column: 'approved', task: 'binary', maturity: 'P30D' },

  models: [
    {
      kind: 'dense',
      parameters: {
        objective: 'binary',
        hidden: [16, 8],
        learningRate: 0.003,
        batchSize: 64,
        epochs: 40,
        earlyStoppingEpochs: 4,
        seed: 42,
      },
      // released in eight bits, as the service that scores single claims runs it
      quantise: { precision: 'int8', fineTune: true },
      search: {
        space: {
          hidden: { choice: [[16, 8], [32, 16], [16], [32, 16, 8]] },
          dropout: { uniform: [0, 0.2] },
          learningRate: { logUniform: [0.001, 0.01] },
        },
        trials: 2,
        folds: 3,
        metric: 'roc_auc',
        seed: 42,
      },
    },
    {
      kind: 'gradient-boosting',
      parameters: {
        objective: 'binary',
        iterations: 200,
        learningRate: 0.05,
        maxDepth: 5,
        minChildSamples: 40,
        earlyStoppingRounds: 20,
        seed: 42,
      },
      search: {
        space: {
          learningRate: { logUniform: [0.02, 0.15] },
          maxDepth: { integer: [2, 6] },
          minChildSamples: { integer: [20, 120] },
        },
        trials: 4,
        folds: 3,
        metric: 'roc_auc',
        seed: 42,
      },
    },
  ],
  split: { test: 0.1, validation: 0.2, seed: 42, stratify: true },

  gates: {
    roc_auc: { min: 0.8 },
    log_loss: { max: 0.5 },
    calibration_error: { max: 0.08 },
    skill_over_constant: { min: 0.1 },
    beatsChampion: { metric: 'log_loss', confidence: 0.95, minimumEffect: 0.002 },
  },

  score: {
    at: '0 3 * * *',
    timeZone: 'UTC',
    decision: {
      negative: 'reject',
      review: 'manual_review',
      positive: 'approve',
      // in dollars: a payment that was not due, an appeal against a denial, a person's half hour; approved from .80 on
      costs: { falsePositive: 150, falseNegative: 120, review: 30 },
    },
    calibration: 'beta',
    reasons: 3,
  },
  experiment: {
    steps: [
      { percent: 5, hours: 24 },
      { percent: 25, hours: 48 },
      { percent: 50, hours: 96 },
    ],
    guards: { leastDecisions: 1000, errorShare: 0.01, slow: { milliseconds: 5, share: 0.01 }, positiveShare: 0.1 },
    test: { significance: 0.05, effectLogOdds: 0.3 },
  },
  retrain: { at: '0 0 1 * *', timeZone: 'UTC', onDrift: true },

  monitor: {
    window: 'P30D',
    minVolume: 50,
    performance: {
      roc_auc: { min: 0.78 },
      log_loss: { max: 0.55 },
      precision: { min: 0.8 },
      recall: { min: 0.5 },
      f1: { min: 0.6 },
    },
    drift: {
      psi: { warn: 0.1, alert: 0.25 },
      falseDiscoveryRate: 0.05,
      prediction: { relative: 0.2, z: 2 },
      demographic: { columns: ['age_at_service', 'insurance_type', 'surgery'], alert: 0.1 },
      composite: { columns: ['log_total_charges', 'surgery'], warn: 0.2, alert: 0.3 },
    },
    slices: ['insurance_type', 'diagnosis_group'],
  },
});
