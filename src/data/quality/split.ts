import type { Column, Contract } from '../contract/contract.ts';
import { lineageColumns, storedType } from '../contract/silver.ts';
import type { Format } from '../format.ts';
import { quoteName, quoteText } from '../quote.ts';
import type { Records } from '../records.ts';
import { typedValue } from './cast.ts';
import { lineKeyPrefix } from './line-keys.ts';
import { type Check, unreadable } from './rules.ts';
import { amountToStage, exactDecimal, unreadAmount } from './totals.ts';

/** What the rows of one drop have in common. */
export type Drop = {
  fileName: string;
  /** SHA-256 of the file's bytes, hexadecimal. */
  digest: string;
  contract: Contract;
  arrivedAtMs: number;
  dropId: string;
  /** Of the event that announced the file. @default - it has none */
  sequencer?: string;
};

/** The columns of a quarantined row, with DuckDB's type names. `rule` is the first one broken, `rules` are all, by comma. */
export const quarantineColumns = [
  { name: 'drop_id', type: 'VARCHAR' },
  { name: 'source_file', type: 'VARCHAR' },
  { name: 'line', type: 'INTEGER' },
  { name: 'byte_offset', type: 'INTEGER' },
  { name: 'raw', type: 'VARCHAR' },
  { name: 'rule', type: 'VARCHAR' },
  { name: 'column_name', type: 'VARCHAR' },
  { name: 'reason', type: 'VARCHAR' },
  { name: 'rules', type: 'VARCHAR' },
  { name: 'contract_version', type: 'VARCHAR' },
  { name: 'quarantined_at', type: 'TIMESTAMP WITH TIME ZONE' },
  // what it takes to read the raw text again
  { name: 'format', type: 'VARCHAR' },
  /** The file's header as a JSON list, where the raw text has no names of its own. */
  { name: 'header', type: 'VARCHAR' },
  { name: 'file_sha256', type: 'VARCHAR' },
] as const;

/** SQL: typed rows, each with the positions in `checks` of what it breaks, ascending, as `_broken`. */
export function checkedRows(drop: Drop, positions: Map<string, number>, checks: readonly Check[]): string {
  const repeated = checks.flatMap((check, i) => ('repeated' in check ? [repetition(check.repeated, i, checks)] : []));
  return `
    WITH typed AS (SELECT _line, _byte_offset, _raw, ${typedColumns(drop, positions).join(', ')} FROM text_rows),
    rowwise AS (SELECT *, ${brokenList(checks)} AS _broken FROM typed)
    SELECT * REPLACE (list_concat(${['_broken', ...repeated].join(', ')}) AS _broken) FROM rowwise`;
}

/**
 * SQL: the same of `from`, a table or a query in brackets, without raw texts, `_broken` and what is repeated; beside each typed
 * column whether it is `unreadable`, and of `amounts` what `unreadAmount` says. The columns of `typed` are not texts any more.
 */
export function typedRows(
  drop: Drop,
  positions: Map<string, number>,
  { from, typed, amounts }: { from: string; typed: ReadonlySet<string>; amounts: readonly Column[] },
): string {
  const unread = amounts.map((column) => {
    const amount = typed.has(column.name) ? 'NULL' : amountToStage(column);
    return `(${amount})::${exactDecimal} AS ${unreadAmount(column.name)}`;
  });
  const selected = ['_line', '_byte_offset', ...typedColumns(drop, positions, typed), ...unread];
  return `SELECT ${selected.join(', ')} FROM ${from}`;
}

/** SQL: those of typed rows that break anything: their columns, what as `_broken`, and as `_bad` whether it is more than warnings. */
export function brokenRows(checks: readonly Check[], from: string): string {
  const conditions = checks.flatMap((check) => ('broken' in check ? [`(${check.broken})`] : []));
  return `
    SELECT *, coalesce(${isBlocked(checks)}, false) AS _bad FROM (
      SELECT *, ${brokenList(checks)} AS _broken FROM ${from} WHERE ${['false', ...conditions].join(' OR ')})`;
}

function typedColumns(drop: Drop, positions: Map<string, number>, typed: ReadonlySet<string> = new Set()): string[] {
  return drop.contract.columns.flatMap((column) => {
    const name = quoteName(column.name);
    if (!positions.has(column.name))
      return [`${standIn(column, drop)} AS ${name}`, `false AS ${unreadable(column.name)}`];
    if (typed.has(column.name))
      return [`${name}::${storedType(column)} AS ${name}`, `false AS ${unreadable(column.name)}`];
    const value = typedValue(column);
    return [`${value} AS ${name}`, `${name} IS NOT NULL AND (${value}) IS NULL AS ${unreadable(column.name)}`];
  });
}

function brokenList(checks: readonly Check[]): string {
  const rowwise = checks.flatMap((check, i) => ('broken' in check ? [`CASE WHEN ${check.broken} THEN ${i} END`] : []));
  return `list_filter([${rowwise.join(', ')}]::INTEGER[], i -> i IS NOT NULL)`;
}

