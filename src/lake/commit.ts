import type { Json } from '../data/json.ts';
import type { SqlEngine } from '../data/sql.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { Action } from './actions.ts';
import { writeCheckpoint } from './checkpoint.ts';
import { CommitConflict } from './errors.ts';
import { tryCommit } from './log.ts';
import type { LogReader } from './reader.ts';
import type { Snapshot } from './snapshot.ts';

/** What a table needs besides its store. */
export type LakeContext = {
  clock: Clock;
  ids: Ids;
  /** Reads and writes checkpoints. @default - none are written, and every version is replayed from the first commit */
  sql?: SqlEngine;
  /** How often a commit is tried when others keep winning the version. @default - 100 */
  commitAttempts?: number;
};

/** A commit that suits one snapshot: what to change, and what the history shall say of it. */
export type Plan = {
  actions: Action[];
  operation: string;
  parameters: { [name: string]: Json };
  metrics: { [name: string]: number };
  /** Whether it adds rows without regard to those that are there; what other writers of Delta then need not fear. */
  isBlindAppend: boolean;
};

/** `written` says whether this call made the version, or found nothing to change in it. */
export type CommitOutcome = { version: number; written: boolean };

/**
 * Commits by optimistic concurrency. `plan` looks at the latest snapshot (undefined while there is no table) and answers with
 * a commit, with undefined for nothing to do, or by throwing where its change no longer fits. Whenever another writer takes
 * the version first, the new snapshot is planned for afresh, so every commit follows from the version right before it: the
 * history is serializable. There is no waiting in between: to lose is to know that somebody else has won.
 * Throws `CommitConflict` after `context.commitAttempts`.
 */
export async function commit(
  reader: LogReader,
  context: LakeContext,
  plan: (latest: Snapshot | undefined) => Promise<Plan | undefined>,
): Promise<CommitOutcome> {
  const attempts = context.commitAttempts ?? 100;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const latest = await reader.latest();
    const readVersion = latest?.version ?? -1;
    const planned = await plan(latest);
    if (!planned) return { version: readVersion, written: false };
    const version = readVersion + 1;
    const actions = [{ commitInfo: commitInfo(context, planned, readVersion) }, ...planned.actions];
    if (await tryCommit(reader.at, version, actions)) {
      if (version > 0 && version % checkpointInterval(latest) === 0) await checkpoint(reader, context, version);
      return { version, written: true };
    }
  }
  throw new CommitConflict(reader.at.path, attempts);
}

function commitInfo(context: LakeContext, plan: Plan, readVersion: number) {
  const { operation, parameters, metrics, isBlindAppend } = plan;
  return {
    timestamp: context.clock.nowMs(),
    operation,
    operationParameters: parameters,
    // Delta's other writers give metrics as text
    operationMetrics: Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, String(value)])),
    ...(readVersion >= 0 && { readVersion }),
    isolationLevel: 'Serializable',
    isBlindAppend,
    engineInfo: 'Bordereau',
    txnId: context.ids.next(),
  };
}

/** How many versions apart checkpoints are. */
function checkpointInterval(latest: Snapshot | undefined): number {
  return Number(latest?.metadata.configuration?.['delta.checkpointInterval'] ?? 10);
}

async function checkpoint(reader: LogReader, { sql, clock }: LakeContext, version: number): Promise<void> {
  if (!sql) return;
  try {
    await writeCheckpoint(sql, await reader.snapshot({ version }), clock.nowMs() - tombstoneRetentionMs);
  } catch {
    // the commit stands, and a caller who heard of a failure would write its rows again; the next one due makes up for it
  }
}

/** Delta's own default: files taken out of a table may be cleaned up a week later. */
export const tombstoneRetentionMs = 7 * 24 * 3_600_000;
