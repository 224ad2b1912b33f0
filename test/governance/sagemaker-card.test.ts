import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelCard } from '../../src/governance/model-card.ts';
import { type Promotion, sageMakerCard } from '../../src/governance/sagemaker-card.ts';
import { sageMakerCardSchema } from './sagemaker-card-schema.ts';

const card: ModelCard = {
  format: 1,
  useCase: 'insurance-cost',
  createdAtMs: Date.UTC(2026, 0, 2),
  question: 'What will this member cost?',
  intendedUse: 'Planning of reserves.',
  limits: ['Not for decisions about a single person.', 'One country only.'],
  label: { column: 'charges', unit: 'USD' },
  sources: [{ name: 'policies', contract: 'policies', contractVersion: '1.2.0' }],
  metrics: [
    {
      name: 'mae',
      title: 'mean absolute error',
      better: 'lower',
      unit: 'USD',
      estimate: { value: 1512.34, low: 1440.1, high: 1590.9 },
      constant: 3301.5,
      rules: null,
    },
    {
      name: 'gini',
      title: 'Gini coefficient',
      better: 'higher',
      unit: '',
      estimate: { value: NaN, low: NaN, high: NaN },
      constant: null,
      rules: null,
    },
  ],
  lineage: {
    runId: 'run-7',
    algorithm: 'random-forest',
    parameters: { trees: 100, bootstrap: true },
    seed: 42,
    features: ['age', 'bmi'],
    contractVersions: { policies: '1.2.0' },
    dataVersion: 12,
    trainDigest: 'a'.repeat(64),
    testDigest: 'b'.repeat(64),
    trainRows: 12_345,
    testRows: 2_469,
    codeCommit: 'c0ffee',
  },
};

const promotion: Promotion = {
  modelFile: 'model.txt',
  version: 7,
  digest: 'd'.repeat(64),
  reason: 'All 9 gates pass.',
  gates: [
    { name: 'r2', passed: true, requirement: 'R² ≥ 0.8', found: '0.84 (0.81 to 0.85)' },
    { name: 'leakage', passed: false, requirement: 'no finding', found: 'one finding' },
  ],
};

const parsed = (content: string) => sageMakerCardSchema.parse(JSON.parse(content));
const content = parsed(sageMakerCard(card, promotion));
const metricsOf = (evaluation: string, group: string) =>
  content.evaluation_details?.find(({ name }) => name === evaluation)?.metric_groups?.find(({ name }) => name === group)
    ?.metric_data;

describe('the card of a version', () => {
  test('has the words of our card where SageMaker looks for them', () => {
    expect(content.business_details).toEqual({ business_problem: 'What will this member cost?' });
    expect(content.intended_uses?.intended_uses).toBe('Planning of reserves.');
    expect(content.additional_information?.caveats_and_recommendations).toBe(
      'Not for decisions about a single person. One country only.',
    );
    expect(content.training_details?.training_job_details).toEqual({
      training_datasets: ['policies: contract policies, version 1.2.0'],
      user_provided_hyper_parameters: [
        { name: 'trees', value: '100' },
        { name: 'bootstrap', value: 'true' },
      ],
    });
  });

  test('has a metric as a number beside its baselines; one that is not defined as a text, since JSON has no NaN', () => {
    expect(metricsOf('Frozen test set', 'Model')).toEqual([
      {
        name: 'mean absolute error (USD)',
        type: 'number',
        value: 1512.34,
        notes: '1,512 (1,440 to 1,591); lower is better.',
      },
      { name: 'Gini coefficient', type: 'string', value: 'n/a', notes: 'n/a; higher is better.' },
    ]);
    expect(metricsOf('Frozen test set', 'Constant prediction')?.[0]).toMatchObject({ type: 'number', value: 3301.5 });
    expect(metricsOf('Frozen test set', 'Current rules')?.[0]).toMatchObject({ type: 'string', value: 'n/a' });
  });

  test('has each gate as passed or not, with what was asked and found', () => {
    expect(metricsOf('Gates', 'Gates')).toEqual([
      { name: 'r2', type: 'boolean', value: true, notes: 'R² ≥ 0.8. 0.84 (0.81 to 0.85)' },
      { name: 'leakage', type: 'boolean', value: false, notes: 'no finding. one finding' },
    ]);
  });

  test('leads back to the version in our registry', () => {
    expect(content.model_overview).toEqual({
      model_creator: 'Training run run-7',
      model_artifact: ['versions/insurance-cost/0007/model.txt'],
    });
    expect(content.additional_information?.custom_details).toMatchObject({
      Version: '7',
      Digest: promotion.digest,
      'Champion because': 'All 9 gates pass.',
    });
  });

  test('claims no risk rating and no compliance', () => {
    expect(content.intended_uses?.risk_rating).toBe('Unknown');
    expect(JSON.stringify(content)).not.toMatch(/complian/i);
  });

  test('is the same text each time, so that a repeated request is the same request', () => {
    expect(sageMakerCard(structuredClone(card), structuredClone(promotion))).toBe(sageMakerCard(card, promotion));
  });

  test('is the same after the card has been stored, where what is not a number is null', () => {
    const stored = JSON.parse(JSON.stringify(card)) as ModelCard;
    expect(sageMakerCard(stored, promotion)).toBe(sageMakerCard(card, promotion));
  });
});

describe('whatever is in our card', () => {
  const words = fc.oneof(
    fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
    fc.integer({ min: 1, max: 6000 }).map((length) => '"é\n'.repeat(length / 3 + 1)),
  );
  const cards = fc
    .record({
      question: words,
      limits: fc.array(words, { minLength: 1, maxLength: 8 }),
      source: words,
      parameter: words,
      features: fc.array(words, { minLength: 1, maxLength: 60 }),
      metrics: fc.integer({ min: 1, max: 60 }),
      gates: fc.array(fc.record({ name: words, passed: fc.boolean(), requirement: words, found: words }), {
        maxLength: 60,
      }),
    })
    .map(({ question, limits, source, parameter, features, metrics, gates }) => ({
      card: {
        ...card,
        question,
        intendedUse: question,
        limits,
        sources: Array.from({ length: 20 }, () => ({ ...card.sources[0], name: source })),
        metrics: Array.from({ length: metrics }, () => ({ ...card.metrics[0], title: source })),
        lineage: {
          ...card.lineage,
          features,
          parameters: Object.fromEntries(
            Array.from({ length: 120 }, (_, i) => [`${parameter.slice(0, 300)}${i}`, parameter]),
          ),
        },
      } satisfies ModelCard,
      promotion: { ...promotion, reason: question, gates },
    }));

  test('SageMaker’s schema and its 100,000 characters are kept, and the version is named', () => {
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(cards, (made) => {
        const text = sageMakerCard(made.card, made.promotion);
        expect(text.length).toBeLessThanOrEqual(100_000);
        const { evaluation_details: evaluations, additional_information: additional } = parsed(text);
        expect(additional?.custom_details).toMatchObject({ Version: '7', Digest: promotion.digest });
        seen.add(evaluations !== undefined);
      }),
      { seed: 7, numRuns: 200 },
    );
    expect(seen).toEqual(new Set([true, false]));
  });
});
