import { Field, RecordBatch, Schema, Struct, Table, Utf8, makeData, vectorFromArray } from 'apache-arrow';
import type { Column, Contract } from '../data/contract/contract.ts';
import { type PrivacyClass, privacyClassOf } from '../data/contract/privacy-class.ts';
import { lineageColumns } from '../data/contract/silver.ts';
import { quoteName, quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import { type Treatment, oldestAge, privacyRules, restrictedZip3 } from './classes.ts';
import type { Vault } from './vault.ts';

/** What becomes of each column of a source, in the contract's order. */
export type DeIdentification = {
  columns: { column: Column; privacy: PrivacyClass; declared: boolean; treatment: Treatment }[];
  /** The released columns that may single somebody out together. */
  quasi: string[];
};

/** Pure: what the contract's classes lead to. */
export function planDeIdentification(contract: Contract): DeIdentification {
  const columns = contract.columns.map((column) => {
    const privacy = privacyClassOf(column);
    return { column, privacy, declared: column.privacy !== undefined, treatment: privacyRules[privacy].treatment };
  });
  return {
    columns,
    quasi: columns.filter(({ privacy }) => privacyRules[privacy].quasi).map(({ column }) => column.name),
  };
}

/** The contract as it reads outside the PHI zone: without the columns that stay in it, the others in their released types. */
export function releasedContract(contract: Contract): Contract {
  const { columns } = planDeIdentification(contract);
  return { ...contract, columns: columns.flatMap(({ column, treatment }) => releasedColumn(column, treatment)) };
}

/** The SQL of a derived column failed. What the engine said is not repeated: it may quote a value. */
export class DerivationFailed extends Error {
  override readonly name = 'DerivationFailed';
}

export type DeIdentifyInput = {
  sql: SqlEngine;
  contract: Contract;
  /** A table of accepted rows with the contract's columns and the lineage columns. */
  from: string;
  /** What is made of them, in their order; a relation of that name and kind is replaced. */
  into: string;
  /**
   * A view costs no room for a second copy of many rows, is computed as often as it is read, and lasts until the next call.
   * @default - a temporary table
   */
  as?: 'table' | 'view';
  /** The vault of a column of identifiers or pseudonyms, by the column's name. */
  vaultOf: (column: string) => Pick<Vault, 'surrogatesOf' | 'hasErased' | 'erasedAmong'>;
  /** When the file arrived, in milliseconds: by then a member may have turned 90. */
  arrivedAtMs: number;
  /**
   * What keys begin with that ingestion made of a line's number, as the files had none. They are nobody's, and are kept.
   * @default - there are none
   */
  madeUp?: readonly string[];
};

/**
 * Makes the table that may leave the PHI zone, by the Safe Harbor method of 45 CFR 164.514(b)(2): surrogates for identifiers,
 * ages of 90 and above as 90, ZIP3, years for dates, and no year at all for people of 90 and above. Rows of members who were
 * erased are left out and counted. Throws `DerivationFailed` and the vault's errors.
 */
export async function deIdentify(input: DeIdentifyInput): Promise<{ erased: number }> {
  const { sql, contract, from, into, as = 'table' } = input;
  const { columns } = planDeIdentification(contract);
  const derived = await derive(sql, columns, from);

  const coded = columns.filter(({ privacy }) => privacy === 'identifier');
  for (const [i, { column }] of coded.entries()) await loadSurrogates(input, column.name, derived, `surrogates_${i}`);
  const joins = coded.map(
    ({ column }, i) => `LEFT JOIN surrogates_${i} ON surrogates_${i}.identifier = d.${quoteName(column.name)}`,
  );
  const known = coded.map(
    ({ column }, i) => `(d.${quoteName(column.name)} IS NULL OR surrogates_${i}.surrogate IS NOT NULL)`,
  );
  for (const [i, { column, privacy }] of columns.entries()) {
    if (privacy === 'pseudonym') known.push(...(await notErased(input, column.name, derived, `erased_${i}`)));
  }
  const old = isOld(columns, input.arrivedAtMs);
  const released = columns.flatMap(({ column, privacy, treatment }) => {
    if (treatment === 'drop') return [];
    const name = quoteName(column.name);
    const code =
      privacy === 'pseudonym'
        ? `d.${name}`
        : `surrogates_${coded.findIndex((other) => other.column === column)}.surrogate`;
    const value = {
      keep: `d.${name}`,
      surrogate: code,
      cap: capped(name, columns, input.arrivedAtMs),
      zip3: zip3(name),
      year: year(name, old),
    }[treatment];
    return privacy === 'age' ? [`CAST(${value} AS ${column.sqlType}) AS ${name}`] : [`${value} AS ${name}`];
  });
  const lineage = lineageColumns.map(({ name }) => `d.${name}`);
  // what is joined to may come back in another order; a view is in the order of what it is read from
  const order = as === 'table' || joins.length > 0 ? 'ORDER BY d._line' : '';
  await sql.run(`CREATE OR REPLACE TEMP ${as} ${quoteName(into)} AS
    SELECT ${[...released, ...lineage].join(', ')} FROM ${derived} AS d ${joins.join(' ')}
    WHERE ${['true', ...known].join(' AND ')} ${order}`);

  const erased = known.length === 0 ? 0 : (await rowsOf(sql, from)) - (await rowsOf(sql, into));
  if (as === 'table') {
    for (const i of coded.keys()) await sql.run(`DROP TABLE surrogates_${i}`);
    await sql.run(`DROP VIEW ${derived}`);
  }
  return { erased };
}

async function rowsOf(sql: SqlEngine, table: string): Promise<number> {
  const [{ n }] = (await sql.rows(`SELECT count(*) AS n FROM ${quoteName(table)}`)) as { n: number }[];
  return n;
}

function releasedColumn(column: Column, treatment: Treatment): Column[] {
  if (treatment === 'drop') return [];
  if (treatment === 'keep') return [column];
  const { name, description, unit, headers, required, unique, primaryKey } = column;
  const bare = {
    name,
    ...(description !== undefined && { description }),
    ...(unit !== undefined && { unit }),
    headers,
  };
  if (treatment === 'surrogate') return [{ ...bare, type: 'string', sqlType: 'VARCHAR', required, unique, primaryKey }];
  const { type, sqlType } = treatment === 'cap' ? column : coarse[treatment];
  return [{ ...bare, type, sqlType, required: false, unique: false, primaryKey: false }];
}

const coarse = {
  zip3: { type: 'string', sqlType: 'VARCHAR' },
  year: { type: 'integer', sqlType: 'INTEGER' },
} as const;

/** A view of the rows with the derived columns computed; the engine's own words about a failure stay inside. */
async function derive(sql: SqlEngine, columns: DeIdentification['columns'], from: string): Promise<string> {
  const view = 'rows_to_release';
  const derived = columns.flatMap(({ column }) =>
    column.derived === undefined ? [] : [{ ...column, derived: column.derived }],
  );
  const replaced = derived.map(
    ({ name, sqlType, derived }) => `CAST((${derived}) AS ${sqlType}) AS ${quoteName(name)}`,
  );
  const selected = replaced.length > 0 ? `* REPLACE (${replaced.join(', ')})` : '*';
  try {
    await sql.run(`CREATE OR REPLACE TEMP VIEW ${view} AS SELECT ${selected} FROM ${quoteName(from)}`);
    // the view is computed when it is read; what can fail is to fail here
    for (const { name } of derived) await sql.run(`SELECT max(${quoteName(name)}) FROM ${view}`);
  } catch {
    const names = derived.map(({ name }) => name).join(', ');
    throw new DerivationFailed(
      `The "derived" SQL of a column of this contract fails on this drop. The derived columns are: ${names}.`,
    );
  }
  return view;
}

/** The surrogates of a column's values as a table; those of erased members are null. */
async function loadSurrogates(
  { sql, vaultOf, madeUp = [] }: DeIdentifyInput,
  column: string,
  from: string,
  table: string,
): Promise<void> {
  const vault = vaultOf(column);
  await sql.run(`CREATE OR REPLACE TEMP TABLE ${table} (identifier VARCHAR, surrogate VARCHAR)`);
  for await (const identifiers of distinctTexts(sql, column, from)) {
    const surrogates = await vault.surrogatesOf(identifiers, (identifier) =>
      madeUp.some((prefix) => identifier.startsWith(prefix)),
    );
    const page = { identifier: identifiers, surrogate: identifiers.map((text) => surrogates.get(text) ?? null) };
    await sql.insert('surrogates_page', textTable(page));
    await sql.run(`INSERT INTO ${table} FROM surrogates_page; DROP TABLE surrogates_page`);
  }
}

/** SQL: that a pseudonym, which stands for itself, is not of an erased member; nothing where nobody of the column was erased. */
async function notErased(
  { sql, vaultOf }: DeIdentifyInput,
  column: string,
  from: string,
  table: string,
): Promise<string[]> {
  const vault = vaultOf(column);
  if (!(await vault.hasErased())) return [];
  const erased: string[] = [];
  for await (const pseudonyms of distinctTexts(sql, column, from))
    erased.push(...(await vault.erasedAmong(pseudonyms)));
  if (erased.length === 0) return [];
  await sql.run(`DROP TABLE IF EXISTS ${table}`);
  await sql.insert(table, textTable({ identifier: erased }));
  const name = `d.${quoteName(column)}`;
  return [`(${name} IS NULL OR ${name} NOT IN (SELECT identifier FROM ${table}))`];
}

const pageRows = 200_000;

/** The column's texts, each once, in their order, some at a time. */
async function* distinctTexts(sql: SqlEngine, column: string, from: string): AsyncGenerator<string[]> {
  const name = quoteName(column);
  const source = `SELECT DISTINCT ${name} AS identifier FROM ${from} WHERE ${name} IS NOT NULL`;
  await sql.run(`CREATE OR REPLACE TEMP TABLE distinct_texts AS ${source} ORDER BY 1`);
  for (let first = 0; ; first += pageRows) {
    const range = `rowid >= ${first} AND rowid < ${first + pageRows}`;
    const page = await sql.query(`SELECT identifier FROM distinct_texts WHERE ${range} ORDER BY identifier`);
    if (page.numRows === 0) break;
    yield Array.from(page.getChild('identifier') ?? [], String);
    if (page.numRows < pageRows) break;
  }
  await sql.run('DROP TABLE distinct_texts');
}

function textTable(columns: { [name: string]: (string | null)[] }): Table {
  const fields = Object.keys(columns).map((name) => new Field(name, new Utf8(), true));
  const children = Object.values(columns).map((texts) =>
    texts.length > 0 ? vectorFromArray(texts, new Utf8()).data[0] : makeData({ type: new Utf8() }),
  );
  const length = children[0].length;
  const data = makeData({ type: new Struct(fields), length, nullCount: 0, children });
  return new Table(new Schema(fields), new RecordBatch(new Schema(fields), data));
}

/** SQL: whether the member is 90 or older, or turns 90 in the year of arrival, by any column that tells. */
function isOld(columns: DeIdentification['columns'], arrivedAtMs: number): string {
  const signs = columns.flatMap(({ column, privacy }) => {
    const name = `d.${quoteName(column.name)}`;
    if (privacy === 'age') return [`${name} >= ${oldestAge}`];
    return privacy === 'birthDate' ? [`year(${at(arrivedAtMs)}) - year(${name}) >= ${oldestAge}`] : [];
  });
  return `coalesce(${[...signs.map((sign) => `nullif(${sign}, false)`), 'false'].join(', ')})`;
}

/** SQL: the age, or 90 for all who are older by their age or by their date of birth. */
function capped(age: string, columns: DeIdentification['columns'], arrivedAtMs: number): string {
  const births = columns
    .filter(({ privacy }) => privacy === 'birthDate')
    .map(
      ({ column }) => `datesub('year', d.${quoteName(column.name)}::DATE, ${at(arrivedAtMs)}::DATE) >= ${oldestAge}`,
    );
  return `CASE WHEN ${[`d.${age} >= ${oldestAge}`, ...births].join(' OR ')} THEN ${oldestAge} ELSE d.${age} END`;
}

/** SQL: three digits; nothing of what is no ZIP code. */
function zip3(zip: string): string {
  const small = restrictedZip3.map(quoteText).join(', ');
  return `CASE WHEN NOT regexp_full_match(d.${zip}, '[0-9]{5}(-?[0-9]{4})?') THEN NULL WHEN left(d.${zip}, 3) IN (${small}) THEN '000' ELSE left(d.${zip}, 3) END`;
}

const year = (date: string, old: string): string => `CASE WHEN NOT ${old} THEN year(d.${date})::INTEGER END`;

const at = (milliseconds: number): string => `make_timestamp(${Math.floor(milliseconds)} * 1000)`;
