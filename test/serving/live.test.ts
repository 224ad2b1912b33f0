import { describe, expect, test } from 'vitest';
import { SteppedClock } from '../../src/adapters/embedded/stepped-clock.ts';
import { aliasHead } from '../../src/governance/aliases.ts';
import { runningExperiment } from '../../src/governance/experiment.ts';
import { usualPlan } from './plan.ts';
import { readLedger, verifyLedger } from '../../src/governance/ledger.ts';
import { promote } from '../../src/governance/promotion.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { Ports } from '../../src/ports/stage-ports.ts';
import { Decider } from '../../src/serving/decider.ts';
import { DecisionLog, type LoggedDecision, forgetDecisions, loggedDecisions } from '../../src/serving/decision-log.ts';
import { setShadow, startExperiment, stopExperiment } from '../../src/serving/experiments.ts';
import { follow } from '../../src/serving/follow.ts';
import { nothingLive, refreshLive } from '../../src/serving/live-versions.ts';
import { Measures } from '../../src/serving/measures.ts';
import { Service } from '../../src/serving/service.ts';
import { Traffic } from '../../src/serving/traffic.ts';
import { online } from '../../usecases/claim-decision/online.ts';
import { MemoryStore } from '../governance/memory-store.ts';
import { canaries } from '../privacy/canaries.ts';
import { boosted, names, nowMs, publish, requests } from './models.ts';

const useCase = 'claim-decision';
const actions = {
  negative: 'reject',
  review: 'manual_review',
  positive: 'approve',
  reviewFrom: 0.25,
  positiveFrom: 0.8,
};

/** A registry with three versions, and the ports that serving touches. */
async function open() {
  const registry = new MemoryStore();
  const clock = new SteppedClock(nowMs);
  let id = 0;
  const logged: string[] = [];
  const ports = {
    registry,
    bronze: new MemoryStore(),
    clock,
    ids: { next: () => `id-${++id}` },
    telemetry: { info: (message: string) => void logged.push(message), warn: (message: string) => void logged.push(message), measure: () => undefined }, // prettier-ignore
  } as unknown as Ports;
  for (const seed of [1, 2, 3]) await publish(registry, useCase, boosted(seed), `run-${seed}`);
  const setAlias = async (alias: 'champion' | 'shadow', version: number) =>
    promote(
      { store: registry, useCase, nowMs: clock.nowMs() },
      { alias, version, actor: 'test', reason: 'test', decisionId: ports.ids.next(), criteriaHash: null, evidence: null, expectedHead: aliasHead(await readLedger(registry, useCase), alias) }, // prettier-ignore
    );
  return { ports, registry, clock, logged, setAlias };
}

async function storedIn(bronze: ObjectStore): Promise<LoggedDecision[]> {
  const stored: LoggedDecision[] = [];
  for await (const decision of loggedDecisions(bronze, useCase)) stored.push(decision);
  return stored;
}

function serviceOf(ports: Ports, log?: DecisionLog): Service {
  return new Service({
    useCase,
    decider: new Decider(online, actions),
    traffic: new Traffic('approve'),
    measures: new Measures(),
    telemetry: ports.telemetry,
    nowMs: () => ports.clock.nowMs(),
    monotonicMs: () => ports.clock.nowMs(),
    ...(log && { log }),
  });
}

