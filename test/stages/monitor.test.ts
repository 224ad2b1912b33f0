import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquireLease, isHeld, readLease } from '../../src/governance/lease.ts';
import type { RecordedEvent } from '../../src/ports/executions.ts';
import { retrainLease } from '../../src/stages/common/retrain-lease.ts';
import { stateRuns } from '../../src/stages/common/run-graph.ts';
import type { StageInput } from '../../src/stages.ts';
import { elements, parseMarkup, textOf } from '../report/parse-markup.ts';
import { type World, contents, govern, ingest, january, openWorld, policies, score, train, useCase } from './world.ts';

/** A champion that has scored the month it learnt from; `scored` is what that run hands to `Monitor`. */
let settled: World;
let scored: StageInput<'Monitor'>;
beforeAll(async () => {
  settled = await openWorld();
  const runId = await ingest(settled, 'january.csv', policies());
  await govern(settled, runId, await train(settled, runId));
  scored = await score(settled, runId);
});
afterAll(() => settled.close());

let world: World;
beforeEach(async () => {
  world = await openWorld({ from: settled });
});
afterEach(() => world.close());

/** The next month arrives at its end, so that its truth is known, and is scored. */
async function nextMonth(options: Parameters<typeof policies>[0]): Promise<StageInput<'Monitor'>> {
  world.setClock(Date.parse('2026-03-01T00:00:00Z'));
  await ingest(world, 'february.csv', policies({ month: '2026-02', ...options }));
  return score(world, 'score-2026-03-01');
}

describe('Monitor', () => {
  test('finds no drift in the rows that the model learnt from', async () => {
    const { driftDetected, features, retrain, severity } = await world.run('Monitor', scored);
    expect({ driftDetected, features, retrain }).toEqual({ driftDetected: false, features: [], retrain: false });
    expect(['NONE', 'LOW']).toContain(severity);
  });

  test('finds none in another month of the same population', async () => {
    expect(await world.run('Monitor', await nextMonth({}))).toMatchObject({ driftDetected: false, retrain: false });
  });

  test('finds the ageing of an older population with higher costs, and asks for a retraining', async () => {
    const verdict = await world.run('Monitor', await nextMonth({ inflation: 1.15, agedBy: 8 }));
    expect(verdict).toMatchObject({ driftDetected: true, retrain: true });
    expect(verdict.features).toContain('age');
    expect(['HIGH', 'CRITICAL']).toContain(verdict.severity);
    const [age] = await world.rows('gold', 'drift/insurance-cost', `SELECT * FROM rows WHERE column_name = 'age'`);
    expect(age).toMatchObject({ run_id: 'score-2026-03-01', model_version: 1, direction: 'up' });
    expect(Number(age['analysis']) - Number(age['reference'])).toBeGreaterThan(5);
    expect(Number(age['psi'])).toBeGreaterThan(0.1);
  });

  test('looked at again, a run has one entry per watched column all the same', async () => {
    const verdict = await world.run('Monitor', scored);
    const before = await contents(world.ports.gold);
    expect(await world.run('Monitor', scored)).toEqual(verdict);
    expect(await contents(world.ports.gold)).toEqual(before);
    expect(
      await world.rows(
        'gold',
        'drift/insurance-cost',
        'SELECT count(*) AS n, count(DISTINCT column_name) AS columns FROM rows',
      ),
    ).toEqual([{ n: 14, columns: 14 }]);
  });

  test('on fewer predictions than declared no drift is judged, and that is an alert', async () => {
    const verdict = await world.run('Monitor', await nextMonth({ rows: 40, dirtShare: 0, agedBy: 30 }));
    expect(verdict).toMatchObject({ driftDetected: false, retrain: false });
    expect(verdict.severity).not.toBe('NONE');
    expect(verdict.reason).toContain('40');
  });
});

