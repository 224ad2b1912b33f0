import { randomUUID } from 'node:crypto';
import { type FileHandle, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Column } from '../contract/contract.ts';
import { type CsvSegment, CsvSegments, type SegmentOptions, rawTexts } from '../csv-segments.ts';
import type { CsvLimits } from '../csv-scanner.ts';
import { quoteName, quoteText } from '../quote.ts';
import type { SqlEngine } from '../sql.ts';
import { TextColumn } from '../text-column.ts';
import { formOf } from './forms.ts';
import { matchHeader } from './header.ts';
import { type Check, checksOf } from './rules.ts';
import { type Drop, segmentRows, silverRow } from './split.ts';
import { int32, malformedTable, tableOf, textTable } from './staging.ts';
import { stagedAmount, totalsOfRows } from './totals.ts';
import { type Validation, judge, quarantine } from './validate.ts';

export type StreamInput = Drop & {
  /** As in `validateFile`; its `temporaryDirectory` is where the rows wait that its memory has no room for. */
  sql: SqlEngine;
  /** A CSV file in UTF-8. */
  content: FileHandle;
  limits?: Partial<CsvLimits>;
  /** @default - 32 MiB */
  segmentBytes?: number;
  /** @default - the system's */
  temporaryDirectory?: string;
};

/**
 * As `validateFile` for a CSV file of any size: the same rows, reasons and figures, in memory that does not grow with the file.
 *
 *   file ─► scanner ─► clean records, as CSV with their places ─► DuckDB's reader ─┐
 *                  └─► all others, read strictly ────────────────────────────────┴─► streamed_rows ─► accepted, quarantined
 *
 * What DuckDB's reader would read otherwise than the scanner never reaches it. That it gave back every record is proved by
 * their number and the sum of their lines. While it works on one segment, the next one is scanned.
 */
export async function validateCsv(input: StreamInput): Promise<Validation> {
  const { sql, contract, fileName: file, limits, segmentBytes } = input;
  const options = { file, delimiter: contract.csv.delimiter, limits, segmentBytes };
  const segments = await CsvSegments.open(input.content, options);
  const { header } = segments;
  const positions = matchHeader(header, contract, file);
  const checks = checksOf(contract);
  const { controlTotals = [], columns } = contract;
  const amounts = columns.filter(({ name }) => controlTotals.includes(name) && positions.has(name));
  const stage = new Stage(input, { header, positions, checks, amounts });

  await sql.run('DROP TABLE IF EXISTS streamed_rows; DROP TABLE IF EXISTS odd_rows');
  await sql.run(
    'CREATE OR REPLACE TEMP TABLE malformed_rows (_line INTEGER, _byte_offset INTEGER, _raw VARCHAR, rule VARCHAR, reason VARCHAR)',
  );
  const forms = new Map(columns.map((column) => [positions.get(column.name), formOf(column)]));
  let staged = Promise.resolve();
  try {
    for await (const segment of segments.read(header.map((_, position) => forms.get(position)))) {
      await staged;
      ({ done: staged } = await stage.begin(segment));
      // whoever waits for it next learns of a failure
      staged.catch(() => undefined);
    }
  } finally {
    await staged;
  }
  await stage.prove();

  await findRepeated(sql, checks);
  await sql.run(`CREATE OR REPLACE TEMP VIEW accepted AS ${silverRow(input)} FROM streamed_rows WHERE NOT _bad`);
  await fetchTexts(input, options);
  await quarantine(input, { format: 'csv', header }, checks);

  const broken = `SELECT i, count(*) AS n FROM (
    SELECT unnest(_broken) AS i FROM streamed_rows WHERE _broken IS NOT NULL UNION ALL SELECT i FROM repeated_rows) GROUP BY i`;
  const judged = await judge(sql, { format: 'csv', contract, checks, rows: stage.rows, broken });
  const totals = await totalsOfRows(sql, amounts.map(stagedAmount), {
    from: 'FROM streamed_rows',
    isKept: 'NOT _bad',
    malformed: judged.counts.rows - stage.rows,
  });
  await sql.run('DROP TABLE malformed_rows; DROP TABLE checked');
  return { accepted: 'accepted', quarantined: 'quarantined', totals, format: 'csv', ...judged };
}

type Plan = {
  header: string[];
  positions: Map<string, number>;
  checks: readonly Check[];
  amounts: readonly Column[];
};

/** Brings segments into the table `streamed_rows`, in the file's order. */
class Stage {
  readonly #input: StreamInput;
  readonly #plan: Plan;
  #segments = 0;
  #lineSum = 0;
  /** Well-formed records so far. */
  rows = 0;

  constructor(input: StreamInput, plan: Plan) {
    this.#input = input;
    this.#plan = plan;
  }

