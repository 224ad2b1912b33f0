import { designOf } from '../../ml/dense/model-file.ts';
import type { Columns } from '../../ml/encoders/columns.ts';
import { type Design, applyDesign } from '../../ml/encoders/design.ts';
import { type TfliteModel, precisionOf, width } from '../../ml/formats/tflite/model.ts';
import { featureNamesOf } from '../../ml/formats/tflite/network.ts';
import type { Matrix } from '../../ml/matrix.ts';
import { UsageError } from '../command.ts';
import { type TableFile, cellsOf, columnOf } from '../table-file.ts';
import { ensureLevels, modelFeatures } from './features.ts';

/** A .tflite file as it was read, with the encoders that ours have. */
export type SavedNetwork = {
  kind: 'network';
  format: 'TensorFlow Lite';
  model: TfliteModel;
  design: Design | null;
  featureNames: readonly string[];
};

export function savedNetwork(model: TfliteModel): SavedNetwork {
  const inputs = width(model.tensors[model.input]);
  // as LightGBM calls features without names
  const featureNames = featureNamesOf(model) ?? Array.from({ length: inputs }, (_, i) => `Column_${i}`);
  return { kind: 'network', format: 'TensorFlow Lite', model, design: designOf(model), featureNames };
}

/**
 * A network's inputs for the rows of a table: by the encoders in its file, or, where another program wrote it, the columns of its
 * features as they are. Throws `UsageError` for a column that the table lacks or that holds something else.
 */
export function networkFeatures({ design, featureNames }: SavedNetwork, table: TableFile, byPosition: boolean): Matrix {
  if (design === null) return modelFeatures({ featureNames, categorical: [], categories: null }, table, byPosition);
  if (byPosition) {
    throw new UsageError('The file has its own encoders, which take columns by name: leave --by-position out.');
  }
  return applyDesign(design, encodedColumns(design, table));
}

function encodedColumns(design: Design, table: TableFile): Columns {
  return Object.fromEntries(
    design.features.map((feature) => {
      const column = columnOf(table, feature.column);
      if (feature.as === 'number') {
        if (column.kind !== 'text') return [feature.column, column.values];
        throw new UsageError(
          `The column ${column.name} of ${table.file} holds texts, and the model takes numbers there.`,
        );
      }
      if (feature.as !== 'target') ensureLevels(column, feature.encoder.levels, table.file);
      return [feature.column, cellsOf(column).map((cell) => (cell === null ? null : String(cell)))];
    }),
  );
}

/** Throws `UsageError` where the file is not float32: rounding twice would lose more than once. */
export function ensureFloat({ model }: SavedNetwork, file: string): void {
  const precision = precisionOf(model);
  if (precision === 'float32') return;
  throw new UsageError(`${file} is ${precision} already: convert the float32 file that it was made from.`);
}
