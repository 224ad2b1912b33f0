import type { Json } from '../../data/json.ts';
import { didYouMean } from '../../data/nearest.ts';
import { applyOrdinal, fitOrdinal } from '../../ml/encoders/ordinal.ts';
import { EncodingError } from '../../ml/encoders/columns.ts';
import type { Matrix } from '../../ml/matrix.ts';
import { InvalidModel, type TreeModel } from '../../ml/trees/model.ts';
import { UsageError } from '../command.ts';
import type { TableColumn } from '../table-columns.ts';
import { type TableFile, cellsOf } from '../table-file.ts';

/** LightGBM parts names by blanks and has an underscore for each, in its own files too. */
export const featureName = (column: string) => column.replaceAll(/\s/g, '_');

/**
 * The matrix of a table's columns to learn from: numbers and booleans as they are, texts and the columns named `categorical` as codes,
 * with the levels behind the codes for the model's file. Levels are in order, so that equal tables give equal codes.
 */
export function trainingFeatures(
  columns: readonly TableColumn[],
  categorical: readonly string[],
): { matrix: Matrix; categories: Json[][] } {
  const names = columns.map(({ name }) => featureName(name));
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new UsageError(`Two columns would both be the feature ${twice}: rename one.`);
  const rows = columns[0].values.length;
  const values = new Float64Array(rows * columns.length);
  const codes: number[] = [];
  const categories: Json[][] = [];
  columns.forEach((column, c) => {
    if (column.kind !== 'text' && !categorical.includes(column.name)) {
      values.set(column.values, c * rows);
      return;
    }
    const encoder = encoderOf(column);
    values.set(applyOrdinal(encoder, cellsOf(column)), c * rows);
    codes.push(c);
    categories.push(column.kind === 'number' ? encoder.levels.map(Number) : encoder.levels);
  });
  return { matrix: { rows, columns: columns.length, names, values, categorical: codes }, categories };
}

function encoderOf(column: TableColumn) {
  try {
    return fitOrdinal(cellsOf(column));
  } catch (error) {
    if (!(error instanceof EncodingError)) throw error;
    throw new UsageError(
      `The column ${column.name} cannot be a category: ${error.message} Leave it out by --exclude ${column.name}.`,
    );
  }
}

/** The features of a model, and which of them are codes. */
export type Features = Pick<TreeModel, 'featureNames' | 'categorical' | 'categories'>;

/**
 * The matrix that a model asks for, its features found in the table by name (blanks as underscores), or by their place where
 * `byPosition` is set. A level that the model has not seen is a missing value, as in LightGBM. Throws `UsageError` for a column that
 * the table lacks or that holds something else, and InvalidModel where the file's own levels do not fit its features.
 */
export function modelFeatures(model: Features, table: TableFile, byPosition: boolean): Matrix {
  const columns = byPosition
    ? columnsByPosition(model, table)
    : model.featureNames.map((name) => columnOfFeature(model, table, name));
  const levels = levelsByFeature(model);
  const values = new Float64Array(table.rows * columns.length);
  columns.forEach((column, feature) => {
    values.set(
      featureValues(column, levels.get(feature), model.categorical.includes(feature), table),
      feature * table.rows,
    );
  });
  const { featureNames: names, categorical } = model;
  return { rows: table.rows, columns: columns.length, names, values, categorical };
}

function columnsByPosition({ featureNames }: Features, table: TableFile): TableColumn[] {
  if (table.columns.length === featureNames.length) return table.columns;
  throw new UsageError(
    `The model has ${featureNames.length} features and ${table.file} ${table.columns.length} columns: --by-position needs as many.`,
  );
}

function columnOfFeature({ featureNames }: Features, table: TableFile, feature: string): TableColumn {
  const found =
    table.columns.find(({ name }) => name === feature) ??
    table.columns.find(({ name }) => featureName(name) === feature);
  if (found) return found;
  const isUnnamed = featureNames.every((name, i) => name === `f${i}` || name === `Column_${i}`);
  const hint = isUnnamed
    ? ' The model was trained without names: --by-position takes the columns in their order.'
    : didYouMean(
        feature,
        table.columns.map(({ name }) => name),
      );
  throw new UsageError(`${table.file} has no column "${feature}", which the model asks for.${hint}`);
}

/** The levels behind the codes of each categorical feature, where the file has them. */
function levelsByFeature({ categorical, categories, featureNames }: Features): Map<number, Map<string, number>> {
  if (categories === null) return new Map();
  if (categories.length !== categorical.length) {
    throw new InvalidModel(
      `The model has levels for ${categories.length} features, but ${categorical.length} are categorical ` +
        `(${categorical.map((feature) => featureNames[feature]).join(', ')}): whose they are cannot be told.`,
    );
  }
  return new Map(
    categorical.map((feature, k) => [feature, new Map(categories[k].map((level, code) => [levelText(level), code]))]),
  );
}

/** Levels may be numbers and booleans, as pandas writes them; cells are compared with them as texts. */
function levelText(level: Json): string {
  return typeof level === 'string' ? level : JSON.stringify(level);
}

function featureValues(
  column: TableColumn,
  codeOf: Map<string, number> | undefined,
  isCategorical: boolean,
  { file }: TableFile,
): Float64Array {
  if (codeOf) {
    ensureLevels(column, [...codeOf.keys()], file);
    return Float64Array.from(cellsOf(column), (cell) => (cell === null ? NaN : (codeOf.get(String(cell)) ?? NaN)));
  }
  if (column.kind !== 'text') return column.values;
  // Parquet may call a column text that has no value at all
  if (column.values.every((text) => text === null)) return new Float64Array(column.values.length).fill(NaN);
  throw new UsageError(
    isCategorical
      ? `The column ${column.name} of ${file} holds texts, and the model’s file has only the codes of this category: give the codes.`
      : `The column ${column.name} of ${file} holds texts, and the model takes numbers there.`,
  );
}

/**
 * A level that the model has not seen is a missing value. A column of numbers or booleans that has none of its levels, though, is the
 * same category written in another way (`true` for `yes`), and every prediction would be wrong. Throws `UsageError`.
 */
export function ensureLevels(column: TableColumn, levels: readonly string[], file: string): void {
  if (column.kind === 'text') return;
  const present = cellsOf(column).filter((cell) => cell !== null);
  if (present.length === 0 || present.some((cell) => levels.includes(String(cell)))) return;
  throw new UsageError(
    `The column ${column.name} of ${file} holds ${column.kind}s, none of which is a level of this category in the model: it is coded in another way.`,
  );
}