  /** Resolves when the segment's text is no longer needed; `done` when its rows are in the table. */
  async begin({ text, rows, lineSum, odd, formed }: CsvSegment): Promise<{ done: Promise<void> }> {
    const path = join(resolve(this.#input.temporaryDirectory ?? tmpdir()), `${randomUUID()}.csv`);
    await writeFile(path, text);
    this.rows += rows + odd.lines.length;
    this.#lineSum = (odd.lines.reduce((sum, line) => (sum + line) | 0, lineSum) + this.#lineSum) | 0;
    const into = this.#segments++ === 0 ? 'CREATE TEMP TABLE streamed_rows AS' : 'INSERT INTO streamed_rows';
    return { done: this.#insertFrom(into, path, odd, formed) };
  }

  async #insertFrom(into: string, path: string, odd: CsvSegment['odd'], formed: readonly boolean[]): Promise<void> {
    try {
      await this.#insert(into, path, odd, formed);
    } finally {
      await rm(path, { force: true });
    }
  }

  async #insert(into: string, path: string, odd: CsvSegment['odd'], formed: readonly boolean[]): Promise<void> {
    const { sql, contract } = this.#input;
    const { positions } = this.#plan;
    const names = contract.columns.map(({ name }) => name).filter((name) => formed[positions.get(name) ?? -1]);
    const clean = this.#typed(`(${this.#cleanRows(path)})`, new Set(names));
    if (odd.lines.length === 0) await sql.run(`${into} ${clean}`);
    else {
      await sql.insert('odd_rows', textTable(odd, positions));
      await sql.run(`${into} SELECT * FROM (${clean} UNION ALL ${this.#typed('odd_rows', new Set())}) ORDER BY _line`);
      await sql.run('DROP TABLE odd_rows');
    }
    if (odd.malformed.length === 0) return;
    await sql.insert('malformed_segment', malformedTable(odd));
    await sql.run('INSERT INTO malformed_rows FROM malformed_segment; DROP TABLE malformed_segment');
  }

  #typed(from: string, formed: ReadonlySet<string>): string {
    const { positions, checks, amounts } = this.#plan;
    return segmentRows(this.#input, positions, checks, { from, formed, amounts });
  }

  /** SQL: the texts of the clean records under the contract's names. */
  #cleanRows(path: string): string {
    const { header, positions } = this.#plan;
    const { delimiter } = this.#input.contract.csv;
    const columns = ["'_line': 'INTEGER'", "'_byte_offset': 'INTEGER'", ...header.map((_, c) => `'${c}': 'VARCHAR'`)];
    const named = [...positions].map(([name, position]) => `"${position}" AS ${quoteName(name)}`);
    return `SELECT ${['_line', '_byte_offset', ...named].join(', ')} FROM read_csv(${quoteText(path)},
      auto_detect = false, header = false, columns = {${columns.join(', ')}}, delim = ${quoteText(delimiter)},
      quote = '"', escape = '"', comment = '', nullstr = '', new_line = '\\n', strict_mode = true, null_padding = false, ignore_errors = false)`;
  }

  /** Throws where the table has not exactly the records that were scanned. */
  async prove(): Promise<void> {
    const [{ n, lines }] = (await this.#input.sql.rows(
      'SELECT count(*) AS n, (coalesce(sum(_line), 0) % 4294967296)::BIGINT AS lines FROM streamed_rows',
    )) as { n: number; lines: number }[];
    if (n === this.rows && (lines | 0) === this.#lineSum) return;
    throw new Error(
      `The SQL engine has ${n} rows of ${this.#input.fileName}, the scanner found ${this.rows}: nothing is ingested. Report this with the version of DuckDB.`,
    );
  }
}

/** The table `repeated_rows`: the lines of rows whose value another row had before them, and the check that says so. They are bad, too. */
async function findRepeated(sql: SqlEngine, checks: readonly Check[]): Promise<void> {
  await sql.run('CREATE OR REPLACE TEMP TABLE repeated_rows (_line INTEGER, i INTEGER)');
  const good = 'FROM streamed_rows WHERE NOT _bad';
  for (const [i, check] of checks.entries()) {
    if (!('repeated' in check)) continue;
    const { repeated: value } = check;
    // values of one hash are few, and a table of hashes is a fraction of one of texts
    const hashes = `SELECT h FROM (SELECT hash(${value}) AS h ${good} AND ${value} IS NOT NULL) GROUP BY h HAVING count(*) > 1`;
    await sql.run(`CREATE OR REPLACE TEMP TABLE repeated_hashes AS ${hashes}`);
    const [{ n }] = (await sql.rows('SELECT count(*) AS n FROM repeated_hashes')) as { n: number }[];
    if (n === 0) continue;
    await sql.run(`INSERT INTO repeated_rows SELECT _line, ${i} FROM (
      SELECT _line, row_number() OVER (PARTITION BY ${value} ORDER BY _line) AS nth ${good}
        AND ${value} IS NOT NULL AND hash(${value}) IN (SELECT h FROM repeated_hashes)) WHERE nth > 1`);
  }
  await sql.run('UPDATE streamed_rows SET _bad = true WHERE _line IN (SELECT _line FROM repeated_rows)');
}

/** The table `checked`: the bad rows with their raw texts, as `quarantinedRows` takes them. */
async function fetchTexts({ sql, content }: StreamInput, options: SegmentOptions): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE bad_rows AS
    SELECT _line, _byte_offset, list_concat(coalesce(_broken, []), coalesce(repeated, [])) AS _broken
    FROM streamed_rows LEFT JOIN (SELECT _line, list(i ORDER BY i) AS repeated FROM repeated_rows GROUP BY _line) USING (_line)
    WHERE _bad ORDER BY _line`);
  await sql.run('CREATE OR REPLACE TEMP TABLE raw_texts (_line INTEGER, _raw VARCHAR)');
  let [texts, lines, size] = [new TextColumn(), [] as number[], 0];
  const flush = async (): Promise<void> => {
    if (lines.length === 0) return;
    await sql.insert('raw_page', tableOf({ _line: int32(Int32Array.from(lines)), _raw: texts.finish() }));
    await sql.run('INSERT INTO raw_texts FROM raw_page; DROP TABLE raw_page');
    [texts, lines, size] = [new TextColumn(), [], 0];
  };
  for await (const { line, raw } of rawTexts(content, badPlaces(sql), options)) {
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
