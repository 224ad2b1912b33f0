import { describe, expect, test } from 'vitest';
import { TaskError } from '../../src/asl/errors.ts';
import type { Execution } from '../../src/asl/execution.ts';
import { redrive } from '../../src/asl/executor.ts';
import { parseMachine } from '../../src/asl/machine.ts';
import type { TaskRunner } from '../../src/asl/tasks.ts';
import type { Json } from '../../src/data/json.ts';
import { machineDefinitions } from '../../src/runtime/machines.ts';
import { type MachineName, machineNames } from '../../src/stages.ts';
import { run as execute, surroundings } from '../asl/run.ts';

type Canned = { return: Json } | { throw: { error: string; cause?: string } };

const definitions = await machineDefinitions();
const payload = (Payload: Json): Canned => ({ return: { Payload, StatusCode: 200 } });
const failing = (error: string, cause = 'because'): Canned => ({ throw: { error, cause } });
const announced: Canned = { return: { Entries: [], FailedEntryCount: 0 } };
const notified: Canned = { return: { MessageId: 'm' } };

/** Runs a machine of the product on virtual time; gives how it ended and the states that called something, in order. */
async function run(name: MachineName, input: Json, tasks: { [state: string]: Canned[] }) {
  const canned = { Notify: [notified], Report: [payload({ key: 'page' })], ...tasks };
  const execution = await execute(definitions[name], { input, canned });
  const called = execution.history.flatMap((event) => {
    const details = event['stateEnteredEventDetails'] as { name: string } | undefined;
    return event.type === 'TaskStateEntered' && details ? [details.name] : [];
  });
  return { ...execution, called };
}

test.each(machineNames)(
  '%s is a machine in full: the interpreter takes every field of it, and no placeholder is left',
  (name) => {
    expect(() => parseMachine(definitions[name])).not.toThrow();
    expect(JSON.stringify(definitions[name])).not.toContain('${');
  },
);

describe('govern', () => {
  const input = { useCase: 'u', runId: 'r', version: 2 };
  const verdict = (expectedHead: string, promote = true): Canned =>
    payload({
      ...input,
      promote,
      alias: 'champion',
      decisionId: 'r/2',
      reason: 'why',
      expectedHead,
      criteriaHash: null,
    });
  const promoted = payload({ ...input, alias: 'champion', previous: 1, scoreRunId: 'promotion-v2' });

  test('judges again, against what is live now, where the champion has changed meanwhile', async () => {
    const { status, called, history } = await run('govern', input, {
      Govern: [verdict('a'), verdict('b')],
      Promote: [failing('ChampionChanged'), promoted],
      AnnouncePromotion: [announced],
    });
    expect(status).toBe('SUCCEEDED');
    expect(called).toEqual(['Govern', 'Promote', 'Govern', 'Promote', 'AnnouncePromotion', 'Report']);
    const inputs = history.flatMap((event) => {
      const { parameters = '' } = (event['taskScheduledEventDetails'] ?? {}) as { parameters?: string };
      return parameters.includes('expectedHead')
        ? [(JSON.parse(parameters) as { Payload: { expectedHead: string } }).Payload.expectedHead]
        : [];
    });
    expect(inputs).toEqual(['a', 'b']);
  });

  test('announces a version that goes into shadow to the scoring, and no promotion', async () => {
    const shadowed = payload({ ...input, alias: 'shadow', previous: null, scoreRunId: 'shadow-v2' });
    const { status, called, history } = await run('govern', input, {
      Govern: [verdict('a')],
      Promote: [shadowed],
      AnnounceShadow: [announced],
    });
    expect([status, called]).toEqual(['SUCCEEDED', ['Govern', 'Promote', 'AnnounceShadow', 'Report']]);
    expect(JSON.stringify(history)).toContain('ModelShadowed');
  });

  test('ends well where what was seen has been decided before', async () => {
    const late = { ...input, evidence: 'shadows/u/_evidence/v2-x.json' };
    const { status, called } = await run('govern', late, { Govern: [failing('ShadowDecided')] });
    expect([status, called]).toEqual(['SUCCEEDED', ['Govern', 'Report']]);
  });

  test('announces a refusal with its reason, and promotes nothing', async () => {
    const { status, called, history } = await run('govern', input, {
      Govern: [verdict('a', false)],
      AnnounceRefusal: [announced],
    });
    expect([status, called]).toEqual(['SUCCEEDED', ['Govern', 'AnnounceRefusal', 'Report']]);
    expect(JSON.stringify(history)).toContain('ModelRefused');
  });
});

