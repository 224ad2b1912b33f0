import { resolve } from 'node:path';
import { applyDesign } from '../../ml/encoders/design.ts';
import { width } from '../../ml/formats/tflite/model.ts';
import { predictTflite } from '../../ml/formats/tflite/predictor.ts';
import { type GlmDocument } from '../../ml/glm/glm-document.ts';
import { predictGlm } from '../../ml/glm/glm.ts';
import { InvalidModel } from '../../ml/trees/model.ts';
import { predict as predictTrees } from '../../ml/trees/predictor.ts';
import { required } from '../arguments.ts';
import { type Call, UsageError } from '../command.ts';
import { weightsOf } from '../judged-rows.ts';
import { type TableFile, columnOf, readTable } from '../table-file.ts';
import { type AddedColumn, ensureTableName, writeTableWith } from '../table-out.ts';
import { ensureLevels, modelFeatures } from './features.ts';
import { glmColumns } from './learners.ts';
import { type SavedModel, readModel } from './model-file.ts';
import { networkFeatures } from './network.ts';

/** `model predict`: a column of predictions for the rows of a table, printed or written beside the table's own columns. */
export async function predict(call: Call): Promise<void> {
  const file = call.positionals[1];
  const out = call.text('out');
  if (out !== undefined) ensureTableName(out);
  const saved = await readModel(file);
  const table = await readTable(required(call, 'data', 'a CSV or Parquet file'));
  const columns = predictionColumns(call, saved, table);
  const broken = columns.find(({ values }) => !values.every(Number.isFinite));
  if (broken) {
    const row = broken.values.findIndex((value) => !Number.isFinite(value));
    throw new InvalidModel(`${file} gives no finite number for row ${row + 1} of ${table.file}: the file is damaged.`);
  }

  const { output } = call;
  if (out === undefined) {
    output.table(['row', ...columns.map(({ name }) => name)], rowsOf(columns, table.rows));
  } else {
    await writeTableWith(out, table, columns);
    output.print(resolve(out));
  }
  output.document({
    model: resolve(file),
    format: saved.format,
    rows: table.rows,
    ...(out === undefined
      ? { predictions: Object.fromEntries(columns.map(({ name, values }) => [name, Array.from(values)])) }
      : { out: resolve(out), columns: columns.map(({ name }) => name) }),
  });
}

/** One column per output; with `--exposure` totals over it. */
function predictionColumns(call: Call, saved: SavedModel, table: TableFile): AddedColumn[] {
  const name = call.text('column') ?? 'prediction';
  const raw = call.flag('raw');
  const exposureName = call.text('exposure');
  if (raw && exposureName !== undefined)
    throw new UsageError('--raw scores are on the link scale, where --exposure does not multiply.');
  const every = Array.from({ length: table.rows }, (_, row) => row);
  const exposure = exposureName === undefined ? undefined : weightsOf(table, exposureName, every, 'exposure');
  const total = (value: number, row: number) => (exposure ? value * exposure[row] : value);
  if (saved.kind === 'glm') {
    if (raw) throw new UsageError('--raw is for trees and networks.');
    return [{ name, values: predictGlmRows(saved.document, table).map(total) }];
  }
  const byPosition = call.flag('by-position');
  const { values, outputs } =
    saved.kind === 'network'
      ? {
          values: predictTflite(saved.model, networkFeatures(saved, table, byPosition), { raw }),
          outputs: width(saved.model.tensors[saved.model.output]),
        }
      : {
          values: predictTrees(saved.model, modelFeatures(saved.model, table, byPosition), { raw }),
          outputs: saved.model.outputs,
        };
  return Array.from({ length: outputs }, (_, k) => ({
    name: outputs === 1 ? name : `${name}_${k}`,
    values: Float64Array.from({ length: table.rows }, (_, row) => total(values[row * outputs + k], row)),
  }));
}

function predictGlmRows({ design, glm }: GlmDocument, table: TableFile): Float64Array {
  const columns = design.features.map((feature) => {
    const column = columnOf(table, feature.column);
    if (feature.as === 'oneHot') ensureLevels(column, feature.encoder.levels, table.file);
    if (feature.as === 'number' && column.kind === 'text') {
      throw new UsageError(
        `The column ${column.name} of ${table.file} holds texts, and the model takes numbers there.`,
      );
    }
    return column;
  });
  const categories = design.features.filter(({ as }) => as === 'oneHot').map(({ column }) => column);
  return predictGlm(glm, applyDesign(design, glmColumns(columns, categories)));
}

function rowsOf(columns: readonly AddedColumn[], rows: number): string[][] {
  return Array.from({ length: rows }, (_, row) => [
    String(row + 1),
    ...columns.map(({ values }) => String(values[row])),
  ]);
}
