import { contentOf } from './ingest.ts';
import { checkVersions, readChain } from './ledger-reader.ts';
import { type OutsideReader, type Row, demand, readLog } from './outside-reader.ts';
import type { Story } from './play.ts';
import { type State, type World, useCase } from './world.ts';

const predictions = `predictions/${useCase}`;
const features = `features/${useCase}`;

/**
 * Two scoring runs, one of them delivered twice, while a better version is judged and promoted and a further file arrives. The
 * runs have two partitions each.
 */
export function scoreStory(from: State, reader: OutsideReader): Story {
  return {
    from,
    begin(world) {
      const draw = world.draw.fork('score');
      world.only = ['score', 'ingest', 'govern'];
      const score = (runId: string) =>
        world.later(`score ${runId}`, async () => world.start('score', { useCase, runId, cause: 'manual' }));
      score('daily-1');
      if (draw.uniform() < 0.5) score('daily-1');
      if (draw.uniform() < 0.5) score('daily-2');
      world.later('ModelTrained 2', async () => world.start('govern', { useCase, runId: 'train-2', version: 2 }));
      if (draw.uniform() < 0.4) {
        const members = Array.from({ length: 14 }, (_, i) => `N${i}`);
        const { bytes } = contentOf(draw, members, 5000);
        world.later('insurer', async () => void (await world.drop('new.csv', bytes)));
      }
    },
    safe: (world) => checkPredictions(world, reader),
    async end(world) {
      await checkPredictions(world, reader);
      // whatever was left because it came late is scored by the next day's run, and then nothing is left
      world.only = [];
      world.start('score', { useCase, runId: 'next-day', cause: 'schedule', scheduledTime: '2026-03-03T02:00:00Z' });
      await world.scheduler.run();
      const rows = await reader.rows(world.stores.gold.objects, predictions);
      const scored = new Set(rows.map(identity));
      for (const row of holding(await reader.rows(world.stores.gold.objects, features))) {
        demand(scored.has(identity(row)), 'a row of the features was never scored');
      }
      await checkPredictions(world, reader);
    },
  };
}

const identity = (row: Row) => `${row['member_no'] as string} ${row['_batch'] as string}`;

/** Every commit is one whole run: one model, which was champion, one version of the data, each row of its batches once. */
async function checkPredictions(world: World, reader: OutsideReader): Promise<void> {
  const { gold, registry } = world.stores;
  const versions = checkVersions(registry.objects, useCase);
  const champions = new Set(
    readChain(registry.objects, useCase)
      .filter(({ kind }) => kind === 'promote')
      .map(({ version }) => version),
  );
  const log = readLog(gold.objects, predictions);
  const published = new Set<string>();
  for (const [i, actions] of (log?.commits ?? []).entries()) {
    const files = actions.flatMap(({ add }) =>
      add ? [gold.objects.get(`${predictions}/${add['path'] as string}`)!] : [],
    );
    const rows = await reader.rowsOf(files);
    for (const column of ['run_id', 'model_version', 'model_digest', 'data_version'] as const) {
      const values = new Set(rows.map((row) => row[column]));
      demand(values.size === 1, `version ${i} of the predictions has ${values.size} values of ${column}`);
    }
    const { model_version: version, model_digest: digest, data_version: dataVersion } = rows[0];
    demand(
      versions.get(Number(version))?.digest === digest,
      `version ${i} of the predictions is by another model than it says`,
    );
    demand(champions.has(Number(version)), `version ${i} of the predictions is by a model that never was champion`);
    demand(new Set(rows.map(identity)).size === rows.length, `version ${i} of the predictions has a row twice`);
    for (const row of rows) {
      const once = `${identity(row)} by version ${Number(version)}`;
      demand(
        !published.has(once),
        `version ${i} of the predictions has a row that an earlier one has by the same model`,
      );
      published.add(once);
    }
    const batches = new Set(rows.map((row) => row['_batch']));
    const pinned = await reader.rows(upTo(world, Number(dataVersion)), features);
    const due = holding(pinned).filter((row) => batches.has(row['_batch']));
    demand(due.length === rows.length, `version ${i} of the predictions has ${rows.length} of ${due.length} rows`);
  }
}

/** The gold zone as it was when the feature table had that version. */
function upTo(world: World, version: number) {
  const last = `${features}/_delta_log/${String(version).padStart(20, '0')}.json`;
  return new Map(
    [...world.stores.gold.objects].filter(([key]) => !key.startsWith(`${features}/_delta_log/`) || key <= last),
  );
}

/** Of each member the row that was built last. */
function holding(rows: readonly Row[]): Row[] {
  const latest = new Map<string, Row>();
  const order = ({ _built_at: at, _batch: batch }: Row) => [Date.parse(at as string), batch as string] as const;
  for (const row of rows) {
    const held = latest.get(row['member_no'] as string);
    const [at, batch] = order(row);
    const [heldAt, heldBatch] = held ? order(held) : [-Infinity, ''];
    if (at > heldAt || (at === heldAt && batch < heldBatch)) latest.set(row['member_no'] as string, row);
  }
  return [...latest.values()];
}