describe('ingest', () => {
  const input = { object: { key: 'drops/u/s/f.csv', etag: 'e' } };
  const validated = payload({
    useCase: 'u',
    runId: 'r',
    source: 's',
    status: 'accepted',
    reason: '',
    rows: { dropped: 1, accepted: 1, quarantined: 0, rejected: 0 },
    silverVersion: 0,
  });
  const planned = (dataVersion: number, buckets: number): Canned =>
    payload({
      useCase: 'u',
      runId: 'r',
      plan: { silver: { s: 0 }, dataVersion, builtAtMs: 0, complete: true },
      partitions: Array.from({ length: buckets }, (_, bucket) => ({ bucket, buckets })),
    });
  const part = payload({ key: 'part', rows: 1, sizeBytes: 1 });
  const appended = payload({ useCase: 'u', runId: 'r', rows: 1, dataVersion: 1, hasChampion: true, complete: true });

  test('plans again where another run has appended features meanwhile', async () => {
    const { status, called, history } = await run('ingest', input, {
      Validate: [validated],
      Plan: [planned(0, 2), planned(1, 2)],
      Features: [part],
      Append: [failing('ConcurrentChange'), appended],
      AnnounceFeatures: [announced],
    });
    expect(status).toBe('SUCCEEDED');
    expect(called).toEqual(['Validate', 'Plan', 'Append', 'Plan', 'Append', 'AnnounceFeatures', 'Report']);
    const upon = history.flatMap((event) => {
      const { parameters = '' } = (event['taskScheduledEventDetails'] ?? {}) as { parameters?: string };
      return parameters.includes('parts')
        ? [(JSON.parse(parameters) as { Payload: { plan: { dataVersion: number } } }).Payload.plan.dataVersion]
        : [];
    });
    expect(upon).toEqual([0, 1]);
  });

  test('goes on without a bucket where there is nothing to build', async () => {
    const { status, called } = await run('ingest', input, {
      Validate: [validated],
      Plan: [planned(0, 0)],
      Features: [failing('NotAsked')],
      Append: [appended],
      AnnounceFeatures: [announced],
    });
    expect([status, called]).toEqual(['SUCCEEDED', ['Validate', 'Plan', 'Append', 'AnnounceFeatures', 'Report']]);
  });

  /** Answers as the canned tasks do, but for `Features`, which the bucket decides; gives the buckets that were asked for. */
  function inBuckets(features: (bucket: number, times: number) => Json) {
    const asked: number[] = [];
    const others: { [state: string]: Canned } = {
      Validate: validated,
      Plan: planned(0, 4),
      Append: appended,
      AnnounceFeatures: announced,
      Report: payload({ key: 'page' }),
    };
    const tasks: TaskRunner = async ({ stateName, arguments: given }) => {
      if (stateName !== 'Features') return (others[stateName] as { return: Json }).return;
      const { bucket } = (given as { Payload: { partition: { bucket: number } } }).Payload.partition;
      asked.push(bucket);
      return features(bucket, asked.filter((other) => other === bucket).length);
    };
    return { asked, tasks };
  }
  const built = { Payload: { key: 'part', rows: 1, sizeBytes: 1 }, StatusCode: 200 };

  test('tries a bucket alone again whose store did not answer', async () => {
    const { asked, tasks } = inBuckets((bucket, times) => {
      if (bucket === 2 && times === 1) throw new TaskError('StoreUnavailable', '{}');
      return built;
    });
    const { status } = await execute(definitions.ingest, { input, tasks });
    expect(status).toBe('SUCCEEDED');
    expect(asked.sort((a, b) => a - b)).toEqual([0, 1, 2, 2, 3]);
  });

  test('killed in a bucket and redriven, it builds that one and those behind it, and no other', async () => {
    let killed: Execution | undefined;
    const { asked, tasks } = inBuckets((bucket, times) => {
      if (bucket === 2 && times === 1) throw new Error('no power');
      return built;
    });
    const onEvent = (_event: object, _origin: object, live: Execution) => (killed = live);
    const oneByOne = JSON.parse(
      JSON.stringify(definitions.ingest).replace(/"MaxConcurrency":\d+/, '"MaxConcurrency":1'),
    ) as Json;
    await expect(execute(oneByOne, { input, tasks, onEvent })).rejects.toThrow('no power');
    const { status } = await redrive(structuredClone(killed!), { ...surroundings(), tasks });
    expect(status).toBe('SUCCEEDED');
    expect(asked).toEqual([0, 1, 2, 2, 3]);
  });
});

