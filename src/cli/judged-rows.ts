import type { DevianceFamily } from '../ml/metrics/deviance.ts';
import { type Groups, groupsOf } from '../ml/metrics/actual-expected.ts';
import { withoutRoundingError } from '../ml/suite/evaluate.ts';
import { oneOf, required } from './arguments.ts';
import { type Call, UsageError } from './command.ts';
import { type TableFile, cellsOf, columnOf, labelOf, numbersOf } from './table-file.ts';

/** Options of every command that holds predictions against labels. */
export const judgedOptions = {
  label: { type: 'string', value: 'COLUMN', help: 'what was predicted: the truth' },
  prediction: { type: 'string', value: 'COLUMN', help: 'what the model said; probabilities for a label of 0 and 1' },
  positive: { type: 'string', value: 'TEXT', help: 'which text of a label of texts counts as 1' },
  weights: { type: 'string', value: 'COLUMN', help: 'weight of each row' },
  resamples: { type: 'string', value: 'N', help: 'of the bootstrap; fewer for large files', default: '1000' },
  seed: { type: 'string', value: 'N', help: 'of the bootstrap', default: '1' },
} as const;

/** The rows of a table that have both a label and a prediction. */
export type Judged = {
  actual: Float64Array;
  predicted: Float64Array;
  weight?: Float64Array;
  exposure?: Float64Array;
  /** Row numbers in the table, ascending. */
  rows: Uint32Array;
  /** Rows without a label or prediction. */
  leftOut: number;
};

/** Label, prediction, weights and exposure as the command line names them. Rows without label or prediction are left out. */
export function judgedRows(call: Call, table: TableFile): Judged {
  const positive = call.text('positive');
  const labels = labelOf(table, required(call, 'label', 'the column of the truth'), positive);
  const prediction = required(call, 'prediction', 'the column of the predictions');
  const saysDecision = columnOf(table, prediction).kind === 'text';
  const predictions = saysDecision ? labelOf(table, prediction, positive) : numbersOf(table, prediction);
  const rows = Uint32Array.from(labels.keys()).filter((row) => Number.isFinite(labels[row] + predictions[row]));
  if (rows.length === 0) throw new UsageError(`No row of ${table.file} has both a label and a prediction.`);
  const leftOut = table.rows - rows.length;
  if (leftOut > 0)
    call.output.note(`${leftOut} of ${table.rows} rows have no label or no prediction and are left out.`);
  const take = (values: Float64Array) => Float64Array.from(rows, (row) => values[row]);
  const weights = call.text('weights');
  const exposure = call.text('exposure');
  const actual = take(labels);
  return {
    actual,
    predicted: withoutRoundingError(actual, take(predictions)),
    ...(weights !== undefined && { weight: weightsOf(table, weights, rows, 'weight') }),
    ...(exposure !== undefined && { exposure: weightsOf(table, exposure, rows, 'exposure') }),
    rows,
    leftOut,
  };
}

/** A column of weights (≥ 0) or exposures (> 0) of the rows named. */
export function weightsOf(
  table: TableFile,
  name: string,
  rows: ArrayLike<number>,
  what: 'weight' | 'exposure',
): Float64Array {
  const all = numbersOf(table, name);
  const values = Float64Array.from(rows, (row) => all[row]);
  const bad = values.findIndex((value) => !(value >= 0 && value < Infinity) || (what === 'exposure' && value === 0));
  if (bad >= 0) {
    throw new UsageError(
      `The column ${name} of ${table.file} is no ${what} in row ${rows[bad] + 1}: it must be ${what === 'exposure' ? 'above 0' : 'at least 0'}.`,
    );
  }
  if (values.every((value) => value === 0))
    throw new UsageError(`The column ${name} of ${table.file} is 0 in every row.`);
  return values;
}

/** The groups of a column for the rows named. */
export function groupsOfColumn(table: TableFile, name: string, rows: ArrayLike<number>): Groups {
  const cells = cellsOf(columnOf(table, name));
  const groups = groupsOf(Array.from(rows, (row) => cells[row]));
  const most = 200;
  if (groups.names.length > most) {
    throw new UsageError(
      `The column ${name} of ${table.file} has ${groups.names.length} values, more than the ${most} that make a table: give bands.`,
    );
  }
  return groups;
}

/** `poisson`, `gamma`, `normal`, `tweedie` (1.5) or `tweedie:1.7`. */
export function familyOf(call: Call): DevianceFamily | undefined {
  const given = call.text('family');
  const power = /^tweedie:(1\.\d+)$/.exec(given ?? '')?.[1];
  if (power !== undefined && Number(power) > 1) return { tweedie: Number(power) };
  const word = oneOf(call, 'family', ['normal', 'poisson', 'gamma', 'tweedie'] as const);
  return word === 'tweedie' ? { tweedie: 1.5 } : word;
}
