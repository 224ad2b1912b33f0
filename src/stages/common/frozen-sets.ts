/**
 * The frozen data of a training run: `snapshots/<use case>/<run>/` holds `train.arrow` and `test.arrow` (Arrow IPC files) and
 * `snapshot.json`, which names their digests. Everything after `Snapshot` reads these files and nothing else, so that every
 * candidate, every evaluation and every later comparison sees the same bytes.
 */
import { type Table, type Vector, tableFromIPC } from 'apache-arrow';
import type { Cell, Columns } from '../../ml/encoders/columns.ts';
import { numbers } from '../../ml/encoders/columns.ts';
import type { LeakageFinding } from '../../ml/leakage/finding.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import type { StageInput } from '../../stages.ts';
import { takeRows } from '../../ml/tune/cross-validate.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import { labelColumns } from '../../usecase/label.ts';
import { arrowCells } from './arrow-cells.ts';
import { digestOf, fromJsonBytes, getWritten } from './json.ts';

export type SnapshotDocument = {
  format: 1;
  useCase: string;
  runId: string;
  cause: string;
  /** Version of the feature table that the rows were read at. */
  dataVersion: number;
  contractVersions: { [source: string]: string };
  trainDigest: string;
  testDigest: string;
  trainRows: number;
  testRows: number;
  leakage: LeakageFinding[];
  /** Declared features that this training does without, because too many rows have no value. */
  leftOut: string[];
  /** Reviewers' votes that changed a training row, and outcomes that moved a training label. */
  votes: number;
  outcomes: number;
};

/** The declaration as one training takes it: without the features that its rows hardly have. */
export function trainable(declaration: Declaration, { leftOut }: Pick<SnapshotDocument, 'leftOut'>): Declaration {
  if (leftOut.length === 0) return declaration;
  const kept = (names: readonly string[]) => names.filter((feature) => !leftOut.includes(feature));
  const { features } = declaration;
  return {
    ...declaration,
    features: {
      ...features,
      numeric: kept(features.numeric),
      categorical: kept(features.categorical),
      views: Object.fromEntries(
        Object.entries(features.views).map(([view, { numeric, categorical, ...rest }]) => [
          view,
          { ...rest, numeric: kept(numeric), categorical: kept(categorical) },
        ]),
      ),
    },
  };
}

/** Rows with everything that a model, a rule or a slice may ask of them. */
export type RowSet = {
  rows: number;
  /** Every column of the feature table, by name. */
  columns: Columns;
  keys: string[];
  /** Rows × outputs, row-major. */
  label: Float64Array;
  outputs: number;
  /** How much a row counts in training, where rows differ in that. */
  weight?: Float64Array;
};

/** The column of a frozen table that holds the weights of its rows. */
export const weightColumn = '_weight';

/** The column of a frozen table that holds what came of an output: the place of a step, NaN where nothing is known. */
export const outcomeColumn = (output: string) => `_outcome_${output}`;

/** What came of these rows, rows × outputs places of steps; undefined where they were frozen without. */
export function outcomesOf({ columns }: RowSet, declaration: Declaration): Float64Array | undefined {
  const names = labelColumns(declaration).map(outcomeColumn);
  return Object.hasOwn(columns, names[0]) ? interleaved(names, columns) : undefined;
}

/**
 * The labels that a model is judged by. Where outcomes judge as well, a pair is judged by one of the two: the label of one whose
 * outcome is known is NaN, since training moves the labels of such pairs, and from these it shall be allowed to differ.
 */
export function judgedLabel(rows: RowSet, declaration: Declaration, outcomes: number): Float64Array {
  const happened = outcomes > 0 ? outcomesOf(rows, declaration) : undefined;
  return happened ? rows.label.map((label, pair) => (Number.isNaN(happened[pair]) ? label : NaN)) : rows.label;
}

/** A frozen file is not the one that was frozen. */
export class SnapshotDamaged extends Error {
  override name = 'SnapshotDamaged';
}