describe('score', () => {
  const run1 = { useCase: 'u', runId: 'r' };
  const pin = { version: 1, modelDigest: 'd', dataVersion: 0 };
  const pinned = (hasShadow: boolean, more: object = {}): Canned =>
    payload({
      ...run1,
      status: 'ready',
      reason: '',
      pin: { ...pin, ...more },
      batches: ['b'],
      partitions: [],
      hasShadow,
    });
  const published = (more: object = {}): Canned =>
    payload({ ...run1, version: 1, rows: 1, predictionsVersion: 0, recommends: false, ...more });
  const input = { ...run1, cause: 'manual' };

  test('of a use case without a shadow ends with its scores', async () => {
    const { status, called } = await run('score', input, {
      Pin: [pinned(false)],
      Publish: [published()],
      AnnounceScores: [announced],
    });
    expect([status, called]).toEqual(['SUCCEEDED', ['Pin', 'Publish', 'AnnounceScores', 'Report']]);
  });

  test('has the shadow’s turn behind the champion’s, and announces no scores of it', async () => {
    const { status, called } = await run('score', input, {
      Pin: [pinned(true), pinned(false, { shadow: { champion: 1 } })],
      Publish: [published(), published({ evidence: 'shadows/u/_evidence/v2-x.json' })],
      AnnounceScores: [announced],
      AnnounceObservation: [announced],
    });
    expect(status).toBe('SUCCEEDED');
    expect(called).toEqual(['Pin', 'Publish', 'AnnounceScores', 'Pin', 'Publish', 'AnnounceObservation', 'Report']);
  });

  test('goes on to the shadow where there is nothing for a champion to score, and is quiet where too little is seen', async () => {
    const idle = payload({ ...run1, status: 'idle', reason: '', batches: [], partitions: [], hasShadow: true });
    const { status, called } = await run('score', input, {
      Pin: [idle, pinned(false, { shadow: { champion: null } })],
      Publish: [published()],
    });
    expect([status, called]).toEqual(['SUCCEEDED', ['Pin', 'Pin', 'Publish', 'Report']]);
  });

  test('that fails in shadow has published the champion’s scores before, and says so to somebody', async () => {
    const { status, called } = await run('score', input, {
      Pin: [pinned(true), failing('VersionNotFound')],
      Publish: [published()],
      AnnounceScores: [announced],
    });
    expect([status, called]).toEqual(['FAILED', ['Pin', 'Publish', 'AnnounceScores', 'Pin', 'Notify', 'Report']]);
  });
});

describe('a stage that fails', () => {
  const input = { useCase: 'u', runId: 'r', version: 1, predictionsVersion: 0 };

  test('has somebody told, the run reported, and the execution failed under the error’s own name', async () => {
    const { status, error, cause, called } = await run('monitor', input, {
      Monitor: [failing('DigestMismatch', 'model.txt')],
    });
    expect({ status, error, cause }).toEqual({
      status: 'FAILED',
      error: 'DigestMismatch',
      cause: 'DigestMismatch: model.txt',
    });
    expect(called).toEqual(['Monitor', 'Notify', 'Report']);
  });

  test('keeps its name also where telling and reporting fail', async () => {
    const ended = await run('monitor', input, {
      Monitor: [failing('DigestMismatch')],
      Notify: [failing('Sns.Down')],
      Report: [failing('StoreDenied')],
    });
    expect(ended).toMatchObject({ status: 'FAILED', error: 'DigestMismatch' });
    expect(ended.called).toEqual(['Monitor', 'Notify', 'Report']);
  });

  test('is tried again where the store did not answer, and only then', async () => {
    const good = payload({
      ...input,
      severity: 'NONE',
      driftDetected: false,
      features: [],
      retrain: false,
      reason: '',
      action: '',
    });
    const away = failing('StoreUnavailable');
    const again = await run('monitor', input, { Monitor: [away, away, good] });
    expect(again.status).toBe('SUCCEEDED');
    expect(again.history.filter(({ type }) => type === 'TaskFailed')).toHaveLength(2);
    const ever = await run('monitor', input, { Monitor: [away] });
    expect(ever).toMatchObject({ status: 'FAILED', error: 'StoreUnavailable' });
    expect(ever.history.filter(({ type }) => type === 'TaskFailed')).toHaveLength(6);
  });
});

test('a busy training ends well, trains nothing and announces nothing', async () => {
  const { status, called } = await run(
    'train',
    { useCase: 'u', cause: 'schedule', scheduledTime: '2026-02-01T00:00:00Z' },
    { Snapshot: [payload({ useCase: 'u', runId: 'retrain-2026-02-01', status: 'busy', reason: 'r', candidates: [] })] },
  );
  expect([status, called]).toEqual(['SUCCEEDED', ['Snapshot', 'Report']]);
});
