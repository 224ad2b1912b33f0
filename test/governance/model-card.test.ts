import { expect, test } from 'vitest';
import { plainGate } from '../../src/governance/gate.ts';
import { type ModelCard, modelCardMarkdown } from '../../src/governance/model-card.ts';

const card: ModelCard = {
  format: 1,
  useCase: 'insurance-cost',
  createdAtMs: Date.UTC(2026, 0, 2),
  question: 'What will this member cost?',
  intendedUse: 'Planning of reserves.',
  limits: ['Not for decisions about a single person.'],
  label: { column: 'charges', unit: 'USD' },
  sources: [{ name: 'patients', contract: 'patients', contractVersion: '1.2.0' }],
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
  ],
  lineage: {
    runId: 'run-7',
    algorithm: 'random-forest',
    parameters: { trees: 100 },
    seed: 42,
    features: ['age', 'bmi'],
    contractVersions: { patients: '1.2.0' },
    dataVersion: 12,
    trainDigest: 'a'.repeat(64),
    testDigest: 'b'.repeat(64),
    trainRows: 12_345,
    testRows: 2_469,
    codeCommit: 'c0ffee',
  },
};

test('the card as Markdown has every number with its interval, its baseline and its data', () => {
  const text = modelCardMarkdown(card);
  expect(text).toContain('| mean absolute error (USD) | lower | 1,512 (1,440 to 1,591) | 3,302 | n/a |');
  expect(text).toContain('On 2,469 frozen test rows');
  expect(text).toContain(`| Training rows | 12,345, SHA-256 ${'a'.repeat(64)} |`);
  expect(text).toContain('Not judged yet.');
  expect(text).not.toMatch(/complian/i);
});

test('a cell never breaks its table', () => {
  const gate = plainGate('r2', false, 'r2 ≥ 0.8', 'found | and\nlost');
  const text = modelCardMarkdown(card, { version: 3, gates: [gate] });
  expect(text).toContain('# insurance-cost, version 3');
  expect(text).toContain('| r2 | failed | r2 ≥ 0.8 | found \\| and lost |');
});

test('the card survives JSON', () => {
  expect(JSON.parse(JSON.stringify(card))).toEqual(card);
});
