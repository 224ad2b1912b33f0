import { didYouMean } from '../data/nearest.ts';
import { storedType } from '../data/contract/silver.ts';
import { quoteName } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import type { UseCase } from './catalogue.ts';
import { featureTableColumns, scoredColumns } from './check.ts';
import { featureQuery } from './feature-query.ts';
import { everyView } from './views.ts';

/**
 * Runs a use case's SQL (features.sql, its contracts' rules, the profile groups, the flags) over tables of the contracts'
 * columns without rows. Returns what is wrong, one sentence each. This finds what reading the declaration cannot: columns
 * that the query does not give, types that do not fit.
 */
export async function dryRunFindings(sql: SqlEngine, useCase: UseCase): Promise<string[]> {
  const { declaration, contracts } = useCase;
  const findings: string[] = [];
  const attempt = async (what: string, query: string): Promise<void> => {
    const failure = await sql.run(query).then(
      () => undefined,
      (error: unknown) => error as Error,
    );
    if (failure) findings.push(`${what}: ${failure.message.split('\n')[0]}`);
  };

  for (const [source, { contract }] of Object.entries(contracts)) {
    const columns = contract.columns.map((column) => `${quoteName(column.name)} ${storedType(column)}`);
    await sql.run(`CREATE OR REPLACE TEMP TABLE ${quoteName(source)} (${columns.join(', ')})`);
    for (const { name, condition } of contract.rowRules) {
      await attempt(`rule ${name} of ${source}`, `SELECT count(*) FILTER (${condition}) FROM ${quoteName(source)}`);
    }
    for (const [group, condition] of Object.entries(declaration.profiles[source]?.groups ?? {})) {
      await attempt(`profile group ${group}`, `SELECT count(*) FILTER (${condition}) FROM ${quoteName(source)}`);
    }
  }

  const { features } = everyView(declaration);
  const file = useCase.labels === undefined ? 'features.sql' : 'features.sql or labels.sql';
  await attempt(file, `CREATE OR REPLACE TEMP TABLE dry_features AS ${featureQuery(useCase)}`);
  if (findings.length > 0) return findings;
  const given = (await sql.rows('DESCRIBE dry_features')) as Given[];
  const names = given.map((column) => column.column_name);
  for (const name of featureTableColumns(declaration)) {
    if (!names.includes(name)) findings.push(`${file} gives no column "${name}".${didYouMean(name, names)}`);
  }
  for (const { column_name: name, column_type: type } of given) {
    if (features.numeric.includes(name) && !/INT|DOUBLE|FLOAT|BOOLEAN/.test(type)) {
      findings.push(`features.sql gives the numeric feature "${name}" as ${type}: cast it to DOUBLE`);
    }
    if (features.categorical.includes(name) && type !== 'VARCHAR') {
      findings.push(`features.sql gives the categorical feature "${name}" as ${type}: cast it to VARCHAR`);
    }
  }
  findings.push(...bucketFindings(useCase, given));
  const text = new Set(['category', 'reasons']);
  const added = scoredColumns(declaration).map(
    (name) => `${text.has(name) ? "''" : '0.0::DOUBLE'} AS ${quoteName(name)}`,
  );
  const scored = `SELECT *, ${added.join(', ')} FROM dry_features`;
  for (const [flag, condition] of Object.entries(declaration.score.flags)) {
    await attempt(`flag ${flag}`, `SELECT count(*) FILTER (${condition}) FROM (${scored})`);
  }
  return findings;
}

type Given = { column_name: string; column_type: string };

/** Keys are hashed in the type that they have: in another one they fall into another bucket. */
function bucketFindings({ declaration, contracts }: UseCase, given: readonly Given[]): string[] {
  const { entity, features } = declaration;
  const type = given.find(({ column_name: name }) => name === entity.key)?.column_type;
  if (features.buckets === 1 || type === undefined) return [];
  const other = Object.entries(contracts).find(([, { contract }]) =>
    contract.columns.some((column) => column.name === entity.key && storedType(column) !== type),
  );
  return other
    ? [`features.sql gives "${entity.key}" as ${type}, which is no way to part ${other[0]} by: keep its type`]
    : [];
}
