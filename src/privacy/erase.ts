import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import { deleteRows } from '../lake/change.ts';
import { mount } from '../lake/mount.ts';
import type { DeltaTable } from '../lake/table.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Accountable, Vault } from './vault.ts';

export type EraseInput = {
  vault: Vault;
  /** As the insurer knows the member. */
  identifier: string;
  /** Whether the contract's key is a pseudonym, which stands in the tables as it is. */
  pseudonym?: boolean;
  by: Accountable;
  sql: SqlEngine;
  /** Tables outside the PHI zone, with the column of surrogates. */
  tables: readonly { name: string; table: DeltaTable; column: string }[];
  /** Tables of quarantined rows, with their raw text. */
  quarantines: readonly { name: string; table: DeltaTable }[];
  /** Files of records that were exported. @default - there are none */
  exports?: { store: ObjectStore; prefix: string };
  /** Takes the decisions about the member out of the log of decisions, and gives how many there were. @default - there is none */
  forgetDecisions?: (identifier: string) => Promise<number>;
  /** The model versions that were trained on rows of that surrogate. */
  learntFrom: (surrogate: string) => Promise<number[]>;
};

export type Erased = {
  /** Whether there can have been rows of the member; if the vault did not know them, there were none outside quarantine. */
  known: boolean;
  /** The rows that were deleted, by table. */
  deleted: { [table: string]: number };
  /** Export files that were written anew without the member's lines, and how many those were. */
  exports: { [key: string]: number };
  /** Decisions that were taken online, out of their log. */
  decisions: number;
  /** Models that have learnt from the member and should be trained again. */
  retrain: number[];
};

/**
 * Erases a member: let in no more, rows deleted from the current version of every table, records of predictions and
 * recommendations included, from export files and from the log of decisions; the surrogate's meaning destroyed. Each table's history names the erasure.
 * Cut short anywhere it is done again by the same call. What is left for their retention: older versions of the tables until
 * a vacuum, the delivered files until bronze's, and frozen training sets, in which the surrogate now stands for nobody.
 */
export async function eraseMember(input: EraseInput): Promise<Erased> {
  const { vault, identifier, by, sql } = input;
  const stored = await vault.tombstone(identifier);
  const surrogate = input.pseudonym ? identifier : stored;
  const deleted: Erased['deleted'] = {};
  let exports: Erased['exports'] = {};
  for (const { name, table } of input.quarantines) deleted[name] = await deleteQuarantined(sql, table, identifier);
  const decisions = (await input.forgetDecisions?.(identifier)) ?? 0;

  let retrain: number[] = [];
  if (surrogate !== undefined) {
    for (const { name, table, column } of input.tables) {
      if (!(await table.latest())) continue;
      const keys = `SELECT ${quoteText(surrogate)} AS ${quoteName(column)}`;
      const { matchedRows } = await deleteRows(table, sql, keys, { isErasure: true, details: { reason: 'erasure' } });
      deleted[name] = matchedRows;
    }
    if (input.exports) exports = await deleteExported(input.exports, surrogate);
    retrain = await input.learntFrom(surrogate);
    await vault.record({ action: 'erase', surrogate, ...by, details: { deleted, exports, decisions, retrain } });
  }
  await vault.shred(identifier);
  return { known: surrogate !== undefined, deleted, exports, decisions, retrain };
}

/** Writes the CSV files anew that have records with the surrogate as a field, without those. */
async function deleteExported(
  { store, prefix }: { store: ObjectStore; prefix: string },
  surrogate: string,
): Promise<Erased['exports']> {
  const removed: Erased['exports'] = {};
  const isField = new RegExp(`(^|[,"\\n])${escaped(surrogate)}([,"\\r\\n]|$)`);
  for await (const { key } of store.list(prefix)) {
    const records = csvRecords(new TextDecoder().decode(await store.get(key)));
    const kept = records.filter((record) => !isField.test(record));
    if (kept.length === records.length) continue;
    await store.put(key, new TextEncoder().encode(kept.join('')));
    removed[key] = records.length - kept.length;
  }
  return removed;
}

/** A CSV file's records with their line ends; a line end within quotes is part of the record. */
const csvRecords = (text: string): string[] => text.match(/(?:"[^"]*"|[^"\n])*(?:\n|$)/g)?.filter(Boolean) ?? [];

/** Deletes the quarantined rows whose raw text has the identifier as a value of its own. */
async function deleteQuarantined(sql: SqlEngine, table: DeltaTable, identifier: string): Promise<number> {
  const latest = await table.latest();
  if (!latest) return 0;
  const mounted = await mount(sql, latest, 'quarantined_before_erasure');
  try {
    const value = quoteText(`(^|[^\\w-])\\Q${identifier.replaceAll('\\E', '')}\\E([^\\w-]|$)`);
    await sql.run(`CREATE OR REPLACE TEMP TABLE quarantined_member AS
      SELECT DISTINCT drop_id, line FROM quarantined_before_erasure WHERE regexp_matches(raw, ${value})`);
  } finally {
    await mounted.release();
  }
  const { matchedRows } = await deleteRows(table, sql, 'SELECT * FROM quarantined_member');
  await sql.run('DROP TABLE quarantined_member');
  return matchedRows;
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
