import { DataType, type Table, type Vector, tableFromIPC } from 'apache-arrow';
import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { type SafeHarborClass, safeHarborClasses } from './classes.ts';
import { datePatterns, detectors, ownCodes } from './patterns.ts';

/** Something that looks like an identifier, where, and how often; never the thing itself. */
export type Finding = {
  class: SafeHarborClass;
  /** An object's key; of a table with `#column`. */
  place: string;
  count: number;
};

export type Scan = {
  /** Identifiers known from elsewhere, to be looked for as they are; the only way to find a name. */
  known?: readonly { class: SafeHarborClass; text: string }[];
  /** Days (2026-11-20) on which the product itself did something: they may stand anywhere. */
  ownDays?: ReadonlySet<string>;
  /** Columns whose times are no dates of a person. */
  recordTimes?: readonly string[];
};

/** How many identifiers of each class a text seems to hold. */
export function scanText(text: string, { known = [], ownDays = new Set() }: Scan = {}): Map<SafeHarborClass, number> {
  const found = new Map<SafeHarborClass, number>();
  const add = (kind: SafeHarborClass, count = 1) => found.set(kind, (found.get(kind) ?? 0) + count);
  const lowerCase = known.length > 0 ? text.toLowerCase() : '';
  for (const identifier of known) {
    const count = lowerCase.split(identifier.text.toLowerCase()).length - 1;
    if (count > 0) add(identifier.class, count);
  }

  let rest = text;
  for (const pattern of ownCodes) rest = rest.replace(pattern, ' ');
  for (const pattern of datePatterns) {
    rest = rest.replace(pattern, (match: string, ...groups: unknown[]) => {
      const { iso } = (groups.at(-1) ?? {}) as { iso?: string };
      const day = iso ?? isoDay(match);
      if (!ownDays.has(day)) add('dates');
      return ' ';
    });
  }
  for (const { class: kind, pattern, valid } of detectors) {
    rest = rest.replace(pattern, (match: string) => {
      if (valid && !valid(match)) return match;
      add(kind);
      return ' ';
    });
  }
  return found;
}

/**
 * Scans every object of a store whose key starts with `prefix`: tables (Parquet, Arrow) column by column, everything else as
 * text. `place` is put before the keys of the findings.
 */
export async function scanDirectory(
  store: ObjectStore,
  { sql, place = '', prefix = '', ...scan }: Scan & { sql: SqlEngine; place?: string; prefix?: string },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for await (const { key } of store.list(prefix)) {
    const bytes = await store.get(key);
    if (!bytes) continue;
    for (const { at, found } of await scanObject(store, key, bytes, sql, scan)) {
      for (const [kind, count] of found) findings.push({ class: kind, place: `${place}${key}${at}`, count });
    }
  }
  return findings.sort(
    (a, b) => safeHarborClasses.indexOf(a.class) - safeHarborClasses.indexOf(b.class) || (a.place < b.place ? -1 : 1),
  );
}

