import type { Contract } from '../../data/contract/contract.ts';
import type { RawRecord } from '../../data/csv.ts';
import { FileRejected } from '../../data/file-rejected.ts';
import type { Format } from '../../data/format.ts';
import { validateRecords } from '../../data/quality/validate.ts';
import { exactDecimal, sumText } from '../../data/quality/totals.ts';
import { quoteName, quoteText } from '../../data/quote.ts';
import { rereadRecords } from '../../data/records.ts';
import type { SqlEngine } from '../../data/sql.ts';
import { appendQuery } from '../../lake/write.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { contractOf, useCaseOf } from '../../usecase/catalogue.ts';
import { digestOf } from './json.ts';
import { readReceipt } from './receipt.ts';
import { lakeTable, mountTable, quarantinePath, silverPath } from './sql.ts';

/**
 * What became of the rows of one drop in the end. Rows: dropped = silver + quarantined; a drop that was halted or rejected as a
 * whole has no rows in either and is not redriven, but dropped again.
 */
export type DropStatement = {
  dropId: string;
  file: string;
  /** Rows that went from quarantine to silver this time. */
  redriven: number;
  /** As the receipt says; null where the drop has none. */
  dropped: number | null;
  /** Counted now, in the tables. */
  silver: number;
  quarantined: number;
  totals: TotalStatement[];
  /** Whether every row, and every cent of it, is in one place. */
  reconciles: boolean;
  /** Why none of its rows could be tried; they stay. */
  stays: string | null;
};

/** Decimal texts. `readNow` is what could not be read as an amount when it came, and can under the present contract. */
export type TotalStatement = { column: string; dropped: string | null; silver: string; quarantined: string; readNow: string };

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
  for (const drop of await openDrops(sql, request.file)) statements.push(await redriveDrop(ports, sql, request, contract, drop));
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
    await sql.run(`CREATE OR REPLACE TEMP VIEW redriven_notes AS SELECT '' AS drop_id, 0 AS line, '' AS redriven_in WHERE false`);
  }
  // tables of earlier days lack what came later
  const later = ['format', 'header', 'file_sha256'].map((name) => `NULL::VARCHAR AS ${name}`).join(', ');
  await sql.run(`CREATE OR REPLACE TEMP VIEW quarantine_rows AS
    SELECT q.*, n.redriven_in FROM (
      SELECT * FROM quarantine_table
      UNION ALL BY NAME SELECT ${later}, NULL::BOOLEAN AS halted WHERE false
    ) q LEFT JOIN redriven_notes n ON q.drop_id = n.drop_id AND q.line = n.line AND NOT coalesce(q.halted, false)`);
  return true;
}

type OpenDrop = {
  dropId: string;
  file: string;
  format: Format | null;
  header: string | null;
  digest: string | null;
  arrivedAtMs: number;
};

/** A halted file's rows are none of them in silver: it is dropped again as a whole. */
const isOpen = 'redriven_in IS NULL AND NOT coalesce(halted, false)';

async function openDrops(sql: SqlEngine, file: string | undefined): Promise<OpenDrop[]> {
  const only = file === undefined ? '' : `AND source_file = ${quoteText(file)}`;
  return (await sql.rows(`
    SELECT drop_id AS "dropId", any_value(source_file) AS file, any_value(format) AS format, any_value(header) AS header,
      any_value(file_sha256) AS digest, epoch_ms(any_value(quarantined_at)) AS "arrivedAtMs"
    FROM quarantine_rows WHERE ${isOpen} ${only} GROUP BY drop_id ORDER BY "arrivedAtMs", drop_id`)) as OpenDrop[];
}

async function redriveDrop(
  ports: Ports,
  sql: SqlEngine,
  request: RedriveRequest,
  contract: Contract,
  drop: OpenDrop,
): Promise<DropStatement> {
  const silver = lakeTable(ports, ports.silver, silverPath(request.useCase, request.source), sql);
  const before = await mountSilver(sql, silver, contract);
  const stays = await validateAgain(sql, contract, drop);
  let redriven = 0;
  if (stays === null) {
    await sql.run(`CREATE OR REPLACE TEMP TABLE passing AS ${passingRows(contract, drop.dropId)}`);
    const [{ n, lines }] = (await sql.rows(`SELECT count(*) AS n, string_agg(_line, ',' ORDER BY _line) AS lines FROM passing`)) as {
      n: number;
      lines: string | null;
    }[];
    redriven = n;
    if (n > 0) {
      const appId = `redrive:${digestOf(`${drop.dropId} ${contract.version} ${lines}`)}`;
      await appendQuery(silver, sql, 'SELECT * EXCLUDE (_there) FROM passing WHERE NOT _there', {
        txn: { appId, version: 1 },
        unchangedSince: before,
        details: { runId: request.runId },
      });
      const notes = lakeTable(ports, ports.bronze, redrivenPath(request.useCase, request.source), sql);
      const noted = `SELECT _drop_id AS drop_id, _line AS line, ${quoteText(request.runId)} AS redriven_in,
        _contract_version AS contract_version, make_timestamptz(${Math.floor(ports.clock.nowMs())} * 1000) AS redriven_at FROM passing`;
      await appendQuery(notes, sql, noted, { txn: { appId, version: 1 } });
      await mountQuarantine(ports, sql, request);
      await mountSilver(sql, silver, contract);
    }
  }
  return { ...(await statementOf(ports, sql, request, contract, drop)), redriven, stays };
}

