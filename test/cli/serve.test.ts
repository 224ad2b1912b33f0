import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { DirectoryStore } from '../../src/adapters/embedded/directory-store.ts';
import { listen } from '../../src/adapters/embedded/http-server.ts';
import { SteppedClock } from '../../src/adapters/embedded/stepped-clock.ts';
import { openService } from '../../src/cli/serve.ts';
import { parseContract } from '../../src/data/contract/parse.ts';
import { openSql } from '../../src/data/sql.ts';
import { aliasHead } from '../../src/governance/aliases.ts';
import { usualPlan } from '../serving/plan.ts';
import { readLedger } from '../../src/governance/ledger.ts';
import { promote } from '../../src/governance/promotion.ts';
import { appendQuery } from '../../src/lake/write.ts';
import type { Ports } from '../../src/ports/stage-ports.ts';
import { Vault } from '../../src/privacy/vault.ts';
import { experimentStatus, startExperiment } from '../../src/serving/experiments.ts';
import { look } from '../../src/serving/follow.ts';
import { featuresPath, lakeTable } from '../../src/stages/common/sql.ts';
import type { UseCase } from '../../src/usecase/catalogue.ts';
import { MemoryStore } from '../governance/memory-store.ts';
import { FakeKeyRing } from '../privacy/fake-key-ring.ts';
import { approved, boosted, nowMs, publish, requests } from '../serving/models.ts';
import { runCli, scratch } from './run-cli.ts';

const useCase = 'claim-decision';
const day = 86_400_000;

/** Claims as serving knows them: what they are called, when their truth is final, and what follows from a probability. */
const definition = {
  declaration: {
    id: useCase,
    entity: { key: 'claim_id', eventTime: 'received_at' },
    label: { column: 'approved', task: 'binary', maturity: 'P30D' },
    score: {
      decision: {
        negative: 'reject',
        review: 'manual_review',
        positive: 'approve',
        costs: { falsePositive: 150, falseNegative: 120, review: 30 },
      },
    },
  },
  contracts: {
    claims: {
      contract: parseContract(
        readFileSync(new URL('../../usecases/claim-decision/claims.odcs.yaml', import.meta.url), 'utf8'),
        'claims',
      ),
    },
  },
} as unknown as UseCase;

async function open() {
  const clock = new SteppedClock(nowMs);
  let id = 0;
  const ports = {
    registry: new MemoryStore(),
    bronze: new MemoryStore(),
    // SQL reads files
    gold: new DirectoryStore(scratch()('gold')),
    clock,
    ids: { next: () => `id-${++id}` },
    keyRing: new FakeKeyRing(),
    telemetry: { info: () => undefined, warn: () => undefined, measure: () => undefined },
    catalogue: { useCases: [definition] },
    temporaryDirectory: tmpdir(),
  } as unknown as Ports;
  for (const seed of [1, 2]) await publish(ports.registry, useCase, boosted(seed), `run-${seed}`);
  const makeChampion = async (version: number) =>
    promote(
      { store: ports.registry, useCase, nowMs: clock.nowMs() },
      {
        alias: 'champion',
        version,
        actor: 'test',
        reason: 'test',
        decisionId: ports.ids.next(),
        criteriaHash: null,
        evidence: null,
        expectedHead: aliasHead(await readLedger(ports.registry, useCase), 'champion'),
      },
    );
  return { ports, clock, makeChampion };
}

test('over HTTP: not ready, then a champion, then another one, without a restart', async () => {
  const { ports, makeChampion } = await open();
  const { service, online } = await openService(ports, useCase);
  const server = await listen((request) => service.handle(request), { host: '127.0.0.1', port: 0, mostBodyBytes: 1e6 });
  onTestFinished(() => server.close());
  const url = `http://127.0.0.1:${server.port}`;
  const decide = async () => {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(`${url}/decide`, { method: 'POST', headers, body: JSON.stringify(requests[0]) });
    return (await response.json()) as { code: string; model: string | null };
  };
  expect((await fetch(`${url}/ready`)).status).toBe(503);
  expect(await decide()).toMatchObject({ code: 'ML_ERROR_PREDICTOR_UNAVAILABLE', decision: 'manual_review' });
  for (const version of [1, 2]) {
    await makeChampion(version);
    await look(service, ports, useCase, online.featureNames);
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    expect(await decide()).toMatchObject({ model: `control:${version}` });
  }
  expect(await (await fetch(`${url}/metrics`)).text()).toContain('bordereau_model_version{alias="champion"} 2');
});

test('switched off, people decide everything', async () => {
  const { ports, makeChampion } = await open();
  await makeChampion(1);
  const { service, online } = await openService(ports, useCase, { isOff: true });
  await look(service, ports, useCase, online.featureNames);
  const codes = new Set(service.decide(requests.slice(0, 20)).map(({ code }) => code));
  expect(codes).toEqual(new Set(['ML_SKIPPED']));
});

