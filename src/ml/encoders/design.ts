import type { Matrix } from '../matrix.ts';
import { EncodingError, isMissing, numbers, type Cell, type Columns } from './columns.ts';
import { applyImputer, fitImputer, type Imputation, type Imputer } from './impute.ts';
import { applyOneHot, fitOneHot, type OneHotEncoder } from './one-hot.ts';
import { applyOrdinal, fitOrdinal, type OrdinalEncoder, type Unseen } from './ordinal.ts';
import { applyStandard, fitStandard, type StandardScaler } from './scale.ts';
import { applyTarget, crossFitTarget, fitTarget, type Supervision, type TargetEncoder } from './target.ts';

/** How columns become features, in the order of the features. Plain JSON. */
export type DesignSpec = readonly FeatureSpec[];

export type FeatureSpec =
  /** A number or boolean. `indicator` adds a feature `<column>=missing`. Without `impute` missing stays NaN. */
  | { column: string; as: 'number'; impute?: Imputation; indicator?: boolean; scale?: 'standard' }
  /** One feature of codes; `categorical` lets trees split it by sets of levels rather than by order. @default true */
  | {
      column: string;
      as: 'ordinal';
      levels?: readonly string[];
      unseen?: Unseen;
      categorical?: boolean;
      scale?: 'standard';
    }
  /** One feature `<column>=<level>` per level. */
  | { column: string; as: 'oneHot'; dropFirst?: boolean }
  /** Smoothed mean label per level. */
  | { column: string; as: 'target'; smoothing?: number };

/** A fitted design: everything that scoring needs to know. Plain JSON, stored in the model's own file, never refitted. */
export type Design = { kind: 'design'; version: 1; names: string[]; categorical: number[]; features: FittedFeature[] };

type FittedFeature =
  | { column: string; as: 'number'; imputer?: Imputer; indicator: boolean; scaler?: StandardScaler }
  | { column: string; as: 'ordinal'; encoder: OrdinalEncoder; categorical: boolean; scaler?: StandardScaler }
  | { column: string; as: 'oneHot'; encoder: OneHotEncoder }
  | { column: string; as: 'target'; encoder: TargetEncoder; smoothing: number };

/**
 * Learns encoders, imputers and scalers from training columns. `supervision` is needed for target encoding only. Throws an
 * `EncodingError` that names the column for one that is absent, of the wrong type, or named twice.
 */
export function fitDesign(columns: Columns, spec: DesignSpec, supervision?: Supervision): Design {
  const features = spec.map((feature) =>
    inColumn(feature.column, () => fitFeature(feature, cellsOf(columns, feature.column), supervision)),
  );
  const names: string[] = [];
  const categorical: number[] = [];
  for (const feature of features) {
    if (feature.as === 'ordinal' && feature.categorical) categorical.push(names.length);
    names.push(...namesOf(feature));
  }
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new EncodingError(`The design makes the feature "${twice}" twice.`);
  return { kind: 'design', version: 1, names, categorical, features };
}

/**
 * The matrix of any columns under a fitted design: same features, same order, same codes, whatever else the columns hold.
 * Throws an `EncodingError` that names the column for one that is absent, of the wrong type or of another length.
 */
export function applyDesign(design: Design, columns: Columns): Matrix {
  return assemble(design, columns, (feature, cells) => applyTarget(feature.encoder, cells));
}

/**
 * The matrix of the training rows themselves: as `applyDesign`, but target encodings come from the other folds
 * (`foldOf[row]` is the fold of a row), so that no row sees its own label. Same as `applyDesign` for all other features.
 */
export function trainingMatrix(
  design: Design,
  columns: Columns,
  supervision: Supervision,
  foldOf: ArrayLike<number>,
): Matrix {
  return assemble(design, columns, (feature, cells) => crossFitTarget(cells, supervision, foldOf, feature.smoothing));
}

type TargetFeature = Extract<FittedFeature, { as: 'target' }>;

