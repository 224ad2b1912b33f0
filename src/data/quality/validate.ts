import type { Contract, Outcome } from '../contract/contract.ts';
import type { CsvLimits } from '../csv-scanner.ts';
import { FileRejected } from '../file-rejected.ts';
import type { Format } from '../format.ts';
import { type Records, formRules, readRecords } from '../records.ts';
import type { SqlEngine } from '../sql.ts';
import { measureFileRules } from './file-rules.ts';
import { matchHeader } from './header.ts';
import { type Check, checksOf } from './rules.ts';
import { type Drop, acceptedRows, checkedRows, quarantinedRows } from './split.ts';
import { malformedTable, textTable } from './staging.ts';
import { type ControlTotal, controlTotals } from './totals.ts';

export type ValidationInput = Drop & {
  /** The results are left in it as the tables `accepted` and `quarantined`; the next validation replaces them. */
  sql: SqlEngine;
  bytes: Uint8Array;
  limits?: Partial<CsvLimits>;
  /** @default - the system's */
  temporaryDirectory?: string;
};

export type Validation = {
  /** Silver rows: the contract's columns, typed, and the lineage columns; in the file's order. */
  accepted: 'accepted';
  /** The columns of `quarantineColumns` in `split.ts`; in the file's order. */
  quarantined: 'quarantined';
  counts: { rows: number; accepted: number; quarantined: number };
  /** Of each column with a control total. */
  totals: ControlTotal[];
  format: Format;
  /** Every rule, also those that nothing broke. */
  rules: RuleOutcome[];
  /** Why the file must not enter silver; empty for a good file. */
  halts: string[];
};

export type RuleOutcome = {
  name: string;
  column?: string;
  outcome: Outcome;
  description: string;
  broken: boolean;
  /** The rows that broke it, and their share of the file's rows; a row may break several rules. */
  rows: number;
  share: number;
};

/**
 * Splits a dropped file by its contract: each row is accepted with typed values, or quarantined with its raw text, place
 * and reason; `counts.rows = counts.accepted + counts.quarantined`. Throws `FileRejected` where the file as a whole is not
 * what the contract describes. The same bytes, contract and drop give the same tables.
 */
export async function validateFile(input: ValidationInput): Promise<Validation> {
  const { contract, fileName, limits, temporaryDirectory } = input;
  const { format, encoding = 'utf-8', csv } = contract;
  const options = { file: fileName, format, encoding, delimiter: csv.delimiter, limits, temporaryDirectory };
  return validateRecords(input, await readRecords(input.bytes, options));
}

/** The same of records that were read before, such as those from quarantine. */
export async function validateRecords(
  input: Drop & { sql: SqlEngine },
  records: Records & { format: Format },
): Promise<Validation> {
  const { sql, contract, fileName } = input;
  const positions = matchHeader(records.header, contract, fileName);
  refuseUnreadable(records, positions, fileName);
  const checks = checksOf(input);

  await sql.run('DROP TABLE IF EXISTS text_rows; DROP TABLE IF EXISTS malformed_rows');
  await sql.insert('text_rows', textTable(records, positions));
  await sql.insert('malformed_rows', malformedTable(records));
  await sql.run(`CREATE OR REPLACE TEMP TABLE checked AS ${checkedRows(input, positions, checks)}`);
  await sql.run(`CREATE OR REPLACE TEMP TABLE accepted_rows AS ${acceptedRows(input, checks)}`);
  await sql.run('CREATE OR REPLACE TEMP VIEW accepted AS FROM accepted_rows');
  await quarantine(input, records, checks);

  const broken = 'SELECT i, count(*) AS n FROM (SELECT unnest(_broken) AS i FROM checked) GROUP BY i';
  const judged = await judge(sql, { format: records.format, contract, checks, rows: records.lines.length, broken });
  const totals = await controlTotals(sql, contract, positions);
  await sql.run('DROP TABLE text_rows; DROP TABLE malformed_rows; DROP TABLE checked');
  return { accepted: 'accepted', quarantined: 'quarantined', totals, format: records.format, ...judged };
}

