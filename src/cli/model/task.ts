import { boostingParameters } from '../../ml/trees/parameters.ts';
import { list, oneOf, required } from '../arguments.ts';
import { type Call, UsageError } from '../command.ts';
import { weightsOf } from '../judged-rows.ts';
import type { TableColumn } from '../table-columns.ts';
import { type TableFile, columnOf, labelOf } from '../table-file.ts';
import type { Lesson, Objective } from './learners.ts';

export const objectives = boostingParameters.shape.objective.unwrap().options;

/** What a command line asks to be learnt. */
export type Task = {
  objective: Objective;
  columns: TableColumn[];
  categorical: string[];
  /** Rows of the table that have a label; everything below has one entry per such row. */
  rows: Uint32Array;
  totals: Float64Array;
  weight: Float64Array | undefined;
  exposure: Float64Array | undefined;
  /** What is learnt: with exposure a rate, weighted by exposure. */
  lesson: Lesson;
};

/** What the command line asks to be learnt from the table. Rows without a label are left out. */
export function taskOf(call: Call, table: TableFile): Task {
  const label = required(call, 'label', 'the column to predict');
  const labels = labelOf(table, label, call.text('positive'));
  const rows = Uint32Array.from(labels.keys()).filter((row) => Number.isFinite(labels[row]));
  if (rows.length === 0) throw new UsageError(`No row of ${table.file} has a label.`);
  if (rows.length < table.rows)
    call.output.note(`${table.rows - rows.length} of ${table.rows} rows have no label and are left out.`);
  const totals = Float64Array.from(rows, (row) => labels[row]);
  const isBinary = totals.every((value) => value === 0 || value === 1);
  const exposureName = call.text('exposure');
  const weightName = call.text('weights');
  const objective =
    oneOf(call, 'objective', objectives) ?? (isBinary && exposureName === undefined ? 'binary' : 'squared_error');
  if (objective === 'binary' && !isBinary)
    throw new UsageError(`The label ${label} is not 0 or 1 in every row, as the objective binary asks.`);
  if (objective === 'binary' && exposureName !== undefined)
    throw new UsageError('A class has no exposure: use --weights.');

  const exposure = exposureName === undefined ? undefined : weightsOf(table, exposureName, rows, 'exposure');
  const weight = weightName === undefined ? undefined : weightsOf(table, weightName, rows, 'weight');
  const target = exposure ? totals.map((total, i) => total / exposure[i]) : totals;
  const both = exposure && weight ? weight.map((w, i) => w * exposure[i]) : (exposure ?? weight);
  const categorical = list(call, 'categorical') ?? [];
  const columns = featureColumns(call, table, [label, exposureName, weightName], rows);
  const unknown = categorical.find((name) => !columns.some((column) => column.name === name));
  if (unknown !== undefined) throw new UsageError(`--categorical names ${unknown}, which is none of the features.`);
  return { objective, columns, categorical, rows, totals, weight, exposure, lesson: { target, weight: both } };
}

/** The columns to learn from: those named, or all but the label's company and those excluded. */
function featureColumns(
  call: Call,
  table: TableFile,
  reserved: readonly (string | undefined)[],
  rows: Uint32Array,
): TableColumn[] {
  const asked = list(call, 'features');
  const excluded = list(call, 'exclude') ?? [];
  for (const name of excluded) columnOf(table, name);
  const leaking = asked?.find((name) => reserved.includes(name));
  if (leaking !== undefined)
    throw new UsageError(`The column ${leaking} cannot be a feature: it is label, exposure or weight.`);
  const columns = asked
    ? asked.map((name) => columnOf(table, name))
    : table.columns.filter(({ name }) => !reserved.includes(name) && !excluded.includes(name));
  if (columns.length === 0) throw new UsageError(`${table.file} has no column left to learn from.`);
  if (rows.length === table.rows) return columns;
  return columns.map((column) =>
    column.kind === 'text'
      ? { ...column, values: Array.from(rows, (row) => column.values[row]) }
      : { ...column, values: Float64Array.from(rows, (row) => column.values[row]) },
  );
}

/** Of splits, sampling and bootstrap. */
export const seedOf = (call: Call) => call.text('seed') ?? '1';
