import { tableFromArrays } from 'apache-arrow';
import type { SqlEngine } from '../../data/sql.ts';
import type { Columns } from '../../ml/encoders/columns.ts';
import { type TextFacts, textFacts } from '../../recommend/text/facts.ts';
import type { WrittenText } from '../../recommend/text/write.ts';
import type { Recommend } from '../../usecase/recommend.ts';
import { type PairFactors, type Pairs, contributionsOf } from './pair-factors.ts';

/** The facts of all pairs, each that differs once, and which of them belong to each pair: there are far fewer than pairs. */
export function factsOf(
  policy: Recommend,
  columns: Columns,
  { rows, outputs }: Pairs,
  factors: PairFactors,
): { distinct: TextFacts[]; of: Int32Array } {
  const distinct: TextFacts[] = [];
  const placeOf = new Map<string, number>();
  const of = rows.map((row, pair) => {
    const contributions = contributionsOf(factors, pair).map(({ feature, contribution }) => ({
      feature,
      contribution,
      value: columns[feature][row],
    }));
    const facts = textFacts(policy, policy.offers[outputs[pair]], contributions);
    const name = JSON.stringify([outputs[pair], facts.reasons]);
    const known = placeOf.get(name);
    if (known !== undefined) return known;
    placeOf.set(name, distinct.length);
    return distinct.push(facts) - 1;
  });
  return { distinct, of };
}

/** How many of a pair's factors are kept beside its text. */
const keptFactors = 5;

/** So many pairs at a time become rows: their texts take far more memory than what they are made of. */
const pagePairs = 10_000;

/** The temporary tables `texts`, and `reasons`: the factors of each pair, and which text belongs to it. */
export async function insertReasons(
  sql: SqlEngine,
  { offers }: Recommend,
  {
    sent: { rows, outputs },
    factors,
    texts,
    textOf,
  }: { sent: Pairs; factors: PairFactors; texts: readonly WrittenText[]; textOf: Int32Array },
  page = pagePairs,
): Promise<void> {
  await sql.run(
    `CREATE TEMP TABLE texts (_text INTEGER, reason VARCHAR, reason_source VARCHAR, reason_refused VARCHAR);
      CREATE TEMP TABLE reasons (_row INTEGER, offer_id VARCHAR, factors VARCHAR, _text INTEGER)`,
  );
  for (let from = 0; from < texts.length; from += page) {
    const some = texts.slice(from, from + page);
    await insertPage(sql, 'texts', {
      _text: Int32Array.from(some, (_, i) => from + i),
      reason: some.map(({ text }) => text),
      reason_source: some.map(({ source }) => source),
      // why a text is the template's where a model was asked
      reason_refused: some.map(({ refusedBecause = '' }) => refusedBecause),
    });
  }
  for (let from = 0; from < rows.length; from += page) {
    const some = rows.subarray(from, from + page);
    await insertPage(sql, 'reasons', {
      _row: some.map((row) => row + 1),
      offer_id: Array.from(some, (_, i) => offers[outputs[from + i]].id),
      factors: Array.from(some, (_, i) => factorsText(contributionsOf(factors, from + i))),
      _text: textOf.slice(from, from + some.length),
    });
  }
}

async function insertPage(
  sql: SqlEngine,
  table: string,
  columns: Record<string, Int32Array | string[]>,
): Promise<void> {
  const page = `${table}_page`;
  await sql.insert(page, tableFromArrays(columns));
  await sql.run(`INSERT INTO ${table} FROM ${page}; DROP TABLE ${page}`);
}

function factorsText(contributions: readonly { feature: string; contribution: number }[]): string {
  return JSON.stringify(
    contributions.slice(0, keptFactors).map(({ feature, contribution }) => ({
      feature,
      effect: contribution > 0 ? 'raises' : 'lowers',
      shap: Number(contribution.toFixed(3)),
    })),
  );
}
