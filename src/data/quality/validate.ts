import type { Contract, Outcome } from '../contract/contract.ts';
import type { CsvLimits } from '../csv.ts';
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
  const checks = checksOf(contract);

  await sql.run('DROP TABLE IF EXISTS text_rows; DROP TABLE IF EXISTS malformed_rows');
  await sql.insert('text_rows', textTable(records, positions));
  await sql.insert('malformed_rows', malformedTable(records));
  await sql.run(`CREATE OR REPLACE TEMP TABLE checked AS ${checkedRows(input, positions, checks)}`);
  await sql.run(`CREATE OR REPLACE TEMP TABLE accepted AS ${acceptedRows(input, checks)}`);
  await sql.run(`CREATE OR REPLACE TEMP TABLE quarantined AS ${quarantinedRows(input, records, checks)}`);

  const [{ accepted, quarantined }] = (await sql.rows(
    'SELECT (SELECT count(*) FROM accepted) AS accepted, (SELECT count(*) FROM quarantined) AS quarantined',
  )) as { accepted: number; quarantined: number }[];
  const counts = { rows: records.lines.length + records.malformed.length, accepted, quarantined };
  const rules = await ruleOutcomes(sql, records, contract, checks, counts.rows);
  const totals = await controlTotals(sql, contract, positions);
  await sql.run('DROP TABLE text_rows; DROP TABLE malformed_rows; DROP TABLE checked');
  const halts = haltsOf(contract, rules, counts);
  return { accepted: 'accepted', quarantined: 'quarantined', counts, totals, format: records.format, rules, halts };
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
  { format, malformed }: Records & { format: Format },
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
  const formal = Object.entries(formRules[format]).map(([name, description]) => {
    const broken = malformed.filter(({ rule }) => rule === name).length;
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
