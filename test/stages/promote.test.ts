import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { aliasHead, liveAt } from '../../src/governance/aliases.ts';
import { readLedger } from '../../src/governance/ledger.ts';
import { rollBack } from '../../src/governance/promotion.ts';
import { publishVersion } from '../../src/governance/registry.ts';
import { ModelNotMirrored } from '../../src/ports/errors.ts';
import type { PromotedModel } from '../../src/ports/model-catalogue.ts';
import type { Ports } from '../../src/ports/stage-ports.ts';
import { promote } from '../../src/stages/promote.ts';
import { runStage } from '../../src/stages/run.ts';
import { MemoryStore } from '../governance/memory-store.ts';

const useCase = 'insurance-cost';

/** A registry with versions 1 and 2, and a catalogue that fails as often as it is told. */
async function registry() {
  const store = new MemoryStore();
  const measured: string[] = [];
  const approved: PromotedModel[] = [];
  const catalogue = { failures: 0, beforeApproval: async () => {} };
  const ports = {
    registry: store,
    reports: new MemoryStore(),
    clock: { nowMs: () => 1000, sleep: async () => {} },
    telemetry: { info: () => {}, warn: () => {}, measure: (metric: string) => void measured.push(metric) },
    models: {
      async approve(model: PromotedModel) {
        await catalogue.beforeApproval();
        if (catalogue.failures-- > 0) throw new ModelNotMirrored(model.useCase, model.version, 'the test', undefined);
        approved.push(model);
      },
    },
  } as Partial<Ports> as Ports;
  for (const version of [1, 2]) await publish(store, version);
  const head = async () => aliasHead(await readLedger(store, useCase), 'champion');
  const stage = async (version: number, expectedHead: string) =>
    runStage(
      'Promote',
      promote,
      {
        useCase,
        runId: `run-${version}`,
        version,
        alias: 'champion',
        decisionId: `run-${version}/${version}`,
        reason: `reason ${version}`,
        expectedHead,
        criteriaHash: null,
      },
      ports,
    );
  const promotions = async () => (await readLedger(store, useCase)).filter(({ kind }) => kind === 'promote');
  const rollBackFrom = async (from: number) =>
    rollBack(
      { store, useCase, nowMs: 2000 },
      { alias: 'champion', from, actor: 'anna', reason: 'complaints', decisionId: `back-${from}` },
    );
  return { ports, store, measured, approved, catalogue, head, stage, promotions, rollBackFrom };
}

async function publish(store: MemoryStore, version: number): Promise<void> {
  const lineage = {
    runId: `run-${version}`,
    algorithm: 'random-forest',
    parameters: { trees: version },
    seed: 1,
    features: ['age'],
    contractVersions: { policies: '1.0.0' },
    dataVersion: version,
    trainDigest: 'a'.repeat(64),
    testDigest: 'b'.repeat(64),
    trainRows: 80,
    testRows: 20,
    codeCommit: 'c0ffee',
  };
  const card = {
    format: 1,
    useCase,
    createdAtMs: 0,
    question: 'What will it cost?',
    intendedUse: 'Planning.',
    limits: ['One country.'],
    label: { column: 'charges', unit: 'USD' },
    sources: [],
    metrics: [],
    lineage,
  };
  const files = new Map([['card.json', new TextEncoder().encode(JSON.stringify(card))]]);
  await publishVersion(store, { useCase, lineage, files, nowMs: 0 });
}

const detailsOf = ({ card }: PromotedModel) =>
  (JSON.parse(card) as { additional_information: { custom_details: Record<string, string> } }).additional_information
    .custom_details;

describe('the catalogue of models', () => {
  test('shows the promoted version with its card, its reason and the gates of the run', async () => {
    const { ports, approved, head, stage } = await registry();
    const gate = { name: 'r2', passed: true, requirement: 'R² ≥ 0.8', evidence: '0.84' };
    const facts = new TextEncoder().encode(JSON.stringify({ gates: [gate] }));
    await ports.reports.put(`facts/${useCase}/run-1/stages/Govern.json`, facts);
    await stage(1, await head());
    expect(approved.map(({ version }) => version)).toEqual([1]);
    expect(detailsOf(approved[0])).toMatchObject({ Version: '1', 'Champion because': 'reason 1' });
    expect(approved[0].card).toContain('R² ≥ 0.8. 0.84');
  });

  test('that fails leaves one promotion; the stage delivered again mirrors it, and counts it once', async () => {
    const { measured, approved, catalogue, head, stage, promotions } = await registry();
    const judgedAt = await head();
    catalogue.failures = 2;
    await expect(stage(1, judgedAt)).rejects.toThrow(ModelNotMirrored);
    await expect(stage(1, judgedAt)).rejects.toThrow('The promotion stands');
    expect(await promotions()).toHaveLength(1);
    expect(measured).toEqual([]);

    await stage(1, judgedAt);
    expect(await promotions()).toHaveLength(1);
    expect(approved.map(({ version }) => version)).toEqual([1]);
    expect(measured).toEqual(['ModelsPromoted']);
  });

  test('shows the restored champion after a rollback, also when the promotion before it is delivered once more', async () => {
    const { approved, head, stage, rollBackFrom } = await registry();
    await stage(1, await head());
    const judgedAt = await head();
    await stage(2, judgedAt);
    await rollBackFrom(2);
    await stage(2, judgedAt);
    expect(approved.map(({ version }) => version)).toEqual([1, 2, 1]);
    expect(detailsOf(approved[2])).toMatchObject({ Version: '1', 'Champion because': 'complaints' });
  });

  test('shows in the end what is champion in the end, when somebody moves it while it is being told', async () => {
    const { store, approved, catalogue, head, stage, rollBackFrom } = await registry();
    await stage(1, await head());
    let moved = false;
    catalogue.beforeApproval = async () => {
      if (!moved) await rollBackFrom(2);
      moved = true;
    };
    await stage(2, await head());
    expect(approved.at(-1)?.version).toBe(liveAt(await readLedger(store, useCase), 'champion'));
    expect(approved.at(-1)?.version).toBe(1);
  });

  test('that fails is tried again by the machine', () => {
    const machine = JSON.parse(
      readFileSync(new URL('../../statemachines/govern.asl.json', import.meta.url), 'utf8'),
    ) as { States: { Promote: { Retry: { ErrorEquals: string[] }[] } } };
    const { name } = new ModelNotMirrored(useCase, 1, 'the test', undefined);
    expect(machine.States.Promote.Retry.flatMap(({ ErrorEquals }) => ErrorEquals)).toContain(name);
  });
});
