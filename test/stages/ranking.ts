import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeclarationInput } from '../../src/usecase/declaration.ts';
import type { StageInput } from '../../src/stages.ts';
import { smallSearch, useCasesFolder } from './use-cases.ts';
import { type World, useCase } from './world.ts';

const { beatsChampion: _, ...noGates } = smallSearch.gates;
/** No limits of insurance-cost. */
export const noLimits = Object.fromEntries(Object.keys(noGates).map((name) => [name, undefined]));

/** Two amounts of one policy, ranked. */
export const amounts: DeclarationInput = {
  ...smallSearch,
  label: { outputs: ['inpatient', 'outpatient'], name: 'costs', unit: 'USD', maturity: 'P0D' },
  features: {
    ...smallSearch.features,
    carried: [...smallSearch.features.carried!, 'has_phone', 'rule_inpatient', 'rule_outpatient'],
  },
  sources: {
    ...smallSearch.sources,
    feedback: { contract: 'feedback.odcs.yaml', optional: true },
    responses: { contract: 'responses.odcs.yaml', optional: true },
  },
  ratingTable: undefined,
  rules: ['rule_inpatient', 'rule_outpatient'],
  models: [
    {
      kind: 'gradient-boosting',
      parameters: { iterations: 60, learningRate: 0.1, maxDepth: 3, minChildSamples: 10, seed: 1 },
      search: { space: {}, trials: 0, folds: 1, metric: 'rmse', seed: 42 },
    },
  ],
  gates: {
    ...noLimits,
    r2: { min: 0.3 },
    skill_over_rules: { min: 0.05 },
    beatsChampion: { metric: 'rmse', confidence: 0.95, minimumEffect: 0, outcomes: { minimumEffect: 0 } },
  },
  score: { at: '0 2 * * *', timeZone: 'UTC', bands: [{ name: 'any' }], flags: {} },
  recommend: {
    top: 2,
    scoreRange: [0, 100_000],
    minimumScore: 1500,
    consent: { mail: 'smoker', phone: 'has_phone' },
    offers: [
      {
        id: 'inpatient',
        name: 'Hospital plan',
        category: 'hospital',
        description: 'A room of your own in hospital.',
        priorityWeight: 1.5,
        eligible: 'age >= 40',
        channels: ['mail', 'phone'],
        cooldownDays: 30,
      },
      {
        id: 'outpatient',
        name: 'Doctor plan',
        category: 'doctor',
        description: 'A doctor near you.',
        priorityWeight: 1,
        channels: ['phone'],
        cooldownDays: 30,
      },
    ],
    caps: { perCategory: 1, perMonth: 2 },
    feedback: { source: 'feedback' },
    responses: {
      source: 'responses',
      within: 'P7D',
      learnt: {
        points: { sent: 1000, opened: 3000, clicked: 6000, responded: 9000 },
        share: 0.5,
        minimumOutcomes: 20,
      },
    },
    holdout: { share: 0.2, salt: 'held' },
    exports: { campaign: { top: 1, columns: { member: 'entityKey', offer: 'offerName', why: 'reason' } } },
    text: {
      features: { age: { label: 'age', bands: [{ name: 'younger', below: 40 }, { name: 'older' }] } },
    },
  },
  monitor: { ...smallSearch.monitor, performance: { rmse: { max: 9000 } } },
};

/** A folder with that use case: its features, its derived labels, and the contracts of votes and responses. */
export function amountsFolder(at: string): string {
  const useCases = useCasesFolder(at, amounts, {
    'features.sql': (text) =>
      text.replace(
        /charges\nFROM risks\s*$/,
        'children > 0 AS has_phone, 2000.0 AS rule_inpatient, 3000.0 AS rule_outpatient\nFROM risks\n',
      ),
  });
  writeFileSync(
    join(useCases, 'insurance-cost', 'labels.sql'),
    'SELECT customer_id, recorded_at, 0.4 * p.charges AS inpatient, 0.6 * p.charges + 100 * f.children AS outpatient ' +
      'FROM policies p JOIN features f USING (customer_id, recorded_at)',
  );
  for (const source of ['feedback', 'responses']) {
    const contract = readFileSync(
      new URL(`../../usecases/offer-prioritization/${source}.odcs.yaml`, import.meta.url),
      'utf8',
    )
      .replaceAll('member_id', 'customer_id')
      .replace('^MBR_[0-9a-f]{8}', '^[0-9]+')
      .replace('^[A-Z]{2,8}_[0-9]{3}', '^[a-z]+')
      .replace('value: upper', 'value: lower');
    writeFileSync(join(useCases, 'insurance-cost', `${source}.odcs.yaml`), contract);
  }
  return useCases;
}

/** What the machine hands to `Recommend` after a run has been published. */
export async function toRecommend(world: World, scored: StageInput<'Monitor'>): Promise<StageInput<'Recommend'>> {
  const { runId, version, predictionsVersion } = scored;
  const [row] = await world.rows(
    'gold',
    `predictions/${useCase}`,
    `SELECT DISTINCT model_digest, data_version FROM rows WHERE run_id = '${runId}'`,
  );
  const pin = { version, modelDigest: row['model_digest'] as string, dataVersion: Number(row['data_version']) };
  return { useCase, runId, pin, predictionsVersion };
}
