import type { Contract } from '../../data/contract/contract.ts';
import { silverColumns } from '../../data/contract/silver.ts';
import type { RawRecord } from '../../data/csv.ts';
import { FileRejected } from '../../data/file-rejected.ts';
import type { Format } from '../../data/format.ts';
import { type Validation, validateRecords } from '../../data/quality/validate.ts';
import { type ControlTotal, exactDecimal, sumText } from '../../data/quality/totals.ts';
import { quoteName, quoteText } from '../../data/quote.ts';
import { rereadRecords } from '../../data/records.ts';
import type { SqlEngine } from '../../data/sql.ts';
import type { DeltaTable } from '../../lake/table.ts';
import { appendQuery } from '../../lake/write.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { releasedContract } from '../../privacy/de-identify.ts';
import { withoutQuoting } from '../../privacy/hush.ts';
import { contractOf, useCaseOf } from '../../usecase/catalogue.ts';
import { digestOf } from './json.ts';
import { readReceipt } from './receipt.ts';
import { release } from './release.ts';
import { lakeTable, mountTable, quarantinePath, silverPath } from './sql.ts';

/**
 * What became of the rows of one drop in the end: dropped = silver + quarantined + rejected. Rejected are the rows of members who
 * were erased; a drop that was halted or rejected as a whole is not redriven, but dropped again.
 */
export type DropStatement = {
  dropId: string;
  /** The names of its files that had rows in quarantine. */
  files: string[];
  /** Rows that went from quarantine to silver this time. */
  redriven: number;
  /** As the receipt says; null where the drop has none. */
  dropped: number | null;
  /** Counted now, in the tables. */
  silver: number;
  quarantined: number;
  /** As the receipt says. */
  rejected: number;
  totals: TotalStatement[];
  /** Whether every row, and every cent of it, is in one place. */
  reconciles: boolean;
  /** Why the rows of a file could not be tried; they stay. */
  stays: string[];
};

/** Decimal texts; `rest` is what came and is in neither table: of rejected rows, or below zero of texts that are readable only now. */
export type TotalStatement = {
  column: string;
  dropped: string | null;
  silver: string;
  quarantined: string;
  rest: string;
};

export type RedriveRequest = {
  useCase: string;
  source: string;
  runId: string;
  /** Only the drops of this file. @default - all */
  file?: string;
};

/** Where it is noted which rows have left quarantine; those rows themselves stay there, for audit. */
export const redrivenPath = (useCase: string, source: string) => `${quarantinePath(useCase, source)}-redriven`;

/**
 * Validates the raw texts in quarantine again under the present contract. Rows that pass now enter silver as rows of their own
 * drop, with its lineage and time of arrival; a note of it keeps them from being tried again. Exactly once: what silver has of
 * a drop's line is never appended again, whatever was cut short, and of two redrives at a time one fails as `ConcurrentChange`.
 */
export async function redrive(ports: Ports, sql: SqlEngine, request: RedriveRequest): Promise<DropStatement[]> {
  const contract = contractOf(useCaseOf(ports.catalogue, request.useCase), request.source);
  if (!(await mountQuarantine(ports, sql, request))) return [];
  const statements: DropStatement[] = [];
  const parts = await openParts(sql, request.file);
  for (const [dropId, files] of Map.groupBy(parts, (part) => part.dropId)) {
    let redriven = 0;
    const stays: string[] = [];
    for (const part of files) {
      const tried = await redrivePart(ports, sql, request, contract, part);
      if (typeof tried === 'string') stays.push(tried);
      else redriven += tried;
    }
    const statement = await statementOf(ports, sql, request, contract, dropId);
    statements.push({ dropId, files: files.map(({ file }) => file), redriven, ...statement, stays });
  }
  return statements;
}

/**
 * Makes the quarantine of a source the view `quarantine_rows`: its columns, and `redriven_in`, the run in which a row went to
 * silver. False where there is none.
 */
export async function mountQuarantine(
  ports: Ports,
  sql: SqlEngine,
  { useCase, source }: Pick<RedriveRequest, 'useCase' | 'source'>,
): Promise<boolean> {
  const table = lakeTable(ports, ports.bronze, quarantinePath(useCase, source), sql);
  if (!(await mountTable(table, sql, 'quarantine_table'))) return false;
  const notes = lakeTable(ports, ports.bronze, redrivenPath(useCase, source), sql);
  if (!(await mountTable(notes, sql, 'redriven_notes'))) {
    await sql.run(
      `CREATE OR REPLACE TEMP VIEW redriven_notes AS SELECT '' AS drop_id, '' AS source_file, 0 AS line, '' AS redriven_in WHERE false`,
    );
  }
  // tables of earlier days lack what came later
  const later = ['format', 'header', 'file_sha256'].map((name) => `NULL::VARCHAR AS ${name}`).join(', ');
  await sql.run(`CREATE OR REPLACE TEMP VIEW quarantine_rows AS
    SELECT q.*, n.redriven_in FROM (
      SELECT * FROM quarantine_table
      UNION ALL BY NAME SELECT ${later}, NULL::BOOLEAN AS halted WHERE false
    ) q LEFT JOIN redriven_notes n ON (q.drop_id, q.source_file, q.line) = (n.drop_id, n.source_file, n.line) AND NOT coalesce(q.halted, false)`);
  return true;
}