test('an experiment: decisions of both versions are remembered, and held against their truth when it is final', async () => {
  const { ports, clock, makeChampion } = await open();
  await makeChampion(1);
  const plan = usualPlan('a-salt-of-its-own', [{ percent: 50, hours: 24 }]);
  await startExperiment(ports, useCase, { version: 2, plan, actor: 'test', reason: 'to see' });
  const { service, log, online } = await openService(ports, useCase);
  await look(service, ports, useCase, online.featureNames);
  const decided = service.decide(requests);
  // the same claim asked about again counts once
  service.decide(requests.slice(0, 10));
  await log.flush();

  // what became of the claims arrives under their surrogates
  const vault = new Vault({ ...ports, store: ports.bronze }, { useCase, domain: 'claim_id' });
  const surrogates = await vault.surrogatesOf(requests.map((request) => request.claim_id));
  const truths = requests.map(({ claim_id: key }, i) => `('${surrogates.get(key)}', ${approved[i]})`);
  const sql = await openSql({ threads: 1 });
  await appendQuery(
    lakeTable(ports, ports.gold, featuresPath(useCase), sql),
    sql,
    `SELECT k AS claim_id, make_timestamptz(0) AS received_at, y::INTEGER AS approved, 'b' AS _batch, make_timestamptz(0) AS _built_at
      FROM (VALUES ${truths.join(', ')}) v(k, y)`,
    {},
  );
  await sql.close();

  const young = await experimentStatus(ports, useCase);
  expect(young?.arms.control).toMatchObject({ right: 0, wrong: 0 });
  expect(young!.arms.control.decisions + young!.arms.challenger.decisions).toBe(requests.length);
  await clock.sleep(31 * day);
  const status = (await experimentStatus(ports, useCase))!;
  for (const arm of ['control', 'challenger'] as const) {
    const own = decided.flatMap(({ tag, code }, i) =>
      tag?.startsWith(arm) ? [{ code, truth: approved[i] === 1 }] : [],
    );
    const right = own.filter(({ code, truth }) => (truth ? code === 'ML_APPROVED' : code === 'ML_REJECTED'));
    const reviewed = own.filter(({ code }) => code === 'ML_MANUAL_REVIEW');
    expect(status.arms[arm]).toMatchObject({
      decisions: own.length,
      reviewed: reviewed.length,
      right: right.length,
      wrong: own.length - reviewed.length - right.length,
    });
  }
  // two models of the same data, one seed apart
  expect(status.verdict.verdict).toBe('open');
});

test('the command line says what cannot be served or tried', async () => {
  const file = scratch();
  const directory = file('state/keep', undefined).replace(/\/keep$/, '');
  const none = await runCli('serve', 'insurance-cost', '--dir', directory);
  expect([none.code, none.err]).toEqual([2, expect.stringContaining('no file has been dropped')]);
  const here = file('here', '').replace(/\/here$/, '');
  const amounts = await runCli('serve', 'insurance-cost', '--dir', here);
  expect([amounts.code, amounts.err]).toEqual([2, expect.stringContaining('insurance-cost declares no decision')]);
  const idle = await runCli('experiment', 'status', '--use-case', 'insurance-cost', '--dir', here);
  expect([idle.code, idle.out]).toEqual([0, 'No experiment of insurance-cost runs.\n']);
  const amount = await runCli(
    'experiment',
    'start',
    '2',
    '--reason',
    'x',
    '--use-case',
    'insurance-cost',
    '--dir',
    here,
  );
  expect([amount.code, amount.err]).toEqual([2, expect.stringContaining('declares no "experiment"')]);
  const early = await runCli(
    'experiment',
    'start',
    '2',
    '--reason',
    'x',
    '--use-case',
    'claim-decision',
    '--dir',
    here,
  );
  expect([early.code, early.err]).toEqual([2, expect.stringContaining('has no champion')]);
  const wrong = await runCli('experiment', 'start', '2', '--steps', '200:1', '--reason', 'x', '--use-case', 'claim-decision', '--dir', here); // prettier-ignore
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('--steps takes percent:hours')]);
  const shadow = await runCli(
    'experiment',
    'shadow',
    'x',
    '--reason',
    'x',
    '--use-case',
    'insurance-cost',
    '--dir',
    here,
  );
  expect([shadow.code, shadow.err]).toEqual([2, expect.stringContaining('takes the number of a version')]);
  const verb = await runCli('experiment', 'pause', '--use-case', 'insurance-cost', '--dir', here);
  expect(verb.code).toBe(2);
});