/** The days on which the product did something: those of executions, of log lines and of tables' commits. */
export async function ownDaysOf(stores: readonly ObjectStore[]): Promise<Set<string>> {
  const days = new Set<string>();
  for (const store of stores) {
    for await (const { key } of store.list('')) {
      if (!/(^executions\/|_delta_log\/).*\.json$|^log\.jsonl$/.test(key)) continue;
      const text = new TextDecoder().decode(await store.get(key));
      for (const [, ms] of text.matchAll(/"(?:timestamp|startMs|stopMs)":(\d{13})\b/g))
        days.add(new Date(Number(ms)).toISOString().slice(0, 10));
      for (const [, day] of text.matchAll(/^\{"time":"(\d{4}-\d{2}-\d{2})T/gm)) days.add(day);
    }
  }
  return days;
}

type Found = { at: string; found: Map<SafeHarborClass, number> }[];

async function scanObject(
  store: ObjectStore,
  key: string,
  bytes: Uint8Array,
  sql: SqlEngine,
  scan: Scan,
): Promise<Found> {
  const named = { at: '', found: scanText(key, scan) };
  if (isImage(bytes)) return [named, { at: '', found: new Map([['photographs', 1]]) }];
  if (startsWith(bytes, 'PAR1')) return [named, ...(await scanParquet(store, key, sql, scan))];
  if (startsWith(bytes, 'ARROW1')) return [named, ...scanArrow(tableFromIPC(bytes), scan)];
  return [named, { at: '', found: scanText(withoutRecordTimes(new TextDecoder().decode(bytes), scan), scan) }];
}

/** Distinct values that are looked at of a column of numbers: they are identifiers by the column's name, so a few will do. */
const numbersLookedAt = 1000;

async function scanParquet(store: ObjectStore, key: string, sql: SqlEngine, scan: Scan): Promise<Found> {
  const copy = await store.localCopy(key);
  try {
    const from = `FROM read_parquet(${quoteText(copy.path)}, hive_partitioning = false)`;
    const found: Found = [];
    for (const { column_name, column_type } of await sql.rows(`DESCRIBE SELECT * ${from}`)) {
      const [name, type] = [column_name as string, column_type as string];
      const value = quoteName(name);
      if (/^(DATE|TIMESTAMP)/.test(type)) {
        const days = await sql.rows(
          `SELECT ${value}::DATE AS day, count(*) AS n ${from} WHERE ${value} IS NOT NULL GROUP BY ALL`,
        );
        found.push({
          at: `#${name}`,
          found: times(
            name,
            days.map(({ day, n }) => [(day as string).slice(0, 10), Number(n)]),
            scan,
          ),
        });
      } else if (!/^(DOUBLE|FLOAT|BOOLEAN)$/.test(type)) {
        const limit = type.endsWith('INT') || type.endsWith('INTEGER') ? `LIMIT ${numbersLookedAt}` : '';
        const values = await sql.rows(
          `SELECT DISTINCT ${value}::VARCHAR AS v ${from} WHERE ${value} IS NOT NULL ORDER BY 1 ${limit}`,
        );
        found.push({
          at: `#${name}`,
          found: scanColumn(
            name,
            values.map(({ v }) => v as string),
            scan,
          ),
        });
      }
    }
    return found;
  } finally {
    await copy.release();
  }
}

function scanArrow(table: Table, scan: Scan): Found {
  return table.schema.fields.map(({ name, type }) => {
    const column = table.getChild(name) as Vector;
    const at = `#${name}`;
    if (DataType.isTimestamp(type) || DataType.isDate(type)) {
      const days = Array.from(column, (ms: number | null) =>
        ms === null ? '' : new Date(ms).toISOString().slice(0, 10),
      );
      return {
        at,
        found: times(
          name,
          days.filter((day) => day !== '').map((day) => [day, 1]),
          scan,
        ),
      };
    }
    if (DataType.isFloat(type) || DataType.isBool(type)) return { at, found: new Map() };
    const values = [...new Set(column)].filter((value) => value !== null);
    const kept = DataType.isInt(type) ? values.slice(0, numbersLookedAt) : values;
    return { at, found: scanColumn(name, kept.map(String), scan) };
  });
}

/** A column's values, each behind the column's name, which may say what they are. */
function scanColumn(name: string, values: readonly string[], scan: Scan): Map<SafeHarborClass, number> {
  const found = scanText(values.map((value) => `${name}: ${value}`).join('\n'), scan);
  if (scan.recordTimes?.includes(name)) found.delete('dates');
  return found;
}

/** Times on other days than the product's own are dates of somebody. Columns that begin with "_" tell when it did what. */
function times(
  name: string,
  days: readonly (readonly [day: string, count: number])[],
  scan: Scan,
): Map<SafeHarborClass, number> {
  if (name.startsWith('_') || scan.recordTimes?.includes(name)) return new Map();
  const count = days.reduce((sum, [day, n]) => (scan.ownDays?.has(day) ? sum : sum + n), 0);
  return count === 0 ? new Map() : new Map([['dates', count]]);
}

/** The text without the values of those columns, as tables' logs repeat them in their statistics. */
function withoutRecordTimes(text: string, { recordTimes = [] }: Scan): string {
  return recordTimes.reduce(
    (rest, name) => rest.replaceAll(new RegExp(String.raw`(\\?"_?${name}\\?":\s?)\\?"[^"\\]{0,40}\\?"`, 'g'), '$1null'),
    text,
  );
}

/** 07/04/1961, 4.7.1961, 4 July 1961 and July 4, 1961 as 1961-07-04. */
function isoDay(text: string): string {
  const day = new Date(`${/^\d+\.\d+\.\d{4}$/.test(text) ? text.split('.').reverse().join('-') : text} UTC`);
  return Number.isNaN(day.getTime()) ? '' : day.toISOString().slice(0, 10);
}

const startsWith = (bytes: Uint8Array, magic: string): boolean =>
  Buffer.from(bytes.subarray(0, magic.length)).toString('latin1') === magic;

const isImage = (bytes: Uint8Array): boolean =>
  startsWith(bytes, '\xFF\xD8\xFF') || startsWith(bytes, '\x89PNG') || startsWith(bytes, 'GIF8');