describe('what is live', () => {
  test('nothing, until there is a champion; then what the ledger says, each version loaded once', async () => {
    const { ports, setAlias } = await open();
    expect(await refreshLive(ports, useCase, names)).toBe(nothingLive);
    await setAlias('champion', 1);
    const first = await refreshLive(ports, useCase, names);
    expect(first.control?.version).toBe(1);
    expect(await refreshLive(ports, useCase, names, first)).toBe(first);
    await setAlias('shadow', 2);
    const second = await refreshLive(ports, useCase, names, first);
    expect([second.control, second.shadow?.version]).toEqual([first.control, 2]);
    await setAlias('champion', 2);
    const third = await refreshLive(ports, useCase, names, second);
    expect([third.control, third.shadow]).toEqual([second.shadow, undefined]);
  });

  test('a champion that is damaged leaves the one that answers, and says why', async () => {
    const { ports, registry, setAlias } = await open();
    await setAlias('champion', 1);
    const live = await refreshLive(ports, useCase, names);
    await registry.put(`versions/${useCase}/0002/model.txt`, new TextEncoder().encode('damaged'));
    await setAlias('champion', 2);
    const after = await refreshLive(ports, useCase, names, live);
    expect(after.control?.version).toBe(1);
    expect(after.faults).toEqual([expect.stringContaining('version 2')]);
  });

  test('a server follows promotions and rollbacks without a restart, and outlives a broken ledger', async () => {
    const { ports, registry, clock, logged, setAlias } = await open();
    await setAlias('champion', 1);
    const service = serviceOf(ports);
    const stop = new AbortController();
    const seen: (number | undefined)[] = [];
    const steps = [
      () => setAlias('champion', 2),
      () => registry.put(`promotions/${useCase}/00000003.json`, Uint8Array.of(123)),
    ];
    const following = follow(service, ports, {
      useCase,
      featureNames: names,
      signal: stop.signal,
      everyMs: 5000,
      afterLook: async () => {
        seen.push(service.live.control?.version);
        const step = steps.shift();
        if (step) await step();
        else if (seen.length > 3) stop.abort();
      },
    });
    await following;
    expect(seen).toEqual([1, 2, 2, 2]);
    expect(logged).toContain('the ledger cannot be read; the versions stay');
    expect(clock.nowMs() - nowMs).toBe(15_000);
  });
});

describe('an experiment', () => {
  const plan = usualPlan('a-salt-of-its-own', [{ percent: 50, hours: 24 }]);
  const said = { actor: 'test', reason: 'to see' };

  test('starts and ends by entries of the ledger, with its plan declared before', async () => {
    const { ports, registry, setAlias } = await open();
    await expect(startExperiment(ports, useCase, { version: 2, plan, ...said })).rejects.toThrow('has no champion');
    await setAlias('champion', 1);
    await expect(startExperiment(ports, useCase, { version: 1, plan, ...said })).rejects.toThrow(
      'is the champion itself',
    );
    await expect(startExperiment(ports, useCase, { version: 9, plan, ...said })).rejects.toThrow(
      'There is no version 9',
    );
    await startExperiment(ports, useCase, { version: 2, plan, ...said });
    const entries = await readLedger(registry, useCase);
    expect(entries.map(({ kind, alias }) => `${kind} ${alias}`)).toEqual(['promote champion', 'declare challenger', 'promote challenger']); // prettier-ignore
    expect(runningExperiment(entries)).toMatchObject({ champion: 1, challenger: 2, plan });
    await expect(startExperiment(ports, useCase, { version: 3, plan, ...said })).rejects.toThrow(
      'is being tried already',
    );

    // several servers may see the same guard break
    const ended = await Promise.all([1, 2, 3].map(() => stopExperiment(ports, useCase, said)));
    expect(new Set(ended.map((entry) => entry?.sequence)).size).toBe(1);
    const after = await readLedger(registry, useCase);
    expect([after.length, runningExperiment(after), verifyLedger(after)]).toEqual([4, null, []]);
    expect(await stopExperiment(ports, useCase, said)).toBeUndefined();
    await startExperiment(ports, useCase, { version: 3, plan, ...said });
    expect(runningExperiment(await readLedger(registry, useCase))).toMatchObject({ challenger: 3 });
  });

  test('a promotion of the challenger ends it', async () => {
    const { ports, registry, setAlias } = await open();
    await setAlias('champion', 1);
    await startExperiment(ports, useCase, { version: 2, plan, ...said });
    await setAlias('champion', 2);
    expect(runningExperiment(await readLedger(registry, useCase))).toBeNull();
  });

  test('splits the keys between the versions, and the log remembers who decided', async () => {
    const { ports, setAlias } = await open();
    await setAlias('champion', 1);
    await setShadow(ports, useCase, { version: 3, ...said });
    await startExperiment(ports, useCase, { version: 2, plan, ...said });
    const log = new DecisionLog(ports, useCase);
    const service = serviceOf(ports, log);
    service.use(await refreshLive(ports, useCase, names));
    const decided = service.decide([...requests, { claim_id: '' }]);
    await log.flush();
    const stored = await storedIn(ports.bronze);
    expect(stored).toHaveLength(requests.length);
    for (const [i, { key, arm, version, probability, shadow }] of stored.entries()) {
      expect([key, `${arm}:${version}`, probability]).toEqual([decided[i].key, decided[i].tag, decided[i].probability]);
      expect(shadow?.version).toBe(3);
    }
    expect(new Set(stored.map(({ version }) => version))).toEqual(new Set([1, 2]));
  });
});