/** The rows of one file of one drop that are in quarantine. */
type Part = {
  dropId: string;
  file: string;
  format: Format | null;
  header: string | null;
  digest: string | null;
  arrivedAtMs: number;
};

/** A halted file's rows are none of them in silver: it is dropped again as a whole. */
const isOpen = 'redriven_in IS NULL AND NOT coalesce(halted, false)';

async function openParts(sql: SqlEngine, file: string | undefined, dropId?: string): Promise<Part[]> {
  const only = [
    file === undefined ? '' : `AND source_file = ${quoteText(file)}`,
    dropId === undefined ? '' : `AND drop_id = ${quoteText(dropId)}`,
  ];
  return (await sql.rows(`
    SELECT drop_id AS "dropId", source_file AS file, any_value(format) AS format, any_value(header) AS header,
      any_value(file_sha256) AS digest, epoch_ms(any_value(quarantined_at)) AS "arrivedAtMs"
    FROM quarantine_rows WHERE ${isOpen} ${only.join(' ')} GROUP BY drop_id, source_file ORDER BY "arrivedAtMs", drop_id, source_file`)) as Part[];
}

/** How many rows of the part went to silver, or why none could be tried. */
async function redrivePart(
  ports: Ports,
  sql: SqlEngine,
  request: RedriveRequest,
  contract: Contract,
  part: Part,
): Promise<number | string> {
  const silver = lakeTable(ports, ports.silver, silverPath(request.useCase, request.source), sql);
  const before = await mountSilver(sql, silver, contract);
  const stays = await validateAgain(sql, contract, part);
  if (stays !== undefined) return stays;
  await release(sql, ports, {
    useCase: request.useCase,
    contract,
    arrivedAtMs: part.arrivedAtMs,
    digests: part.digest === null ? [] : [part.digest],
  });
  await sql.run(`CREATE OR REPLACE TEMP TABLE passing AS ${passingRows(releasedContract(contract), part)}`);
  const [{ n, lines }] = (await sql.rows(
    `SELECT count(*) AS n, string_agg(_line, ',' ORDER BY _line) AS lines FROM passing`,
  )) as {
    n: number;
    lines: string | null;
  }[];
  if (n === 0) return 0;

  const txn = { appId: `redrive:${digestOf(`${part.dropId} ${part.file} ${contract.version} ${lines}`)}`, version: 1 };
  await appendQuery(silver, sql, 'SELECT * EXCLUDE (_there) FROM passing WHERE NOT _there', {
    txn,
    addColumns: true,
    unchangedSince: before,
    details: { runId: request.runId },
  });
  const notes = lakeTable(ports, ports.bronze, redrivenPath(request.useCase, request.source), sql);
  const redrivenAt = `make_timestamptz(${Math.floor(ports.clock.nowMs())} * 1000)`;
  const noted = `SELECT _drop_id AS drop_id, _source_file AS source_file, _line AS line, ${quoteText(request.runId)} AS redriven_in,
    _contract_version AS contract_version, ${redrivenAt} AS redriven_at FROM passing`;
  await appendQuery(notes, sql, noted, { txn });
  await mountQuarantine(ports, sql, request);
  await mountSilver(sql, silver, contract);
  return n;
}

/** Makes silver the view `silver_rows`; gives its version, -1 where there is none yet. */
async function mountSilver(sql: SqlEngine, table: DeltaTable, contract: Contract): Promise<number> {
  const mounted = await mountTable(table, sql, 'silver_rows');
  if (mounted) return mounted.version;
  const columns = silverColumns(releasedContract(contract)).map(
    ({ name, type }) => `NULL::${type} AS ${quoteName(name)}`,
  );
  await sql.run(`CREATE OR REPLACE TEMP VIEW silver_rows AS SELECT ${columns.join(', ')} WHERE false`);
  return -1;
}

/** Leaves the rows that pass in the table `accepted`; gives the reason where they cannot even be read. */
async function validateAgain(sql: SqlEngine, contract: Contract, part: Part): Promise<string | undefined> {
  try {
    const found = await withoutQuoting(`the quarantined rows of ${part.file}`, () => validatePart(sql, contract, part));
    if (found !== undefined) return undefined;
    return `Its rows were quarantined before their header was kept with them: drop ${part.file} again, corrected.`;
  } catch (error) {
    if (error instanceof FileRejected) return error.message;
    throw error;
  }
}