/** Makes `quarantined` of the tables `checked` and `malformed_rows`. */
export async function quarantine(
  input: Drop & { sql: SqlEngine },
  { format, header }: Pick<Records, 'header'> & { format: Format },
  checks: readonly Check[],
): Promise<void> {
  const { sql } = input;
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE quarantined_rows AS ${quarantinedRows(input, { format, header }, checks)}`,
  );
  await sql.run('CREATE OR REPLACE TEMP VIEW quarantined AS FROM quarantined_rows');
}

/** What the rules say of the tables `accepted`, `quarantined` and `malformed_rows`; `rows` are the well-formed ones. */
export async function judge(
  sql: SqlEngine,
  {
    format,
    contract,
    checks,
    rows,
    broken,
  }: {
    format: Format;
    contract: Contract;
    checks: readonly Check[];
    rows: number;
    /** SQL: how many rows, `n`, break the check at `i`. */
    broken: string;
  },
): Promise<Pick<Validation, 'counts' | 'rules' | 'halts'>> {
  const [{ accepted, quarantined, malformed }] = (await sql.rows(
    `SELECT (SELECT count(*) FROM accepted) AS accepted, (SELECT count(*) FROM quarantined) AS quarantined,
      (SELECT count(*) FROM malformed_rows) AS malformed`,
  )) as { accepted: number; quarantined: number; malformed: number }[];
  const counts = { rows: rows + malformed, accepted, quarantined };
  const brokenRows = new Map((await sql.rows(broken)).map(({ i, n }) => [Number(i), Number(n)]));
  const rules = await ruleOutcomes(sql, { format, contract, checks, brokenRows, rows: counts.rows });
  return { counts, rules, halts: haltsOf(contract, rules, counts) };
}

function refuseUnreadable({ header, unreadable = [] }: Records, positions: Map<string, number>, file: string): void {
  const needed = new Set([...positions.values()].map((position) => header[position]));
  const refused = unreadable.filter(({ name }) => needed.has(name));
  if (refused.length === 0) return;
  const list = refused.map(({ name, type }) => `"${name}" (${type})`).join(', ');
  throw new FileRejected(
    'unreadable-columns',
    file,
    `its columns ${list} hold no single values`,
    'Write them as plain columns.',
  );
}

async function ruleOutcomes(
  sql: SqlEngine,
  {
    format,
    contract,
    checks,
    brokenRows,
    rows,
  }: {
    format: Format;
    contract: Contract;
    checks: readonly Check[];
    brokenRows: ReadonlyMap<number, number>;
    rows: number;
  },
): Promise<RuleOutcome[]> {
  const malformed = await sql.rows('SELECT rule, count(*) AS n FROM malformed_rows GROUP BY rule');
  const outcome = (rule: Omit<RuleOutcome, 'share'>): RuleOutcome => ({
    ...rule,
    share: rows === 0 ? 0 : rule.rows / rows,
  });
  const formal = Object.entries(formRules[format]).map(([name, description]) => {
    const broken = Number(malformed.find(({ rule }) => rule === name)?.['n'] ?? 0);
    return outcome({ name, outcome: 'quarantine', description, broken: broken > 0, rows: broken });
  });
  const rowwise = checks.map(({ name, column, outcome: consequence, description }, i) => {
    const broken = brokenRows.get(i) ?? 0;
    return outcome({ name, column, outcome: consequence, description, broken: broken > 0, rows: broken });
  });
  const whole = (await measureFileRules(sql, 'accepted', contract.fileRules)).map(
    ({ rule, rows: broken, broken: isBroken }) =>
      outcome({
        name: rule.name,
        column: rule.column,
        outcome: rule.outcome,
        description: rule.description,
        broken: isBroken,
        rows: isBroken ? broken : 0,
      }),
  );
  return [...formal, ...rowwise, ...whole];
}

function haltsOf(contract: Contract, rules: readonly RuleOutcome[], counts: Validation['counts']): string[] {
  const halts = rules
    .filter(({ outcome, broken }) => outcome === 'halt' && broken)
    .map(({ name, description, rows }) => `rule ${name} is broken (${rows} rows): ${description}`);
  const limit = contract.maximumQuarantinedShare;
  if (counts.quarantined > limit * counts.rows) {
    halts.push(`${counts.quarantined} of ${counts.rows} rows are quarantined, the contract allows a share of ${limit}`);
  }
  return halts;
}