/** Only rows that are good in all else count as the first of their value, so that a bad row cannot push out a good one. */
function repetition(column: string, i: number, checks: readonly Check[]): string {
  const blocked = isBlocked(checks);
  const nth = `row_number() OVER (PARTITION BY ${blocked}, ${column} ORDER BY _line)`;
  return `CASE WHEN ${column} IS NOT NULL AND NOT ${blocked} AND ${nth} > 1 THEN [${i}] ELSE []::INTEGER[] END`;
}

function isBlocked(checks: readonly Check[]): string {
  const blocking = checks.flatMap(({ outcome }, i) => (outcome === 'warn' ? [] : [i]));
  return `list_has_any(_broken, [${blocking.join(', ')}]::INTEGER[])`;
}

/** What stands in for a column that the file lacks. */
function standIn(column: Column, { digest, arrivedAtMs }: Drop): string {
  const { whenAbsent } = column;
  if (whenAbsent === 'lineNumber') return `${quoteText(lineKeyPrefix(digest))} || _line`;
  if (whenAbsent === 'arrivalTime') return timestamp(arrivedAtMs);
  return `NULL::${storedType(column)}`;
}

/** SQL: the rows that break nothing but warnings, as they enter silver. */
export function acceptedRows(drop: Drop, checks: readonly Check[]): string {
  return `${silverRow(drop)} FROM checked WHERE NOT ${isBlocked(checks)} ORDER BY _line`;
}

/** SQL: SELECT with the columns of a silver row, without FROM. */
export function silverRow({ contract, dropId, fileName, arrivedAtMs, sequencer }: Drop): string {
  const lineage = {
    _drop_id: quoteText(dropId),
    _source_file: quoteText(fileName),
    _line: '_line',
    _ingested_at: timestamp(arrivedAtMs),
    _contract_version: quoteText(contract.version),
    _sequencer: sequencer === undefined ? 'NULL::VARCHAR' : quoteText(sequencer),
  };
  const columns = [
    ...contract.columns.map(({ name }) => quoteName(name)),
    ...lineageColumns.map(({ name }) => `${lineage[name]} AS ${name}`),
  ];
  return `SELECT ${columns.join(', ')}`;
}

/** SQL: all other rows, the malformed ones included, each under the first rule that it breaks. */
export function quarantinedRows(
  drop: Drop,
  { format, header }: Pick<Records, 'header'> & { format: Format },
  checks: readonly Check[],
): string {
  const { dropId, fileName, digest, contract, arrivedAtMs } = drop;
  const listed = checks.map(
    ({ name, column, outcome, description }, i) =>
      `(${i}, ${quoteText(name)}, ${column === undefined ? 'NULL' : quoteText(column)}, ${outcome !== 'warn'}, ${quoteText(`not met: ${description}`)})`,
  );
  const columns: { [name in (typeof quarantineColumns)[number]['name']]: string } = {
    drop_id: quoteText(dropId),
    source_file: quoteText(fileName),
    line: '_line',
    byte_offset: 'CASE WHEN _byte_offset >= 0 THEN _byte_offset END',
    raw: '_raw',
    rule: 'rule',
    column_name: 'column_name',
    reason: 'reason',
    rules: 'rules',
    contract_version: quoteText(contract.version),
    quarantined_at: timestamp(arrivedAtMs),
    format: quoteText(format),
    header: format === 'csv' ? quoteText(JSON.stringify(header)) : 'NULL',
    file_sha256: quoteText(digest),
  };
  const selected = quarantineColumns.map(({ name, type }) => `(${columns[name]})::${type} AS ${name}`);
  return `
    WITH checks (i, name, column_name, blocks, reason) AS (VALUES ${[noCheck, ...listed].join(', ')}),
    broken AS (
      SELECT _line, any_value(_byte_offset) AS _byte_offset, any_value(_raw) AS _raw, arg_min(name, i) FILTER (blocks) AS rule,
        arg_min(column_name, i) FILTER (blocks) AS column_name, arg_min(reason, i) FILTER (blocks) AS reason,
        string_agg(name, ',' ORDER BY i) AS rules
      FROM (SELECT _line, _byte_offset, _raw, unnest(_broken) AS i FROM checked WHERE ${isBlocked(checks)}) JOIN checks USING (i)
      GROUP BY _line
      UNION ALL
      SELECT _line, _byte_offset, _raw, rule, NULL, reason, rule FROM malformed_rows
    )
    SELECT ${selected.join(', ')} FROM broken ORDER BY _line`;
}

/** A contract may have no checks, but no list of values is empty. */
const noCheck = '(-1, NULL, NULL, false, NULL)';

function timestamp(milliseconds: number): string {
  return `make_timestamptz(${Math.round(milliseconds)} * 1000)`;
}
