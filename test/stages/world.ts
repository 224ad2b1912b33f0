import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../src/data/json.ts';
import { releaseLease } from '../../src/governance/lease.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { RecordedEvent } from '../../src/ports/executions.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { Ports } from '../../src/ports/stage-ports.ts';
import { openPorts } from '../../src/runtime/ports.ts';
import { stageFunctions } from '../../src/runtime/stages.ts';
import { retrainLease } from '../../src/stages/common/retrain-lease.ts';
import { lakeTable, mountTable, withSql } from '../../src/stages/common/sql.ts';
import { runStage } from '../../src/stages/run.ts';
import type { StageInput, StageName, StageOutput, Zone } from '../../src/stages.ts';
import { generate } from '../../usecases/insurance-cost/generate.ts';
import { copyOf, temporaryDirectory, useCasesFolder } from './use-cases.ts';

export const useCase = 'insurance-cost';
export const january = Date.parse('2026-01-05T09:00:00Z');
export const february = Date.parse('2026-02-05T09:00:00Z');

/** Stages on a directory of their own and a clock that stands until it is set: every stage can be entered in the middle. */
export type World = {
  directory: string;
  ports: Ports;
  setClock(nowMs: number): void;
  /** Between its schemas and within its declared places, as a machine runs it. */
  run: <Name extends StageName>(stage: Name, input: StageInput<Name>) => Promise<StageOutput<Name>>;
  /** Puts a file where insurers drop theirs; gives what `Validate` takes. */
  drop(fileName: string, bytes: Uint8Array | string, source?: string): Promise<StageInput<'Validate'>>;
  /** Rows of a table of the lake, where SQL knows it as `rows`. */
  rows(zone: Zone, path: string, query?: string): Promise<{ [column: string]: Json }[]>;
  close(): void;
};

export type WorldOptions = {
  /** A folder of use cases. @default - insurance-cost with a small search */
  useCases?: string;
  /** The state to begin with. @default - nothing */
  from?: World;
  histories?: { [execution: string]: RecordedEvent[] };
};

export async function openWorld({ useCases, from, histories = {} }: WorldOptions = {}): Promise<World> {
  const { path, remove } = temporaryDirectory();
  const directory = join(path, 'state');
  if (from) copyOf(from.directory, directory);
  let nowMs = from?.ports.clock.nowMs() ?? january;
  const clock: Clock = { nowMs: () => nowMs, sleep: async () => undefined };
  const folder = useCases ?? useCasesFolder(join(path, 'usecases'));
  const opened = await openPorts({ directory, useCases: folder, codeVersion: 'c0de' });
  const ports: Ports = { ...opened, clock, executions: { history: async (execution) => histories[execution] } };
  return {
    directory,
    ports,
    setClock: (to) => (nowMs = to),
    run: (stage, input) => runStage(stage, stageFunctions[stage] as never, input, ports),
    async drop(fileName, bytes, source = 'policies') {
      const key = `drops/${useCase}/${source}/${fileName}`;
      await ports.bronze.put(key, typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes);
      utimesSync(join(directory, 'bronze', key), nowMs / 1000, nowMs / 1000);
      return { runId: `drop-${fileName}`, key, etag: (await ports.bronze.head(key))!.etag };
    },
    rows: (zone, path, query = 'FROM rows') =>
      withSql(ports, async (sql) => {
        const mounted = await mountTable(lakeTable(ports, ports[zone], path, sql), sql, 'rows');
        return mounted ? sql.rows(query) : [];
      }),
    close: remove,
  };
}

/** A month of policies from the product's own generator: 1,200 records unless told. */
export const policies = (options: Parameters<typeof generate>[0] = {}) => generate({ rows: 1200, ...options })[0].bytes;

/** Drop, Validate, and its features; gives the run's id. */
export async function ingest(world: World, fileName: string, bytes: Uint8Array | string): Promise<string> {
  const dropped = await world.drop(fileName, bytes);
  await world.run('Validate', dropped);
  await build(world, dropped.runId);
  return dropped.runId;
}

/** Plan to Append. */
export async function build(world: World, runId: string, of = useCase): Promise<StageOutput<'Append'>> {
  return world.run('Append', await buckets(world, runId, of));
}

/** Plan and Features; gives what `Append` takes. */
export async function buckets(world: World, runId: string, of = useCase): Promise<StageInput<'Append'>> {
  const { plan, partitions } = await world.run('Plan', { useCase: of, runId });
  const parts = [];
  for (const partition of partitions) parts.push(await world.run('Features', { useCase: of, runId, plan, partition }));
  return { useCase: of, runId, plan, parts };
}

/** From now on the features are built in so many buckets. */
export function inBuckets({ ports }: World, buckets: number): void {
  ports.catalogue = structuredClone(ports.catalogue);
  for (const { declaration } of ports.catalogue.useCases) declaration.features.buckets = buckets;
}

/** Snapshot to Evaluate, and the lease given back; gives the version. */
export async function train(
  world: World,
  runId: string,
  cause: StageInput<'Snapshot'>['cause'] = 'manual',
): Promise<number> {
  const { snapshot, candidates, reason } = await world.run('Snapshot', { useCase, runId, cause });
  if (!snapshot) throw new Error(`Nothing was frozen. ${reason}`);
  const tuned = [];
  for (const candidate of candidates) tuned.push(await world.run('Tune', { useCase, runId, snapshot, candidate }));
  const { key } = await world.run('Train', { useCase, runId, snapshot, candidates, tuned });
  const { version } = await world.run('Evaluate', { useCase, runId, snapshot, key });
  await releaseLease(retrainLease(world.ports, useCase), runId);
  return version;
}

/** Govern and, where the gates open, Promote; `evidence` is of a version in shadow. */
export async function govern(
  world: World,
  runId: string,
  version: number,
  evidence?: string,
): Promise<StageOutput<'Govern'>> {
  const verdict = await world.run('Govern', { useCase, runId, version, evidence });
  const { promote, ...decision } = verdict;
  if (promote) await world.run('Promote', decision);
  return verdict;
}

/** Pin to Publish; gives what `Monitor` takes. */
export async function score(world: World, runId: string): Promise<StageInput<'Monitor'>> {
  const { version, predictionsVersion } = await scored(world, runId, 'manual');
  return { useCase, runId, version, predictionsVersion };
}

/** The same for the version in shadow; gives what `Publish` says of it. */
export const scoreShadow = (world: World, runId: string) => scored(world, runId, 'shadow');

async function scored(world: World, runId: string, cause: StageInput<'Pin'>['cause']): Promise<StageOutput<'Publish'>> {
  const { pin, batches, partitions, reason } = await world.run('Pin', { useCase, runId, cause });
  if (!pin) throw new Error(`Nothing was pinned. ${reason}`);
  const parts = [];
  for (const partition of partitions) parts.push(await world.run('Score', { useCase, runId, pin, batches, partition }));
  return world.run('Publish', { useCase, runId, pin, batches, parts });
}

/** Every object of a zone with its bytes, by key. */
export async function contents(store: ObjectStore, prefix = ''): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { key } of store.list(prefix)) {
    found.set(key, Buffer.from((await store.get(key)) ?? []).toString('base64'));
  }
  return found;
}
