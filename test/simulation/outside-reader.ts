import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../src/data/json.ts';
import type { SqlEngine } from '../../src/data/sql.ts';
import type { Kept } from './twin-store.ts';

/** What must never be, was. */
export class Violation extends Error {
  override name = 'Violation';
}

export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Violation(what);
}

export type Row = { [column: string]: Json };
type Action = { [kind: string]: { [field: string]: Json } };

/** A table by its log: every version's actions and the files that are live in the last one. */
export type Log = { commits: Action[][]; files: Map<string, { [field: string]: Json }> };

const decoder = new TextDecoder();

/**
 * Reads a table's log by nothing but the Delta protocol's words: the commits from 0 on, one JSON action per line, what is added
 * and not removed is live. Undefined where there is no table. A hole, a torn line, a missing or other file is a `Violation`.
 */
export function readLog(objects: ReadonlyMap<string, Kept>, path: string): Log | undefined {
  const commits: Action[][] = [];
  const files: Log['files'] = new Map();
  const versions = [...objects.keys()].filter((key) => key.startsWith(`${path}/_delta_log/`) && key.endsWith('.json'));
  for (const [i, key] of versions.sort().entries()) {
    demand(key.endsWith(`/${String(i).padStart(20, '0')}.json`), `${path}: version ${i} is missing, ${key} follows`);
    const actions = actionsOf(key, decoder.decode(objects.get(key)!.bytes));
    commits.push(actions);
    for (const { add, remove } of actions) {
      if (remove) files.delete(remove['path'] as string);
      if (!add) continue;
      const name = add['path'] as string;
      demand(!files.has(name), `${path}: version ${i} adds ${name}, which is there`);
      files.set(name, add);
    }
  }
  for (const [name, { size }] of files) {
    const kept = objects.get(`${path}/${name}`);
    demand(kept !== undefined, `${path}: ${name} is in the log and not in the store`);
    demand(kept.bytes.length === size, `${path}: ${name} has another size than the log says`);
    demand(name.includes(kept.sha256), `${path}: ${name} does not have the content that its name promises`);
  }
  return commits.length === 0 ? undefined : { commits, files };
}

function actionsOf(key: string, text: string): Action[] {
  demand(text.endsWith('\n'), `${key} is cut short`);
  try {
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Action);
  } catch {
    throw new Violation(`${key} holds half an action`);
  }
}

/** A document of the store. A half-written one is a `Violation`. */
export function readJson<T>(objects: ReadonlyMap<string, Kept>, key: string): T | undefined {
  const kept = objects.get(key);
  if (!kept) return undefined;
  try {
    return JSON.parse(decoder.decode(kept.bytes)) as T;
  } catch {
    throw new Violation(`${key} is no JSON document`);
  }
}

/** Reads rows as an analyst with DuckDB would; what a file holds is kept, because files never change. */
export class OutsideReader {
  readonly #sql: SqlEngine;
  readonly #directory: string;
  readonly #known = new Map<string, Row[]>();

  constructor(sql: SqlEngine, directory: string) {
    this.#sql = sql;
    this.#directory = directory;
  }

  /** All rows of the table's last version; none where there is no table. */
  async rows(objects: ReadonlyMap<string, Kept>, path: string): Promise<Row[]> {
    const log = readLog(objects, path);
    return this.rowsOf([...(log?.files.keys() ?? [])].map((name) => objects.get(`${path}/${name}`)!));
  }

  /** What a reader would see who takes the directory for the table, and no notice of the log. */
  async rowsByListing(objects: ReadonlyMap<string, Kept>, path: string): Promise<Row[]> {
    const names = [...objects.keys()].filter((key) => key.startsWith(`${path}/part-`));
    return this.rowsOf(names.map((key) => objects.get(key)!));
  }

  /** The rows of these files. */
  async rowsOf(files: readonly Kept[]): Promise<Row[]> {
    const rows: Row[] = [];
    for (const file of files) rows.push(...(await this.#rowsIn(file)));
    return rows;
  }

  async #rowsIn({ bytes, sha256 }: Kept): Promise<Row[]> {
    const known = this.#known.get(sha256);
    if (known) return known;
    const path = join(this.#directory, `outside-${sha256}.parquet`);
    writeFileSync(path, bytes);
    try {
      const rows = await this.#sql.rows(`FROM read_parquet('${path}')`).catch(() => undefined);
      demand(rows !== undefined, `the file with the SHA-256 ${sha256} is no Parquet`);
      this.#known.set(sha256, rows);
      return rows;
    } finally {
      rmSync(path);
    }
  }
}

export const sha256Of = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
