import { rollBack } from '../../src/governance/promotion.ts';
import { checkChampions } from './governance-story.ts';
import { checkVersions, readChain } from './ledger-reader.ts';
import { demand, readJson } from './outside-reader.ts';
import type { Story } from './play.ts';
import { type State, type World, useCase } from './world.ts';

/**
 * Four versions are announced to the real machine `govern`, in any order, some twice; a person rolls back meanwhile, and in some
 * seeds two more retrainings race for the lease.
 */
export function promotionStory(from: State): Story {
  return {
    from,
    skewMs: 86_400_000,
    begin(world) {
      const draw = world.draw.fork('promotion');
      world.only = ['govern'];
      for (const version of [1, 2, 3, 4]) {
        const times = 1 + draw.integer(2);
        for (let i = 0; i < times; i++) {
          world.later(`ModelTrained ${version}`, async () =>
            world.start('govern', { useCase, runId: `train-${version}`, version }),
          );
        }
      }
      if (draw.uniform() < 0.4) {
        const run = draw.integer(100);
        for (const runId of [`retrain-${run}`, `retrain-${run + 1}`]) {
          world.later(`retrain ${runId}`, async () => world.start('train', { useCase, runId, cause: 'manual' }));
        }
      }
      if (draw.uniform() < 0.5) world.later('person', (actor) => leaveChampion(world, actor));
    },
    async safe(world) {
      const objects = world.stores.registry.objects;
      const published = checkVersions(objects, useCase);
      checkChampions(readChain(objects, useCase), published, (version) => -errorOf(world, version));
      const runs = [...published.values()].map(({ runId }) => runId);
      demand(new Set(runs).size === runs.length, 'a run has published two versions');
      checkCatalogue(world);
    },
    async end(world) {
      const chain = readChain(world.stores.registry.objects, useCase);
      for (const version of [1, 2, 3, 4]) {
        const answers = chain.filter((entry) => entry.version === version && /^(promote|refuse)$/.test(entry.kind));
        demand(answers.length > 0, `version ${version} was never answered`);
      }
      const live = chain.findLast(({ kind }) => kind === 'promote' || kind === 'rollback')!;
      const shown = catalogued(world).filter(({ approved }) => approved);
      const isPersons = live.kind === 'rollback';
      // a person's rollback is mirrored by whoever promotes next
      demand(
        isPersons || shown.some(({ version }) => version === live.version),
        'the catalogue does not show the champion',
      );
    },
  };
}

async function leaveChampion(world: World, actor: Parameters<World['portsOf']>[0]): Promise<void> {
  const { registry, clock } = world.portsOf(actor);
  const from = readChain(world.stores.registry.objects, useCase).findLast(
    ({ kind }) => kind === 'promote' || kind === 'rollback',
  )?.version;
  if (from === undefined) return;
  const at = { store: registry, useCase, nowMs: clock.nowMs() };
  await rollBack(at, { alias: 'champion', from, actor: 'anna', reason: 'an alarm', decisionId: `rollback-${from}` });
}

/** What a version misses the frozen test rows by, as its evaluation says: all were judged on the same ones. */
function errorOf(world: World, version: number): number {
  const key = `versions/${useCase}/${String(version).padStart(4, '0')}/evaluation.json`;
  return readJson<{ metrics: { mae: { value: number } } }>(world.stores.registry.objects, key)!.metrics.mae.value;
}

type Catalogued = { version: number; approved: boolean };

function catalogued(world: World): Catalogued[] {
  const { objects } = world.stores.runtime;
  return [...objects.keys()]
    .filter((key) => key.startsWith('models/'))
    .map((key) => readJson<Catalogued>(objects, key)!);
}

/** Whatever the catalogue shows was champion once. */
function checkCatalogue(world: World): void {
  const promoted = new Set(readChain(world.stores.registry.objects, useCase).map(({ version }) => version));
  for (const { version } of catalogued(world)) demand(promoted.has(version), `the catalogue shows version ${version}`);
}