describe('the log of decisions', () => {
  const decided = (key: string) =>
    ({
      key,
      action: 'approve',
      code: 'ML_APPROVED',
      probability: 0.9,
      tag: 'control:1',
      faults: [],
      shadow: null,
    }) as const;

  test('writes each part once, and loses nothing when the store fails for a while', async () => {
    let isDown = true;
    const bronze = new MemoryStore(new Map(), () => {
      if (isDown) throw new Error('the store is down');
    });
    let id = 0;
    const log = new DecisionLog({ bronze, ids: { next: () => `id-${++id}` } }, useCase, { partRows: 3 });
    log.add([decided('a'), decided('b')], nowMs);
    await expect(log.flush()).rejects.toThrow('the store is down');
    isDown = false;
    log.add([decided('c')], nowMs);
    await log.flush();
    await log.flush();
    expect((await storedIn(bronze)).map(({ key }) => key)).toEqual(['a', 'b', 'c']);
    expect(bronze.objects.size).toBe(1);
    expect([...bronze.objects.keys()][0]).toMatch(/^decisions\/claim-decision\/2026-03-01\//);
  });

  test('forgets a member who is erased, and nobody else', async () => {
    const bronze = new MemoryStore();
    let id = 0;
    const log = new DecisionLog({ bronze, ids: { next: () => `id-${++id}` } }, useCase);
    for (const keys of [['a', 'b', 'a'], ['c'], ['a']]) {
      log.add(keys.map(decided), nowMs);
      await log.flush();
    }
    expect(await forgetDecisions(bronze, useCase, 'a')).toBe(3);
    expect(await forgetDecisions(bronze, useCase, 'a')).toBe(0);
    expect((await storedIn(bronze)).map(({ key }) => key)).toEqual(['b', 'c']);
  });

  test('31. canaries in a case stay out of answers, metrics, logs and the registry; of the case, its log has the key alone', async () => {
    const { ports, registry, setAlias } = await open();
    const told: string[] = [];
    const telemetry = {
      info: (message: string, fields?: object) => void told.push(message, JSON.stringify(fields)),
      warn: (message: string, fields?: object) => void told.push(message, JSON.stringify(fields)),
      measure: (...measured: unknown[]) => void told.push(JSON.stringify(measured)),
    };
    const heard = { ...ports, telemetry };
    await setAlias('champion', 1);
    const { bronze } = ports;
    const log = new DecisionLog({ bronze, ids: ports.ids }, useCase);
    const service = serviceOf(heard, log);
    service.use(await refreshLive(ports, useCase, names));
    const [member, ...others] = canaries;
    const cases = [
      { ...requests[0], claim_id: member.text },
      ...others.flatMap(({ text, column }) => [
        { ...requests[0], claim_id: member.text, [column]: text },
        { ...requests[0], claim_id: member.text, insurance_type: text },
        { ...requests[0], claim_id: member.text, date_of_birth: text },
      ]),
    ];
    const post = (body: unknown) => {
      const request = { method: 'POST', path: '/decide', body: new TextEncoder().encode(JSON.stringify(body)) };
      return service.handle(request).body;
    };
    const answers = [post(cases), ...cases.map(post), post(`${member.text} ${others[0].text}`)];
    const metrics = service.handle({ method: 'GET', path: '/metrics', body: new Uint8Array() }).body;
    await log.flush();
    const stored = (store: ObjectStore) =>
      [...(store as MemoryStore).objects.values()].map((bytes) => new TextDecoder().decode(bytes)).join('\n');
    for (const { text } of others) {
      for (const out of [...answers, metrics, ...told, stored(registry), stored(bronze)])
        expect(out).not.toContain(text);
    }
    for (const out of [metrics, ...told, stored(registry)]) expect(out).not.toContain(member.text);
    expect((await storedIn(bronze)).map(({ key }) => key)).toEqual(
      Array.from({ length: 2 * cases.length }, () => member.text),
    );
    expect(await forgetDecisions(bronze, useCase, member.text)).toBe(2 * cases.length);
    expect(stored(bronze)).not.toContain(member.text);
  });
});
