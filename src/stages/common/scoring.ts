import { tableFromArrays } from 'apache-arrow';
import { quoteName, quoteText } from '../../data/quote.ts';
import type { SqlEngine } from '../../data/sql.ts';
import type { Conformal } from '../../ml/calibration/conformal.ts';
import type { Columns } from '../../ml/encoders/columns.ts';
import { outputOf } from '../../ml/metrics/outputs.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { outputColumn } from '../../usecase/check.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { type Band, bandsOf, outputNames } from '../../usecase/label.ts';
import { intervalsAround } from '../train.ts';
import { columnsOf } from './frozen-sets.ts';
import { type Learnt, columnsRead, explainRows, predictRows } from './learning.ts';
import { reasonsOf } from './reasons.ts';

/**
 * Predicts every row of `query` (the feature table's columns and whatever else) and applies the declared business rules: the
 * floor, the band, the flags. Leaves the temporary table `scored`: the query's columns, then the scored columns and flags.
 */
export async function scoreRows(
  sql: SqlEngine,
  declaration: Declaration,
  model: { learnt: Learnt; conformal: Conformal | null },
  query: string,
  ports: Pick<Ports, 'modelThreads'> = {},
): Promise<void> {
  const { score } = declaration;
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE to_score AS SELECT *, (row_number() OVER ())::INTEGER AS _row FROM (${query})`,
  );
  // the other columns go from table to table; one that is missing is an error of the encoders, which name it
  const read = columnsRead(model.learnt).map(quoteText);
  const rows = await sql.query(`SELECT COLUMNS(lambda name: name IN (${read.join(', ')})) FROM to_score ORDER BY _row`);
  await sql.insert(
    'predicted',
    tableFromArrays({
      _row: Int32Array.from({ length: rows.numRows }, (_, i) => i + 1),
      ...predictedColumns(declaration, model, columnsOf(rows), ports),
    }),
  );
  const flags = Object.entries(score.flags).map(
    ([flag, condition]) => `coalesce(${condition}, false) AS ${quoteName(flag)}`,
  );
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE scored AS
      WITH banded AS (SELECT *, ${bandOf(bandsOf(declaration))} AS category FROM to_score JOIN predicted USING (_row))
      SELECT ${['*', ...flags].join(', ')} FROM banded ORDER BY _row`,
  );
  await sql.run('DROP TABLE to_score; DROP TABLE predicted');
}

/** The columns that the model gives, as `scoredColumns` names them; of several outputs `prediction` is the mean. */
function predictedColumns(
  declaration: Declaration,
  { learnt, conformal }: { learnt: Learnt; conformal: Conformal | null },
  columns: Columns,
  ports: Pick<Ports, 'modelThreads'>,
): Record<string, Float64Array | string[]> {
  const { floor = -Infinity, reasons } = declaration.score;
  const outputs = outputNames(declaration);
  const predicted = predictRows(learnt, columns, ports);
  const byOutput = outputs.map((_, output) => outputOf(predicted, outputs.length, output));
  const prediction = outputs.length === 0 ? predicted : meanOf(byOutput);
  const adjusted = prediction.map((value) => Math.max(value, floor));
  const interval = conformal && intervalsAround(conformal, adjusted);
  return {
    prediction,
    adjusted_prediction: adjusted,
    ...(interval && { prediction_lower_bound: interval.low, prediction_upper_bound: interval.high }),
    ...(reasons > 0 && {
      reasons: reasonsOf(explainRows(declaration, learnt, columns, ports), reasons).map((list) => JSON.stringify(list)),
    }),
    ...Object.fromEntries(outputs.map((output, k) => [outputColumn(output), byOutput[k]])),
  };
}

function meanOf(parts: readonly Float64Array[]): Float64Array {
  return parts[0].map((_, row) => parts.reduce((sum, part) => sum + part[row], 0) / parts.length);
}

/** The band of an adjusted prediction: the first whose upper end lies above it; the last one is open. */
function bandOf(bands: readonly Band[]): string {
  const open = quoteText(bands[bands.length - 1].name);
  const cases = bands.flatMap(({ name, below }) =>
    below === undefined ? [] : [`WHEN adjusted_prediction < ${below} THEN ${quoteText(name)}`],
  );
  return cases.length === 0 ? open : `CASE ${cases.join(' ')} ELSE ${open} END`;
}