/** Makes silver the view `silver_rows`; gives its version, -1 where there is none yet. */
async function mountSilver(sql: SqlEngine, table: ReturnType<typeof lakeTable>, contract: Contract): Promise<number> {
  const mounted = await mountTable(table, sql, 'silver_rows');
  if (mounted) return mounted.version;
  const columns = contract.columns.map(({ name, sqlType }) => `NULL::${sqlType} AS ${quoteName(name)}`);
  await sql.run(`CREATE OR REPLACE TEMP VIEW silver_rows AS SELECT ${columns.join(', ')}, '' AS _drop_id, 0 AS _line WHERE false`);
  return -1;
}

/** Leaves the rows that pass in the table `accepted`; gives the reason where they cannot even be read. */
async function validateAgain(sql: SqlEngine, contract: Contract, drop: OpenDrop): Promise<string | null> {
  const { format, digest, file, dropId, arrivedAtMs } = drop;
  const records = await reread(sql, contract, drop);
  if (records === undefined || format === null || digest === null) {
    return `Its rows were quarantined before their header was kept with them: drop the file ${file} again, corrected.`;
  }
  try {
    await validateRecords({ sql, contract, fileName: file, digest, dropId, arrivedAtMs }, records);
    return null;
  } catch (error) {
    if (error instanceof FileRejected) return error.message;
    throw error;
  }
}

async function reread(sql: SqlEngine, contract: Contract, { dropId, file, format, header }: OpenDrop) {
  if (format === null) return undefined;
  const raws = (await sql.rows(
    `SELECT line, coalesce(byte_offset, -1) AS "byteOffset", raw FROM quarantine_rows
      WHERE ${isOpen} AND drop_id = ${quoteText(dropId)} ORDER BY line`,
  )) as RawRecord[];
  const names = header === null ? [] : (JSON.parse(header) as string[]);
  return rereadRecords(raws, { format, header: names, file, delimiter: contract.csv.delimiter });
}

/**
 * SQL: the accepted rows, but for those whose unique value another row of their drop brought to silver. `_there` are those that
 * silver has already, from a redrive that was cut short before it was noted.
 */
function passingRows({ columns }: Contract, dropId: string): string {
  const own = `FROM silver_rows s WHERE s._drop_id = ${quoteText(dropId)}`;
  const free = columns
    .filter(({ unique }) => unique)
    .map(({ name }) => `NOT EXISTS (${`SELECT 1 ${own}`} AND s._line <> a._line AND s.${quoteName(name)} = a.${quoteName(name)})`);
  return `SELECT a.*, a._line IN (SELECT s._line ${own}) AS _there FROM accepted a WHERE ${['true', ...free].join(' AND ')} ORDER BY _line`;
}

async function statementOf(
  ports: Ports,
  sql: SqlEngine,
  { useCase }: RedriveRequest,
  contract: Contract,
  drop: OpenDrop,
): Promise<Omit<DropStatement, 'redriven' | 'stays'>> {
  const { dropId, file } = drop;
  const receipt = await readReceipt(ports, { useCase, runId: dropId });
  const own = `_drop_id = ${quoteText(dropId)}`;
  const [{ silver, quarantined }] = (await sql.rows(
    `SELECT (SELECT count(*) FROM silver_rows WHERE ${own}) AS silver,
      (SELECT count(*) FROM quarantine_rows WHERE ${isOpen} AND drop_id = ${quoteText(dropId)}) AS quarantined`,
  )) as { silver: number; quarantined: number }[];
  const dropped = receipt?.rows.dropped ?? null;
  const totals: TotalStatement[] = [];
  for (const column of contract.controlTotals ?? []) totals.push(await totalOf(column));
  const reconciles =
    dropped === silver + quarantined && totals.every(({ dropped: came, readNow }) => came === null || Number(readNow) === 0);
  return { dropId, file, dropped, silver, quarantined, totals, reconciles };

  async function totalOf(column: string): Promise<TotalStatement> {
    const came = receipt?.totals.find((total) => total.column === column)?.dropped ?? null;
    const left = await leftTotal(column);
    const value = `sum(TRY_CAST(${quoteName(column)} AS ${exactDecimal}))`;
    const [found] = await sql.rows(`
      WITH kept AS (SELECT coalesce(${value}, 0) AS amount FROM silver_rows WHERE ${own})
      SELECT ${sumText('amount')} AS silver, ${sumText(`amount + ${left}::${exactDecimal} - ${came ?? 0}::${exactDecimal}`)} AS beyond FROM kept`);
    return { column, dropped: came, silver: found['silver'] as string, quarantined: left, readNow: found['beyond'] as string };
  }

  /** What the rows that are still in quarantine say. */
  async function leftTotal(column: string): Promise<string> {
    const records = quarantined === 0 ? undefined : await reread(sql, contract, drop);
    if (records === undefined) return '0.00';
    const none = { ...contract, rowRules: [], fileRules: [], controlTotals: [column] };
    try {
      const fileName = file;
      const { totals: found } = await validateRecords(
        { sql, contract: none, fileName, digest: drop.digest ?? '', dropId, arrivedAtMs: drop.arrivedAtMs },
        records,
      );
      return found[0]?.dropped ?? '0.00';
    } catch (error) {
      if (error instanceof FileRejected) return '0.00';
      throw error;
    }
  }
}
