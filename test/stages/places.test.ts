import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StoreDenied } from '../../src/ports/errors.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { StageContractBroken, runStage } from '../../src/stages/run.ts';
import type { Stage } from '../../src/stages/stage.ts';
import { type StageName, stageNames, stages, zones } from '../../src/stages.ts';
import { amountsFolder, toRecommend } from './ranking.ts';
import { smallSearch, temporaryDirectory, useCasesFolder } from './use-cases.ts';
import { type World, govern, ingest, openWorld, policies, score, scoreShadow, train, useCase } from './world.ts';

type Uses = { [stage in StageName]: { reads: Set<string>; writes: Set<string> } };

const uses = Object.fromEntries(
  stageNames.map((name) => [name, { reads: new Set<string>(), writes: new Set<string>() }]),
) as Uses;

/** Two months on the whole way, each access to a store noted under the stage that made it. */
let world: World;
beforeAll(async () => {
  world = watched(await openWorld());
  const report = (machine: 'ingest' | 'train', runId: string) =>
    world.run('Report', { useCase, runId, machine, execution: 'none', failure: '' });

  const runId = await ingest(world, 'january.csv', policies());
  await report('ingest', runId);
  await govern(world, runId, await train(world, runId));
  await world.run('Monitor', await score(world, runId));
  world.setClock(Date.parse('2026-02-05T09:00:00Z'));
  await ingest(world, 'february.csv', policies({ month: '2026-02', inflation: 1.2 }));
  await world.run('Monitor', await score(world, 's2'));
  await govern(world, 's2', await train(world, 's2'));
  await world.run('Snapshot', { useCase, runId: 's3', cause: 'manual' });
  await report('train', 's3');

  // one that sees its versions in shadow first
  const third = temporaryDirectory();
  const shadow = { runs: 1, minimumRows: 100, prediction: { psi: 0.5 } };
  const shadowing = watched(await openWorld({ useCases: useCasesFolder(third.path, { ...smallSearch, shadow }) }));
  await ingest(shadowing, 'january.csv', policies());
  const version = await train(shadowing, 'r1');
  await govern(shadowing, 'r1', version);
  await scoreShadow(shadowing, 'r1');
  const { evidence } = await scoreShadow(shadowing, 'r1');
  await govern(shadowing, 'r1', version, evidence);
  await score(shadowing, 'r1');
  shadowing.close();
  third.remove();

  // a key that is an identifier takes a vault
  const asIdentifier = (contract: string) => contract.replace('value: pseudonym', 'value: identifier');
  const folder = temporaryDirectory();
  const identified = watched(
    await openWorld({ useCases: useCasesFolder(folder.path, smallSearch, { 'policies.odcs.yaml': asIdentifier }) }),
  );
  await ingest(identified, 'january.csv', policies({ rows: 50 }));
  identified.close();
  folder.remove();

  // and one that recommends asks for reviewers' votes and members' responses, and applies its contact policy
  const another = temporaryDirectory();
  const recommending = watched(await openWorld({ useCases: amountsFolder(another.path) }));
  await ingest(recommending, 'january.csv', policies());
  await govern(recommending, 'r1', await train(recommending, 'r1'));
  const scored = await score(recommending, 'r1');
  await recommending.run('Recommend', await toRecommend(recommending, scored));
  await recommending.run('Monitor', scored);
  await recommending.run('Snapshot', { useCase, runId: 'r2', cause: 'manual' });
  recommending.close();
  another.remove();
});
afterAll(() => world.close());

/** The world with its accesses noted in `uses`. */
function watched(watched: World): World {
  let running: StageName | undefined;
  for (const zone of zones) {
    watched.ports[zone] = noted(watched.ports[zone], (what, key) => {
      if (running) uses[running][what].add(`${zone}/${key.split('/')[0]}`);
    });
  }
  const { run } = watched;
  watched.run = async (stage, input) => {
    running = stage;
    const output = await run(stage, input);
    running = undefined;
    return output;
  };
  return watched;
}

describe('a stage has what it declares', () => {
  test.each(stageNames)('%s uses every place that it declares, so that no permission is idle', (stage) => {
    expect([...uses[stage].reads].sort()).toEqual([...stages[stage].reads].sort());
    expect([...uses[stage].writes].sort()).toEqual([...stages[stage].writes].sort());
  });

  const tried = (work: (ports: World['ports']) => Promise<unknown>) => {
    const stage: Stage<'Score'> = async (_input, ports) => {
      await work(ports);
      return { key: 'k', rows: 0, sizeBytes: 0 };
    };
    return runStage('Score', stage, scoreInput, world.ports);
  };
  const scoreInput = {
    useCase,
    runId: 'r',
    pin: { version: 1, modelDigest: 'd', dataVersion: 0 },
    batches: [],
    partition: { bucket: 0, buckets: 1 },
  };

  test.each<[string, (ports: World['ports']) => Promise<unknown>]>([
    ['reads another zone', ({ bronze }) => bronze.get('drops/insurance-cost/policies/january.csv')],
    ['looks whether something is there', ({ registry }) => registry.head('promotions/insurance-cost/00000001.json')],
    ['lists another place', async ({ silver }) => first(silver.list('tables/'))],
    ['lists a whole zone', async ({ gold }) => first(gold.list(''))],
    ['copies another zone', ({ silver }) => silver.localCopy('tables/x')],
    [
      'writes where it may only read',
      ({ registry }) => registry.put('versions/insurance-cost/0001/model.txt', new Uint8Array()),
    ],
    [
      'moves an alias',
      ({ registry }) => registry.putIfAbsent('promotions/insurance-cost/00000009.json', new Uint8Array()),
    ],
    ['deletes its own', ({ gold }) => gold.delete('predictions/insurance-cost/x')],
  ])('and no more: a scoring that %s is denied', async (_title, work) => {
    await expect(tried(work)).rejects.toThrow(StoreDenied);
    await expect(tried(work)).rejects.toThrow(/UndeclaredPlace.*Score does not declare that it (read|write)s/);
  });

  test('an input or an output that does not fit the stage’s schema is the machine’s fault, and says where', async () => {
    const { pin: _, ...withoutPin } = scoreInput;
    const run = (input: unknown, output: unknown) =>
      runStage('Score', (async () => output) as unknown as Stage<'Score'>, input, world.ports);
    await expect(run(withoutPin, {})).rejects.toThrow(StageContractBroken);
    await expect(run(withoutPin, {})).rejects.toThrow(/^The input of stage Score does not fit src\/stages\.ts: pin: /);
    await expect(run(scoreInput, { key: 'k', rows: -1, sizeBytes: 0 })).rejects.toThrow(
      /^The output of stage Score .* rows: /,
    );
  });
});

async function first(listing: AsyncIterable<object>): Promise<object | undefined> {
  for await (const found of listing) return found;
  return undefined;
}

function noted(store: ObjectStore, note: (what: 'reads' | 'writes', key: string) => void): ObjectStore {
  return {
    get: (key) => (note('reads', key), store.get(key)),
    head: (key) => (note('reads', key), store.head(key)),
    list: (prefix, options) => (note('reads', prefix), store.list(prefix, options)),
    localCopy: (key, expect) => (note('reads', key), store.localCopy(key, expect)),
    put: (key, bytes) => (note('writes', key), store.put(key, bytes)),
    putIfAbsent: (key, bytes) => (note('writes', key), store.putIfAbsent(key, bytes)),
    delete: (key) => store.delete(key),
  };
}
