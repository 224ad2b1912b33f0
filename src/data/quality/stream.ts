import { type FileHandle, mkdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { arrowTexts } from '../arrow-texts.ts';
import type { Column } from '../contract/contract.ts';
import {
  type CsvSegment,
  CsvSegments,
  type ReadBytes,
  type SegmentOptions,
  rawTexts,
  segmentBytes as usualBytes,
} from '../csv-segments.ts';
import type { CsvLimits } from '../csv-scanner.ts';
import { quoteName, quoteText } from '../quote.ts';
import type { SqlEngine } from '../sql.ts';
import { TextColumn } from '../text-column.ts';
import { matchHeader } from './header.ts';
import { type ColumnToRead, readerOf, readersOf } from './readers.ts';
import { SeenHashes } from './repeated.ts';
import { type Check, checksOf } from './rules.ts';
import { SecondReader } from './second-reader.ts';
import { type SegmentFile, segmentFiles } from './segment-files.ts';
import { type Drop, brokenRows, silverRow, typedRows } from './split.ts';
import { int32, malformedTable, tableOf, textTable } from './staging.ts';
import { addedUp, exactDecimal, isExact, stagedAmount } from './totals.ts';
import { type Validation, judge, quarantine } from './validate.ts';

export type StreamInput = Drop & {
  /** As in `validateFile`; the rows wait in its folder. */
  sql: SqlEngine;
  /** A CSV file in UTF-8. */
  content: FileHandle;
  limits?: Partial<CsvLimits>;
  /** @default - 16 MiB */
  segmentBytes?: number;
  /** Two read segments side by side, to the same result. @default - two of a file that is worth it, where there are two processors */
  threads?: 1 | 2;
  /** @default - the system's */
  temporaryDirectory?: string;
};

/**
 * As `validateFile` for a CSV file of any size: the same rows, reasons and figures, in memory that does not grow with the file.
 *
 *   file ─► scanner ─► clean records, typed by their bytes, as Parquet files ─► streamed_rows ─► accepted
 *                  └─► all others, as texts, typed by SQL ─► good ones back in their places ┘└─► quarantined
 *
 * What the readers of bytes do not know for certain never becomes a value by them. That every record is there is proved by
 * their number and the sum of their lines. While SQL works on one segment the next one is scanned, or the next two, in two threads.
 */
export async function validateCsv(input: StreamInput): Promise<Validation> {
  const { sql, contract, content, fileName: file, limits, segmentBytes = usualBytes } = input;
  const options = { file, delimiter: contract.csv.delimiter, limits, segmentBytes };
  const { segments, first } = await CsvSegments.open(readFrom(content), options);
  const { header } = segments;
  const positions = matchHeader(header, contract, file);
  const checks = checksOf(input);
  const { controlTotals = [], columns } = contract;
  const amounts = columns.filter(({ name }) => controlTotals.includes(name) && positions.has(name));
  const stage = new Stage(input, { positions, checks, amounts });

  await stage.open();
  const [readers, pathOf] = [readersOf(stage.columns), stage.pathOf];
  const { threads = await threadsFor(content, segmentBytes) } = input;
  const reading = { file: content.fd, header, columns: stage.columns, options };
  const second = threads === 2 ? SecondReader.start(reading) : undefined;
  let staged = Promise.resolve();
  try {
    for await (const segment of segmentFiles({ segments, first, readers, second, segmentBytes, pathOf })) {
      await staged;
      staged = stage.add(segment);
      // whoever waits for it next learns of a failure
      staged.catch(() => undefined);
    }
  } finally {
    await second?.end();
    await staged;
  }
  await stage.close();

  await findRepeated(sql, stage.unique);
  const isGood = await goodRows(sql);
  await sql.run(`CREATE OR REPLACE TEMP VIEW accepted AS ${silverRow(input)} FROM streamed_rows WHERE ${isGood}`);
  await fetchTexts(input, options);
  await quarantine(input, { format: 'csv', header }, checks);

  const broken = `SELECT i, count(*) AS n FROM (
    SELECT unnest(_broken) AS i FROM broken_rows UNION ALL SELECT i FROM repeated_rows) GROUP BY i`;
  const judged = await judge(sql, { format: 'csv', contract, checks, rows: stage.rows, broken });
  const names = amounts.map(({ name }) => name);
  const totals = await addedUp(sql, names, stage.sums(isGood), judged.counts.rows - stage.rows);
  await sql.run('DROP TABLE malformed_rows; DROP TABLE checked');
  return { accepted: 'accepted', quarantined: 'quarantined', totals, format: 'csv', ...judged };
}

/** A second thread costs a quarter of a second to start. */
async function threadsFor(content: FileHandle, segmentBytes: number): Promise<1 | 2> {
  const { size } = await content.stat();
  return availableParallelism() > 1 && size > 4 * segmentBytes ? 2 : 1;
}

const readFrom =
  (file: FileHandle): ReadBytes =>
  async (...place) =>
    (await file.read(...place)).bytesRead;

type Plan = { positions: Map<string, number>; checks: readonly Check[]; amounts: readonly Column[] };

/** SQL: what the texts of columns said, over typed rows. */
const amountsOf = (columns: readonly Column[]): string[] =>
  columns.map((column, i) => `${stagedAmount(column)} AS amount${i}`);

/** What may not be repeated: the check's position, its value as SQL, and the hashes of all values. */
type Unique = { i: number; value: string; hashes: SeenHashes };

/**
 * Brings segments into the view `streamed_rows`, in the file's order, what breaks a rule into `broken_rows`, and of the odd
 * records that are bad, which are in no view, the amounts into `odd_bad_rows`.
 */
class Stage {
  readonly #input: StreamInput;
  readonly #plan: Plan;
  readonly #folder: string;
  readonly columns: readonly ColumnToRead[];
  /** The columns that are not staged as texts. */
  readonly #typed: ReadonlySet<string>;
  readonly #files: string[] = [];
  readonly unique: readonly Unique[];
  #lineSum = 0;
  /** Well-formed records so far. */
  rows = 0;

  constructor(input: StreamInput, plan: Plan) {
    this.#input = input;
    this.#plan = plan;
    this.#folder = join(input.sql.folder, 'streamed');
    const present = input.contract.columns.filter(({ name }) => plan.positions.has(name));
    // of an amount that its value does not tell to the last digit the text is needed
    const typed = present.filter((column) => !plan.amounts.includes(column) || isExact(column));
    const position = ({ name }: Column): number => plan.positions.get(name)!;
    this.columns = present.map((column) => ({
      column,
      position: position(column),
      asText: !typed.includes(column),
    }));
    this.unique = plan.checks.flatMap((check, i) =>
      'repeated' in check ? [{ i, value: check.repeated, hashes: new SeenHashes() }] : [],
    );
    const isTyped = (column: Column): boolean => readerOf(column, position(column)) !== undefined;
    this.#typed = new Set(typed.filter(isTyped).map(({ name }) => name));
  }

  async open(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#folder);
    const amounts = this.#plan.amounts.map((_, i) => `, amount${i} ${exactDecimal}`);
    await this.#input.sql.run(`
      CREATE OR REPLACE TEMP TABLE malformed_rows (_line INTEGER, _byte_offset INTEGER, _raw VARCHAR, rule VARCHAR, reason VARCHAR);
      CREATE OR REPLACE TEMP TABLE broken_rows (_line INTEGER, _byte_offset INTEGER, _broken INTEGER[], _bad BOOLEAN);
      CREATE OR REPLACE TEMP TABLE odd_bad_rows (_line INTEGER${amounts.join('')});
      DROP TABLE IF EXISTS odd_rows; DROP TABLE IF EXISTS malformed_segment`);
  }

  readonly pathOf = (index: number): string => join(this.#folder, `${index}.parquet`);

  /** Adds a segment, and resolves when it is judged. */
  async add({ path, rows, lineSum, odd }: SegmentFile): Promise<void> {
    const wellFormed = rows + odd.lines.length;
    this.rows += wellFormed;
    this.#lineSum = odd.lines.reduce((sum, line) => (sum + line) | 0, (this.#lineSum + lineSum) | 0);
    // a view needs one file at least
    if (wellFormed > 0 || this.#files.length === 0) this.#files.push(path);
    await this.#judge(this.#files.length - 1, rows, odd);
  }

  async #judge(file: number, rows: number, odd: CsvSegment['odd']): Promise<void> {
    const { sql } = this.#input;
    if (rows > 0) await this.#findBroken(`(${this.#typedRows(parquet([this.#files[file]]), this.#typed)})`);
    if (odd.lines.length > 0) await this.#judgeOdd(file, odd);
    if (rows + odd.lines.length > 0) {
      await this.#noteHashes(`(${this.#typedRows(parquet([this.#files[file]]), this.#typed)})`);
    }
    if (odd.malformed.length === 0) return;
    await sql.insert('malformed_segment', malformedTable(odd));
    await sql.run('INSERT INTO malformed_rows FROM malformed_segment; DROP TABLE malformed_segment');
  }

  /** Puts odd records that are good after all into the segment's file. */
  async #judgeOdd(file: number, odd: CsvSegment['odd']): Promise<void> {
    const { sql, contract } = this.#input;
    const { positions, checks, amounts } = this.#plan;
    await sql.insert('odd_rows', textTable(odd, positions));
    await sql.run(`CREATE OR REPLACE TEMP TABLE odd_typed AS ${this.#typedRows('odd_rows', new Set())}`);
    await this.#findBroken('odd_typed');
    const bad = `SELECT * FROM (${brokenRows(checks, 'odd_typed')}) WHERE _bad`;
    await sql.run(`INSERT INTO odd_bad_rows SELECT ${['_line', ...amountsOf(amounts)].join(', ')} FROM (${bad})`);
    const good = `FROM odd_typed JOIN odd_rows USING (_line) WHERE _line NOT IN (SELECT _line FROM odd_bad_rows)`;
    const [{ n }] = (await sql.rows(`SELECT count(*) AS n ${good}`)) as { n: number }[];
    if (n > 0) {
      const names = contract.columns.map(({ name }) => name).filter((name) => positions.has(name));
      const own = names.map((name) => `${this.#typed.has(name) ? 'odd_typed' : 'odd_rows'}.${quoteName(name)}`);
      const places = ['_line', '_byte_offset'];
      const before = this.#files[file];
      this.#files[file] = before.replace(/\.parquet$/, '-whole.parquet');
      await sql.run(`COPY (
        SELECT ${[...places, ...names.map(quoteName)].join(', ')} FROM ${parquet([before])} UNION ALL
        SELECT ${['_line', 'odd_rows._byte_offset', ...own].join(', ')} ${good} ORDER BY _line
      ) TO ${quoteText(this.#files[file])} (FORMAT parquet, COMPRESSION uncompressed)`);
      await rm(before);
    }
    await sql.run('DROP TABLE odd_typed; DROP TABLE odd_rows');
  }

  async #noteHashes(from: string): Promise<void> {
    for (const { value, hashes } of this.unique) {
      const found = await this.#input.sql.query(`SELECT hash(${value}) AS h FROM ${from} WHERE ${value} IS NOT NULL`);
      hashes.add(found.getChild('h')!.toArray() as BigUint64Array);
    }
  }

  async #findBroken(from: string): Promise<void> {
    const found = brokenRows(this.#plan.checks, from);
    await this.#input.sql.run(`INSERT INTO broken_rows SELECT _line, _byte_offset, _broken, _bad FROM (${found})`);
  }

  #typedRows(from: string, typed: ReadonlySet<string>): string {
    const { positions, amounts } = this.#plan;
    return typedRows(this.#input, positions, { from, typed, amounts });
  }

  /** SQL: the sums of the amounts of all well-formed rows, as `addedUp` takes them. What is typed is added as it is, which is faster. */
  sums(isGood: string): string {
    const { amounts } = this.#plan;
    const valueOf = (column: Column): string =>
      this.#typed.has(column.name) ? quoteName(column.name) : stagedAmount(column);
    const values = amounts.map((column, i) => `${valueOf(column)} AS value${i}`);
    const staged = `SELECT ${[...values, `${isGood} AS kept`].join(', ')} FROM streamed_rows`;
    const sums = amounts.flatMap((_, i) => [
      `sum(value${i})::${exactDecimal} AS amount${i}`,
      `count(*) - count(value${i}) AS unread${i}`,
    ]);
    const bad = amounts.flatMap((_, i) => [`amount${i}`, `(amount${i} IS NULL)::INTEGER`]);
    return `SELECT ${[...sums, 'kept'].join(', ')} FROM (${staged}) GROUP BY kept
      UNION ALL SELECT ${[...bad, 'false'].join(', ')} FROM odd_bad_rows`;
  }

  /** Makes the view. Throws where it and the bad ones are not exactly the records that were scanned. */
  async close(): Promise<void> {
    const { sql, fileName } = this.#input;
    await sql.run(`CREATE OR REPLACE TEMP VIEW streamed_rows AS ${this.#typedRows(parquet(this.#files), this.#typed)}`);
    const [{ n, lines }] = (await sql.rows(
      `SELECT count(*) AS n, (coalesce(sum(_line), 0) % 4294967296)::BIGINT AS lines
        FROM (SELECT _line FROM streamed_rows UNION ALL SELECT _line FROM odd_bad_rows)`,
    )) as { n: number; lines: number }[];
    if (n === this.rows && (lines | 0) === this.#lineSum) return;
    throw new Error(
      `The SQL engine has ${n} rows of ${fileName}, the scanner found ${this.rows}: nothing is ingested. Report this with the version of DuckDB.`,
    );
  }
}

const parquet = (files: readonly string[]): string => `read_parquet([${files.map(quoteText).join(', ')}])`;

/** The table `repeated_rows`: the places of rows whose value a good row had before them, and the check that says so; bad as well. */
async function findRepeated(sql: SqlEngine, unique: readonly Unique[]): Promise<void> {
  await sql.run('CREATE OR REPLACE TEMP TABLE repeated_rows (_line INTEGER, _byte_offset INTEGER, i INTEGER)');
  for (const { i, value, hashes } of unique) {
    const table = hashes.table();
    if (table.numRows === 0) continue;
    await sql.insert('repeated_hashes', table);
    await sql.run(`INSERT INTO repeated_rows SELECT _line, _byte_offset, ${i} FROM (
      SELECT _line, _byte_offset, row_number() OVER (PARTITION BY ${value} ORDER BY _line) AS nth FROM streamed_rows
        WHERE ${value} IS NOT NULL AND hash(${value}) IN (SELECT h FROM repeated_hashes)
        AND _line NOT IN (SELECT _line FROM broken_rows WHERE _bad)) WHERE nth > 1`);
    await sql.run('DROP TABLE repeated_hashes');
  }
}

/**
 * SQL: whether a row of `streamed_rows` is good; makes the table `bad_lines`. Not by a join, which may change the order of the rows:
 * each line has a bit.
 */
async function goodRows(sql: SqlEngine): Promise<string> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE bad_lines AS
    SELECT _line FROM broken_rows WHERE _bad UNION SELECT _line FROM repeated_rows`);
  const last = 'SELECT max(_line) AS line FROM streamed_rows';
  const [{ bad, line }] = (await sql.rows(`SELECT (SELECT count(*) FROM bad_lines) AS bad, line FROM (${last})`)) as {
    bad: number;
    line: number | null;
  }[];
  if (bad === 0 || line === null) return 'true';
  // the odd ones behind it are in no row
  await sql.run(
    `SET VARIABLE bad_lines = (SELECT bitstring_agg(least(_line, ${line + 1}), 0, ${line + 1}) FROM bad_lines)`,
  );
  return "get_bit(getvariable('bad_lines'), _line) = 0";
}

/** The table `checked`: the bad rows with their raw texts, as `quarantinedRows` takes them. */
async function fetchTexts({ sql, content }: StreamInput, options: SegmentOptions): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE bad_rows AS
    SELECT _line, any_value(_byte_offset) AS _byte_offset, list(i ORDER BY i) AS _broken FROM (
      SELECT _line, _byte_offset, unnest(_broken) AS i FROM broken_rows UNION ALL FROM repeated_rows)
    WHERE _line IN (FROM bad_lines) GROUP BY _line ORDER BY _line`);
  await sql.run('CREATE OR REPLACE TEMP TABLE raw_texts (_line INTEGER, _raw VARCHAR)');
  let [texts, lines, size] = [new TextColumn(), [] as number[], 0];
  const flush = async (): Promise<void> => {
    if (lines.length === 0) return;
    await sql.insert('raw_page', tableOf({ _line: int32(Int32Array.from(lines)), _raw: arrowTexts(texts.finish()) }));
    await sql.run('INSERT INTO raw_texts FROM raw_page; DROP TABLE raw_page');
    [texts, lines, size] = [new TextColumn(), [], 0];
  };
  for await (const { line, raw } of rawTexts(readFrom(content), badPlaces(sql), options)) {
    texts.append(raw, 0, raw.length, false);
    lines.push(line);
    size += raw.length;
    if (size > pageBytes || lines.length === pageRows) await flush();
  }
  await flush();
  await sql.run(`CREATE OR REPLACE TEMP TABLE checked AS
    SELECT _line, _byte_offset, _raw, _broken FROM bad_rows JOIN raw_texts USING (_line)`);
  await sql.run('DROP TABLE bad_rows; DROP TABLE raw_texts');
}

const pageRows = 50_000;
const pageBytes = 16 * 2 ** 20;

async function* badPlaces(sql: SqlEngine): AsyncGenerator<{ line: number; byteOffset: number }> {
  for (let last = 0; ;) {
    const page = (await sql.rows(
      `SELECT _line AS line, _byte_offset AS "byteOffset" FROM bad_rows WHERE _line > ${last} ORDER BY _line LIMIT ${pageRows}`,
    )) as { line: number; byteOffset: number }[];
    yield* page;
    if (page.length < pageRows) return;
    last = page.at(-1)!.line;
  }
}
