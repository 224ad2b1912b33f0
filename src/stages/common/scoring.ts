import { tableFromArrays } from 'apache-arrow';
import { quoteName, quoteText } from '../../data/quote.ts';
import type { SqlEngine } from '../../data/sql.ts';
import type { Conformal } from '../../ml/calibration/conformal.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { intervalsAround } from '../train.ts';
import { columnsOf } from './frozen-sets.ts';
import { type Learnt, predictRows } from './learning.ts';

/**
 * Predicts every row of `query` (the feature table's columns and whatever else) and applies the declared business rules: the
 * floor, the band, the flags. Leaves the temporary table `scored`: the query's columns, then the scored columns and flags.
 */
export async function scoreRows(
  sql: SqlEngine,
  declaration: Declaration,
  { learnt, conformal }: { learnt: Learnt; conformal: Conformal },
  query: string,
): Promise<void> {
  const { score } = declaration;
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE to_score AS SELECT *, (row_number() OVER ())::INTEGER AS _row FROM (${query})`,
  );
  const rows = await sql.query('SELECT * FROM to_score ORDER BY _row');
  const prediction = predictRows(learnt, columnsOf(rows));
  const adjusted = prediction.map((value) => Math.max(value, score.floor ?? -Infinity));
  const { low, high } = intervalsAround(conformal, adjusted);

  await sql.run('DROP TABLE IF EXISTS predicted');
  await sql.insert(
    'predicted',
    tableFromArrays({
      _row: Int32Array.from({ length: rows.numRows }, (_, i) => i + 1),
      prediction,
      adjusted_prediction: adjusted,
      prediction_lower_bound: low,
      prediction_upper_bound: high,
    }),
  );
  const flags = Object.entries(score.flags).map(
    ([flag, condition]) => `coalesce(${condition}, false) AS ${quoteName(flag)}`,
  );
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE scored AS
      WITH banded AS (SELECT *, ${bandOf(score.bands)} AS category FROM to_score JOIN predicted USING (_row))
      SELECT ${['*', ...flags].join(', ')} FROM banded ORDER BY _row`,
  );
}

/** The band of an adjusted prediction: the first whose upper end lies above it; the last one is open. */
function bandOf(bands: Declaration['score']['bands']): string {
  const cases = bands.flatMap(({ name, below }) =>
    below === undefined ? [] : [`WHEN adjusted_prediction < ${below} THEN ${quoteText(name)}`],
  );
  return `CASE ${cases.join(' ')} ELSE ${quoteText(bands[bands.length - 1].name)} END`;
}