async function validatePart(
  sql: SqlEngine,
  contract: Contract,
  { dropId, file, format, header, digest, arrivedAtMs }: Part,
): Promise<Validation | undefined> {
  if (format === null || digest === null) return undefined;
  const raws = (await sql.rows(
    `SELECT line, coalesce(byte_offset, -1) AS "byteOffset", raw FROM quarantine_rows
      WHERE ${isOpen} AND drop_id = ${quoteText(dropId)} AND source_file = ${quoteText(file)} ORDER BY line`,
  )) as RawRecord[];
  const names = header === null ? [] : (JSON.parse(header) as string[]);
  const records = rereadRecords(raws, { format, header: names, file, delimiter: contract.csv.delimiter });
  return validateRecords({ sql, contract, fileName: file, digest, dropId, arrivedAtMs }, records);
}

/**
 * SQL: the released rows, but for those whose unique value another row of their file brought to silver. `_there` are those that
 * silver has already, from a redrive that was cut short before it was noted.
 */
function passingRows({ columns }: Contract, { dropId, file }: Part): string {
  const own = `FROM silver_rows s WHERE s._drop_id = ${quoteText(dropId)} AND s._source_file = ${quoteText(file)}`;
  const free = columns
    .filter(({ unique }) => unique)
    .map(
      ({ name }) =>
        `NOT EXISTS (SELECT 1 ${own} AND s._line <> a._line AND s.${quoteName(name)} = a.${quoteName(name)})`,
    );
  return `SELECT a.*, a._line IN (SELECT s._line ${own}) AS _there FROM released a WHERE ${['true', ...free].join(' AND ')} ORDER BY _line`;
}

async function statementOf(
  ports: Ports,
  sql: SqlEngine,
  { useCase }: RedriveRequest,
  contract: Contract,
  dropId: string,
): Promise<Pick<DropStatement, 'dropped' | 'silver' | 'quarantined' | 'rejected' | 'totals' | 'reconciles'>> {
  const receipt = await readReceipt(ports, { useCase, runId: dropId });
  const own = `_drop_id = ${quoteText(dropId)}`;
  const [{ silver, quarantined }] = (await sql.rows(
    `SELECT (SELECT count(*) FROM silver_rows WHERE ${own}) AS silver,
      (SELECT count(*) FROM quarantine_rows WHERE ${isOpen} AND drop_id = ${quoteText(dropId)}) AS quarantined`,
  )) as { silver: number; quarantined: number }[];
  const dropped = receipt?.rows.dropped ?? null;
  const rejected = receipt?.rows.rejected ?? 0;
  const left = await leftTotals(sql, contract, dropId);
  const totals: TotalStatement[] = [];
  let amountsReconcile = true;
  for (const column of contract.controlTotals ?? []) {
    const came = receipt?.totals.find((total) => total.column === column);
    const stillLeft = left.filter((total) => total.column === column);
    const total = await totalOf(
      sql,
      column,
      own,
      came?.dropped ?? null,
      stillLeft.map((part) => part.dropped),
    );
    totals.push(total);
    const readMore = (came?.unreadableRows ?? 0) > stillLeft.reduce((sum, part) => sum + part.unreadableRows, 0);
    if (Number(total.rest) !== 0 && rejected === 0 && !readMore) amountsReconcile = false;
  }
  const reconciles = dropped === silver + quarantined + rejected && amountsReconcile;
  return { dropped, silver, quarantined, rejected, totals, reconciles };
}

async function totalOf(
  sql: SqlEngine,
  column: string,
  own: string,
  dropped: string | null,
  parts: readonly string[],
): Promise<TotalStatement> {
  const kept = `(SELECT coalesce(sum(TRY_CAST(${quoteName(column)} AS ${exactDecimal})), 0) FROM silver_rows WHERE ${own})`;
  const left = ['0', ...parts].map((text) => `${text}::${exactDecimal}`).join(' + ');
  const rest = dropped === null ? '0' : `${dropped}::${exactDecimal} - ${kept} - (${left})`;
  const [found] = await sql.rows(
    `SELECT ${sumText(kept)} AS silver, ${sumText(left)} AS quarantined, ${sumText(rest)} AS rest`,
  );
  return { column, dropped, ...(found as { silver: string; quarantined: string; rest: string }) };
}

/** What the rows say that are still in quarantine, by file; nothing of those that the present contract cannot read. */
async function leftTotals(sql: SqlEngine, contract: Contract, dropId: string): Promise<ControlTotal[]> {
  const totals: ControlTotal[] = [];
  for (const part of await openParts(sql, undefined, dropId)) {
    try {
      totals.push(...((await validatePart(sql, contract, part))?.totals ?? []));
    } catch (error) {
      if (!(error instanceof FileRejected)) throw error;
    }
  }
  return totals;
}
