import { quoteName } from '../../data/quote.ts';
import { type SqlEngine, openSql } from '../../data/sql.ts';
import { ConcurrentChange } from '../../lake/errors.ts';
import type { Snapshot } from '../../lake/snapshot.ts';
import { type DeltaTable, deltaTable } from '../../lake/table.ts';
import { mount } from '../../lake/mount.ts';
import type { ObjectStore } from '../../ports/object-store.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import type { Declaration } from '../../usecase/declaration.ts';

/** Runs the work with an SQL engine of its own, which is closed whatever happens. */
export async function withSql<T>(ports: Ports, work: (sql: SqlEngine) => Promise<T>): Promise<T> {
  const sql = await openSql({ temporaryDirectory: ports.temporaryDirectory });
  try {
    return await work(sql);
  } finally {
    await sql.close();
  }
}

/** So often work is done anew because somebody else was faster. */
const mostTries = 5;

/** Does the work again where the table that it rests on has changed before it could write. */
export async function againOnChange<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ConcurrentChange) || tries === mostTries) throw error;
    }
  }
}

/** A table of the lake with the run's clock and ids. */
export function lakeTable(ports: Ports, store: ObjectStore, path: string, sql?: SqlEngine): DeltaTable {
  return deltaTable(store, path, { clock: ports.clock, ids: ports.ids, ...(sql && { sql }) });
}

export const silverPath = (useCase: string, source: string) => `tables/${useCase}/${source}`;
export const quarantinePath = (useCase: string, source: string) => `quarantine/${useCase}/${source}`;
export const featuresPath = (useCase: string) => `features/${useCase}`;
export const predictionsPath = (useCase: string) => `predictions/${useCase}`;
/** What versions in shadow have predicted: nothing that acts reads it. */
export const shadowsPath = (useCase: string) => `shadows/${useCase}`;
export const recommendationsPath = (useCase: string) => `recommendations/${useCase}`;
/** The pairs that the contact policy removed, each with its rule. */
export const removalsPath = (useCase: string) => `recommendations/${useCase}-removed`;
/** Marks the features of a run in the log of their table: they are appended once. */
export const featuresTxn = (runId: string) => ({ appId: `features:${runId}`, version: 1 });
export const driftPath = (useCase: string) => `drift/${useCase}`;

/** What was decided in each month, against what happened, as each look at it found it. */
export const confusionPath = (useCase: string) => `drift/${useCase}-confusion`;

/** Makes the table, as of a version, the view `name`; false where there is no table yet. */
export async function mountTable(
  table: DeltaTable,
  sql: SqlEngine,
  name: string,
  version?: number,
): Promise<Snapshot | undefined> {
  if (!(await table.latest())) return undefined;
  const snapshot = await table.snapshot(version === undefined ? undefined : { version });
  await mount(sql, snapshot, name);
  return snapshot;
}

/**
 * The rows that hold now: of several about one entity at one time, the one that came last. Without keys every row holds. The
 * condition says of which rows; those of one entity at one time must meet it together.
 */
export function currentRows(view: string, keys: readonly string[], latestFirst: string, condition = 'true'): string {
  const rows = `SELECT * FROM ${quoteName(view)} WHERE ${condition}`;
  if (keys.length === 0) return rows;
  const by = keys.map(quoteName).join(', ');
  return `${rows} QUALIFY row_number() OVER (PARTITION BY ${by} ORDER BY ${latestFirst}) = 1`;
}

/** Which of several feature rows of one entity at one time holds: the one built last. */
export const latestBuilt = '_built_at DESC, _batch';

/** The feature table as models see it: current rows, in a fixed order. */
export function currentFeatures({ entity }: Declaration): string {
  const order = `${quoteName(entity.key)}, ${quoteName(entity.eventTime)}`;
  return `${currentRows('features', [entity.key, entity.eventTime], latestBuilt)} ORDER BY ${order}`;
}