export const snapshotPrefix = (run: { useCase: string; runId: string }) => `snapshots/${run.useCase}/${run.runId}/`;

export async function readSnapshot(ports: Ports, key: string): Promise<SnapshotDocument> {
  return fromJsonBytes<SnapshotDocument>(await getWritten(ports.registry, key, 'registry'), `registry/${key}`);
}

/** One of the two sets. Throws `SnapshotDamaged`. */
export async function readFrozenSet(
  ports: Ports,
  snapshot: StageInput<'Tune'>['snapshot'],
  part: 'train' | 'test',
  declaration: Declaration,
): Promise<RowSet> {
  return rowSetOf(await readFrozenTable(ports, snapshot, part), declaration);
}

/** The same as the Arrow table that was frozen, its digest checked. */
export async function readFrozenTable(
  ports: Ports,
  snapshot: StageInput<'Tune'>['snapshot'],
  part: 'train' | 'test',
): Promise<Table> {
  const document = await readSnapshot(ports, snapshot.key);
  const key = snapshot.key.replace(/snapshot\.json$/, `${part}.arrow`);
  const bytes = await getWritten(ports.registry, key, 'registry');
  const expected = part === 'train' ? document.trainDigest : document.testDigest;
  if (digestOf(bytes) !== expected) {
    throw new SnapshotDamaged(
      `${key} in the registry zone has changed since it was frozen: its SHA-256 should be ${expected}. ` +
        'Restore it from the version history, or request a new training.',
    );
  }
  return tableFromIPC(bytes);
}

/** The rows of an Arrow table in the feature table's layout. A missing label is NaN. */
export function rowSetOf(table: Table, declaration: Declaration): RowSet {
  const columns = columnsOf(table);
  return {
    rows: table.numRows,
    columns,
    keys: Array.from(columns[declaration.entity.key], String),
    label: interleaved(labelColumns(declaration), columns),
    outputs: labelColumns(declaration).length,
    ...(Object.hasOwn(columns, weightColumn) && { weight: numbers(weightColumn, columns[weightColumn]) }),
  };
}

/** Number columns as rows × columns, row-major. */
export function interleaved(names: readonly string[], columns: Columns): Float64Array {
  const parts = names.map((name) => numbers(name, columns[name]));
  if (parts.length === 1) return parts[0];
  const values = new Float64Array(parts[0].length * parts.length);
  parts.forEach((part, k) => {
    for (let row = 0; row < part.length; row++) values[row * parts.length + k] = part[row];
  });
  return values;
}

/** Some rows of a set, of every column. */
export function takeRowSet({ columns, keys, label, outputs, weight }: RowSet, rows: ArrayLike<number>): RowSet {
  return {
    rows: rows.length,
    columns: takeColumns(columns, rows),
    keys: takeCells(keys, rows),
    label: takeRows(label, rows, outputs),
    outputs,
    ...(weight && { weight: takeRows(weight, rows) }),
  };
}

/** The rows named, of every column. */
export function takeColumns(columns: Columns, rows: ArrayLike<number>): Columns {
  const take = (cells: ArrayLike<Cell>): ArrayLike<Cell> =>
    cells instanceof Float64Array ? takeRows(cells, rows) : takeCells(cells, rows);
  return Object.fromEntries(Object.entries(columns).map(([name, cells]) => [name, take(cells)]));
}

/** A plain loop, for it is done for every column of every fold: `Array.from` takes five times as long. */
function takeCells<Value>(cells: ArrayLike<Value>, rows: ArrayLike<number>): Value[] {
  const taken: Value[] = [];
  for (let i = 0; i < rows.length; i++) taken.push(cells[rows[i]]);
  return taken;
}

/** Arrow columns as plain cells: a column of numbers becomes a typed array with NaN for null, all others keep their nulls. */
export function columnsOf(table: Table): Columns {
  return Object.fromEntries(
    table.schema.fields.map((field) => [field.name, arrowCells(table.getChild(field.name) as Vector)]),
  );
}
