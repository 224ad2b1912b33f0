import { afterAll, beforeAll, expect, test } from 'vitest';
import { factsOf } from '../../../src/stages/common/facts.ts';
import type { DeclarationInput } from '../../../src/usecase/declaration.ts';
import { demo } from '../../../usecases/claim-decision/demo.ts';
import declaration from '../../../usecases/claim-decision/usecase.ts';
import { type Told, tellDemo } from '../story.ts';
import { long } from '../../long.ts';

const useCase = 'claim-decision';
/** Boosting alone and without its search; nothing is retrained. */
const small = {
  ...declaration,
  models: declaration.models
    .filter(({ kind }) => kind === 'gradient-boosting')
    .map((model) => ({ ...model, search: { ...model.search, trials: 0 } })),
  retrain: { ...declaration.retrain, onDrift: false },
} as DeclarationInput;

let told: Told;
beforeAll(async () => {
  told = await tellDemo(small, demo, { rows: 2500 });
}, 300_000);
afterAll(() => told.close());

test.runIf(long)('every machine of the story ends well', () => {
  expect(told.ended.filter(({ status }) => status !== 'SUCCEEDED')).toEqual([]);
});

test.runIf(long)('the extended set is compared and not chosen', async () => {
  const trained = told.ended.find(({ machine }) => machine === 'train')!;
  const runId = (trained.output as { runId: string }).runId;
  const { candidates } = (await factsOf(told.runtime.ports, { useCase, runId }, 'Train'))!.models!;
  expect(candidates.map(({ name, kind, chosen = false }) => [name, kind, chosen])).toEqual([
    ['gradient-boosting-0', 'candidate', true],
    ['gradient-boosting-0-extended', 'compared', false],
    ['constant mean', 'baseline', false],
  ]);
});

test.runIf(long)(
  'January is decided in a night when nobody knows, and held against its decisions when they come',
  async () => {
    const { confusion } = (await factsOf(told.runtime.ports, { useCase, runId: 'score-2026-03-11' }, 'Monitor'))!;
    expect(confusion!.periods.map(({ period }) => period)).toEqual(['2026-01']);
    const [{ rows, cells }] = confusion!.periods;
    // of 1,500 claims those that are whole and decided
    expect(rows).toBeGreaterThan(1300);
    expect(cells.map(({ decision }) => decision)).toEqual(['reject', 'manual_review', 'approve']);
    const kept = await told.rows(
      'gold',
      `drift/${useCase}-confusion`,
      "SELECT sum(happened + not_happened) AS rows FROM rows WHERE run_id = 'score-2026-03-11'",
    );
    expect(Number(kept[0]['rows'])).toBe(rows);
  },
);
