import type { SqlEngine } from '../data/sql.ts';
import type { CommitInfo } from './actions.ts';
import { lastCheckpoint, readCheckpoint } from './checkpoint.ts';
import { LogDamaged, TableNotFound, VersionNotFound } from './errors.ts';
import {
  commitInfoOf,
  commitName,
  commitTimeMs,
  listLog,
  readCommit,
  readCommits,
  type Commit,
  type Location,
  type LogListing,
} from './log.ts';
import { emptyState, replay, snapshotOf, type Snapshot } from './snapshot.ts';

/** Which version to read: that one, or the one that was the latest at that time. */
export type AsOf = { version: number } | { timestampMs: number };

/** One version in a table's history: when it was committed, and what its writer says of it. */
export type HistoryEntry = CommitInfo & { version: number; timestampMs: number };

/**
 * Reads a table's log. What was read once is kept, for a log only ever grows: the latest snapshot is brought up to date by
 * asking for the version behind it, until there is none.
 */
export class LogReader {
  readonly at: Location;
  readonly #sql: SqlEngine | undefined;
  #latest: Snapshot | undefined;

  /** With an engine, checkpoints are made use of; without one, every version is replayed from the first commit. */
  constructor(at: Location, sql: SqlEngine | undefined) {
    this.at = at;
    this.#sql = sql;
  }

  /** The latest snapshot, or undefined while there is no table. */
  async latest(): Promise<Snapshot | undefined> {
    let snapshot = this.#latest ?? (await this.#loadLatest());
    while (snapshot) {
      const commit = await readCommit(this.at, snapshot.version + 1);
      if (!commit) break;
      const time = { version: commit.version, timestampMs: await laterOf(this.at, snapshot.timestampMs, [commit]) };
      snapshot = snapshotOf(this.at, replay(snapshot, commit.actions), time);
    }
    // another call may have come further meanwhile
    if (snapshot && snapshot.version > (this.#latest?.version ?? -1)) this.#latest = snapshot;
    return snapshot;
  }

  /** Throws `TableNotFound`, or `VersionNotFound` with what there is instead. */
  async snapshot(asOf?: AsOf): Promise<Snapshot> {
    const latest = await this.latest();
    if (!latest) throw new TableNotFound(this.at.path);
    if (!asOf) return latest;
    const version = 'version' in asOf ? asOf.version : await this.#versionAt(asOf.timestampMs);
    if (version === latest.version) return latest;
    const exists = Number.isInteger(version) && version >= 0 && version < latest.version;
    if (!exists) throw new VersionNotFound(this.at.path, String(version), `0 to ${latest.version}`);
    return this.#load(version, await listLog(this.at));
  }

  /** The versions whose commits are still there, the latest first. Throws `TableNotFound`. */
  async history(): Promise<HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    let timestampMs = 0;
    for (const commit of await this.#commits()) {
      timestampMs = await laterOf(this.at, timestampMs, [commit]);
      entries.push({ ...commitInfoOf(commit), version: commit.version, timestampMs });
    }
    return entries.reverse();
  }

  async #commits(): Promise<Commit[]> {
    const { commits } = await listLog(this.at);
    if (commits.length === 0) throw new TableNotFound(this.at.path);
    return readCommits(this.at, commits);
  }

  async #versionAt(timestampMs: number): Promise<number> {
    const entries = await this.history();
    const found = entries.find((entry) => entry.timestampMs <= timestampMs);
    if (found) return found.version;
    const [asked, first] = [timestampMs, entries.at(-1)!.timestampMs].map((ms) => new Date(ms).toISOString());
    throw new VersionNotFound(this.at.path, `as of ${asked}`, `versions from ${first} on`);
  }

  async #loadLatest(): Promise<Snapshot | undefined> {
    const hint = this.#sql && (await lastCheckpoint(this.at));
    let listing = await listLog(this.at, hint);
    // the hint may be older than the log, or younger than a restored one: then it counts for nothing
    if (hint !== undefined && !listing.checkpoints.includes(hint)) listing = await listLog(this.at);
    const latest = listing.commits.at(-1) ?? listing.checkpoints.at(-1);
    return latest === undefined ? undefined : this.#load(latest, listing);
  }

  /** Replays the log up to `version`, from the last checkpoint that helps. */
  async #load(version: number, listing: LogListing): Promise<Snapshot> {
    const listed = new Set(listing.commits);
    const checkpoint = this.#sql && listing.checkpoints.findLast((candidate) => candidate <= version);
    const state = checkpoint === undefined ? emptyState : await readCheckpoint(this.#sql!, this.at, checkpoint);
    const start = checkpoint === undefined ? 0 : checkpoint + 1;
    const wanted = Array.from({ length: version + 1 - start }, (_, i) => start + i);
    const missing = wanted.find((candidate) => !listed.has(candidate));
    if (missing !== undefined) throw this.#gap(version, missing, listing);

    const commits = await readCommits(this.at, wanted);
    const actions = commits.flatMap((commit) => commit.actions);
    // the checkpoint itself tells no time, its version's commit does, where it is still there
    const timed = wanted.length > 0 || !listed.has(version) ? commits : await readCommits(this.at, [version]);
    return snapshotOf(this.at, replay(state, actions), { version, timestampMs: await laterOf(this.at, 0, timed) });
  }

  /** Why that version cannot be put together: older than what was kept, or a hole in the log. */
  #gap(version: number, missing: number, { commits, checkpoints }: LogListing): Error {
    const cleaned = missing === 0 && checkpoints.length > 0 && commits[0] !== 0;
    if (cleaned && this.#sql) {
      return new VersionNotFound(
        this.at.path,
        String(version),
        `only ${checkpoints[0]} and later ones, the older are cleaned up`,
      );
    }
    const problem = cleaned
      ? 'it was cleaned up; open the table with an SQL engine, to read its checkpoint'
      : 'it is missing';
    return new LogDamaged(this.at.path, commitName(missing), problem);
  }
}

/** The latest of a time and the commits' own: clocks differ, versions do not run backwards. */
async function laterOf(at: Location, timestampMs: number, commits: readonly Commit[]): Promise<number> {
  let latest = timestampMs;
  for (const commit of commits) latest = Math.max(latest, await commitTimeMs(at, commit));
  return latest;
}