function assemble(
  design: Design,
  columns: Columns,
  targetEncoding: (feature: TargetFeature, cells: ArrayLike<Cell>) => Float64Array,
): Matrix {
  const first = design.features[0];
  const rows = first === undefined ? 0 : cellsOf(columns, first.column).length;
  const values = new Float64Array(rows * design.names.length);
  let offset = 0;
  for (const feature of design.features) {
    const cells = cellsOf(columns, feature.column);
    if (cells.length !== rows) {
      throw new EncodingError(
        `Column "${feature.column}" has ${cells.length} rows, "${first.column}" has ${rows}: they must agree.`,
      );
    }
    for (const encoded of featureColumns(feature, cells, targetEncoding)) {
      values.set(encoded, offset);
      offset += rows;
    }
  }
  const matrix: Matrix = { rows, columns: design.names.length, names: design.names, values };
  return design.categorical.length > 0 ? { ...matrix, categorical: design.categorical } : matrix;
}

function featureColumns(
  feature: FittedFeature,
  cells: ArrayLike<Cell>,
  targetEncoding: (feature: TargetFeature, cells: ArrayLike<Cell>) => Float64Array,
): Float64Array[] {
  switch (feature.as) {
    case 'number': {
      const raw = numbers(feature.column, cells);
      const filled = feature.imputer ? applyImputer(feature.imputer, raw) : raw;
      const scaled = feature.scaler ? applyStandard(feature.scaler, filled) : filled;
      return feature.indicator ? [scaled, missingIndicator(cells)] : [scaled];
    }
    case 'ordinal': {
      const codes = applyOrdinal(feature.encoder, cells);
      return [feature.scaler ? applyStandard(feature.scaler, codes) : codes];
    }
    case 'oneHot':
      return applyOneHot(feature.encoder, cells);
    default:
      return [targetEncoding(feature, cells)];
  }
}

function fitFeature(feature: FeatureSpec, cells: ArrayLike<Cell>, supervision?: Supervision): FittedFeature {
  const { column } = feature;
  switch (feature.as) {
    case 'number': {
      const raw = numbers(column, cells);
      const imputer = feature.impute === undefined ? undefined : fitImputer(raw, feature.impute);
      const scaler = feature.scale && fitStandard(imputer ? applyImputer(imputer, raw) : raw);
      return {
        column,
        as: 'number',
        indicator: feature.indicator ?? false,
        ...(imputer && { imputer }),
        ...(scaler && { scaler }),
      };
    }
    case 'ordinal': {
      const { levels, unseen, scale } = feature;
      const encoder = fitOrdinal(cells, { ...(levels && { levels }), ...(unseen && { unseen }) });
      // scaled codes are no codes any more
      const categorical = scale ? false : (feature.categorical ?? true);
      const scaler = scale && fitStandard(applyOrdinal(encoder, cells));
      return { column, as: 'ordinal', encoder, categorical, ...(scaler && { scaler }) };
    }
    case 'oneHot':
      return { column, as: 'oneHot', encoder: fitOneHot(cells, { dropFirst: feature.dropFirst ?? false }) };
    default: {
      if (!supervision) throw new EncodingError('target encoding needs the label at fitting.');
      const { smoothing = 10 } = feature;
      return { column, as: 'target', encoder: fitTarget(cells, supervision, smoothing), smoothing };
    }
  }
}

/** The features that one column becomes, in their order. */
export function namesOf(feature: FittedFeature): string[] {
  if (feature.as === 'oneHot') return feature.encoder.levels.map((level) => `${feature.column}=${level}`);
  if (feature.as === 'number' && feature.indicator) return [feature.column, `${feature.column}=missing`];
  return [feature.column];
}

function missingIndicator(cells: ArrayLike<Cell>): Float64Array {
  return Float64Array.from(cells, (cell) => (isMissing(cell) ? 1 : 0));
}

function cellsOf(columns: Columns, name: string): ArrayLike<Cell> {
  if (!Object.hasOwn(columns, name)) {
    throw new EncodingError(
      `Column "${name}" is missing; the columns given are ${Object.keys(columns).sort().join(', ') || 'none'}.`,
    );
  }
  return columns[name];
}

/** Runs a fit and puts the column's name before whatever it complains about. */
function inColumn<T>(column: string, fit: () => T): T {
  try {
    return fit();
  } catch (error) {
    if (!(error instanceof EncodingError) || error.message.includes(`"${column}"`)) throw error;
    throw new EncodingError(`Column "${column}": ${error.message}`, { cause: error });
  }
}
