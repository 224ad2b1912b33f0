import type { Contract, Outcome } from '../contract/contract.ts';
import { type CsvFile, type CsvLimits, csvRules, readCsv } from '../csv.ts';
import type { SqlEngine } from '../sql.ts';
import { measureFileRules } from './file-rules.ts';
import { matchHeader } from './header.ts';
import { type Check, checksOf } from './rules.ts';
import { type Drop, acceptedRows, checkedRows, quarantinedRows } from './split.ts';
import { malformedTable, textTable } from './staging.ts';

export type ValidationInput = Drop & {
  /** The results are left in it as the tables `accepted` and `quarantined`; the next validation replaces them. */
  sql: SqlEngine;
  bytes: Uint8Array;
  limits?: Partial<CsvLimits>;
};

export type Validation = {
  /** Silver rows: the contract's columns, typed, and the lineage columns; in the file's order. */
  accepted: 'accepted';
  /** The columns of `quarantineColumns` in `split.ts`; in the file's order. */
  quarantined: 'quarantined';
  counts: { rows: number; accepted: number; quarantined: number };
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
 * Splits a dropped CSV file by its contract: each row is accepted with typed values, or quarantined with its raw text, place
 * and reason; `counts.rows = counts.accepted + counts.quarantined`. Throws `FileRejected` where the file as a whole is not
 * what the contract describes. The same bytes, contract and drop give the same tables.
 */
export async function validateFile(input: ValidationInput): Promise<Validation> {
  const { sql, contract, fileName } = input;
  const csv = readCsv(input.bytes, { file: fileName, delimiter: contract.csv.delimiter, limits: input.limits });
  const positions = matchHeader(csv.header, contract, fileName);
  const checks = checksOf(contract);

  await sql.run('DROP TABLE IF EXISTS text_rows; DROP TABLE IF EXISTS malformed_rows');
  await sql.insert('text_rows', textTable(csv, positions));
  await sql.insert('malformed_rows', malformedTable(csv));
  await sql.run(`CREATE OR REPLACE TEMP TABLE checked AS ${checkedRows(input, positions, checks)}`);
  await sql.run(`CREATE OR REPLACE TEMP TABLE accepted AS ${acceptedRows(input, checks)}`);
  await sql.run(`CREATE OR REPLACE TEMP TABLE quarantined AS ${quarantinedRows(input, checks)}`);

  const [{ accepted, quarantined }] = (await sql.rows(
    'SELECT (SELECT count(*) FROM accepted) AS accepted, (SELECT count(*) FROM quarantined) AS quarantined',
  )) as { accepted: number; quarantined: number }[];
  const counts = { rows: csv.lines.length + csv.malformed.length, accepted, quarantined };
  const rules = await ruleOutcomes(sql, csv, contract, checks, counts.rows);
  await sql.run('DROP TABLE text_rows; DROP TABLE malformed_rows; DROP TABLE checked');
  return { accepted: 'accepted', quarantined: 'quarantined', counts, rules, halts: haltsOf(contract, rules, counts) };
}

async function ruleOutcomes(
  sql: SqlEngine,
  csv: CsvFile,
  contract: Contract,
  checks: readonly Check[],
  rows: number,
): Promise<RuleOutcome[]> {
  const counted = await sql.rows('SELECT i, count(*) AS n FROM (SELECT unnest(_broken) AS i FROM checked) GROUP BY i');
  const countOf = new Map(counted.map(({ i, n }) => [Number(i), Number(n)]));
  const outcome = (rule: Omit<RuleOutcome, 'share'>): RuleOutcome => ({
    ...rule,
    share: rows === 0 ? 0 : rule.rows / rows,
  });
  const formal = Object.entries(csvRules).map(([name, description]) => {
    const broken = csv.malformed.filter(({ rule }) => rule === name).length;
    return outcome({ name, outcome: 'quarantine', description, broken: broken > 0, rows: broken });
  });
  const rowwise = checks.map(({ name, column, outcome: consequence, description }, i) => {
    const broken = countOf.get(i) ?? 0;
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