describe('Report', () => {
  const execution = 'arn:aws:states:local:0:execution:train:1';
  const entered = (id: number, name: string, type: string, timestamp: number): RecordedEvent => ({
    id,
    previousEventId: id - 1,
    type: `${type}StateEntered`,
    timestamp,
    stateEnteredEventDetails: { name },
  });
  const event = (id: number, type: string, timestamp: number, details = {}): RecordedEvent => ({
    id,
    previousEventId: id - 1,
    type,
    timestamp,
    ...details,
  });

  test('is one well-formed page of at most 300 KB that needs nothing from elsewhere, and the same when written again', async () => {
    await world.run('Monitor', scored);
    const report = () =>
      world.run('Report', { useCase, runId: scored.runId, machine: 'monitor', execution, failure: '' });
    const { key } = await report();
    expect(key).toBe('pages/insurance-cost/drop-january.csv.html');
    const page = new TextDecoder().decode(await world.ports.reports.get(key));
    expect(Buffer.byteLength(page)).toBeLessThan(300_000);
    expect(page).not.toMatch(/<script|https?:\/\//);
    const markup = parseMarkup(page);
    const ids = elements(markup).flatMap(({ attributes }) => attributes['id'] ?? []);
    expect(ids).toEqual(expect.arrayContaining(['brief']));
    const text = textOf(markup);
    for (const fact of ['1,176', 'R²', 'drop-january.csv', 'gradient-boosting', 'policies 1.0.0'])
      expect(text).toContain(fact);

    await report();
    expect(new TextDecoder().decode(await world.ports.reports.get(key))).toBe(page);
  });

  test.each(['', 'LeakageFound: a feature knows the label'])(
    'ends a training for the next one to begin, also after "%s"',
    async (failure) => {
      const lease = retrainLease(world.ports, useCase);
      const nowMs = world.ports.clock.nowMs();
      await acquireLease(lease, { holder: 'r2', nowMs, durationSeconds: 60 });
      await world.run('Report', { useCase, runId: 'r2', machine: 'train', execution, failure });
      expect(isHeld(await readLease(lease), nowMs)).toBe(false);
    },
  );

  test('shows the states of a failed run with the error’s name and no word of its cause, which may quote data', async () => {
    const history = [
      event(1, 'ExecutionStarted', january),
      entered(2, 'Snapshot', 'Task', january),
      event(3, 'TaskScheduled', january),
      event(4, 'TaskFailed', january + 2000, {
        taskFailedEventDetails: { error: 'TooFewRows', cause: 'a secret of row 7' },
      }),
      event(5, 'TaskStateExited', january + 2000, { stateExitedEventDetails: { name: 'Snapshot' } }),
    ];
    const failed = await openWorld({ histories: { [execution]: history } });
    const { key } = await failed.run('Report', {
      useCase,
      runId: 'r9',
      machine: 'train',
      execution,
      failure: 'TooFewRows: …',
    });
    const page = new TextDecoder().decode(await failed.ports.reports.get(key));
    expect(textOf(parseMarkup(page))).toContain('TooFewRows');
    expect(page).not.toContain('secret');
    failed.close();
  });

  test('a run graph tells attempts, items and what was still running, and leaves out what only routes', () => {
    expect(
      stateRuns([
        event(1, 'ExecutionStarted', 0),
        entered(2, 'Request', 'Pass', 0),
        event(3, 'PassStateExited', 0),
        entered(4, 'Snapshot', 'Task', 0),
        event(5, 'TaskScheduled', 0),
        event(6, 'TaskFailed', 1000, { taskFailedEventDetails: { error: 'StoreUnavailable' } }),
        event(7, 'TaskScheduled', 3000),
        event(8, 'TaskStateExited', 4000),
        entered(9, 'TuneCandidates', 'Map', 4000),
        event(10, 'MapStateStarted', 4000, { mapStateStartedEventDetails: { length: 9 } }),
        event(11, 'MapStateExited', 9000),
        entered(12, 'Report', 'Task', 9000),
      ]),
    ).toEqual([
      { name: 'Snapshot', status: 'succeeded', tookSeconds: 4, attempts: 2 },
      { name: 'TuneCandidates', status: 'succeeded', tookSeconds: 5, items: 9 },
      { name: 'Report', status: 'running' },
    ]);
  });
});
