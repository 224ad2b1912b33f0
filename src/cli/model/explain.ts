import { resolve } from 'node:path';
import { say, sayShare } from '../../governance/text.ts';
import { denseShap } from '../../ml/dense/shap.ts';
import { networkOf } from '../../ml/formats/tflite/network.ts';
import { takeRows } from '../../ml/matrix.ts';
import { random } from '../../ml/random.ts';
import { interventionalShap } from '../../ml/shap/interventional.ts';
import { type ShapValues, treeShap } from '../../ml/shap/tree-shap.ts';
import { InvalidModel, type TreeModel } from '../../ml/trees/model.ts';
import { required, whole } from '../arguments.ts';
import { type Call, UsageError } from '../command.ts';
import { type TableFile, readTable } from '../table-file.ts';
import { ensureTableName, writeTableWith } from '../table-out.ts';
import { explainInteractions } from './explain-interactions.ts';
import { modelFeatures } from './features.ts';
import { readModel } from './model-file.ts';
import { type SavedNetwork, networkFeatures } from './network.ts';

/**
 * `model explain`: SHAP values on the scale of the raw score. As a table the mean |SHAP| of each feature, or with `--per-row` the
 * strongest features of every row; with `--out` all values of all rows beside the table's own columns. An unknown feature follows the
 * training rows down the trees, or takes the values of the rows of `--background`; of a network always the latter. With
 * `--interactions` pairs of features besides.
 */
export async function explain(call: Call): Promise<void> {
  const file = call.positionals[1];
  const out = call.text('out');
  if (out !== undefined) ensureTableName(out);
  const top = whole(call, 'top', 1);
  const saved = await readModel(file);
  if (saved.kind === 'glm') throw new UsageError('A GLM is its own explanation.', `bordereau model info ${file}`);
  const table = await readTable(required(call, 'data', 'a CSV or Parquet file'));
  const background = call.text('background');
  if (call.flag('interactions')) {
    if (background !== undefined || call.flag('per-row'))
      throw new UsageError('--interactions goes with neither --background nor --per-row.');
    if (saved.kind === 'network') throw new UsageError('--interactions is for trees.');
    const features = modelFeatures(saved.model, table, call.flag('by-position'));
    return explainInteractions(call, file, saved.model, table, features);
  }
  const other = background === undefined ? undefined : await readTable(background);
  const { model, shap, basis } =
    saved.kind === 'network' ? networkShap(call, saved, table, other) : treesShap(call, saved.model, table, other);
  if (!shap.values.every(Number.isFinite)) {
    throw new InvalidModel(`${file} cannot be explained: its covers are damaged or missing.`);
  }

  const { output } = call;
  const importance = importanceOf(shap, model).slice(0, top);
  const expected = Array.from({ length: shap.outputs }, (_, k) => shap.values[k * (shap.columns + 1) + shap.columns]);
  const strongest = call.flag('per-row') ? strongestOf(shap, model, top ?? 5) : undefined;
  if (out !== undefined) {
    await writeTableWith(out, table, shapColumns(shap, model));
    output.print(resolve(out));
  } else if (strongest) {
    output.table(
      ['row', ...(shap.outputs > 1 ? ['output'] : []), 'raw score', 'strongest first'],
      strongest.map(({ row, output: k, rawScore, contributions }) => [
        String(row),
        ...(shap.outputs > 1 ? [String(k)] : []),
        say(rawScore),
        contributions
          .map(({ feature, value }) => `${feature} ${value < 0 ? '−' : '+'}${say(Math.abs(value))}`)
          .join('  '),
      ]),
    );
  } else {
    output.table(
      ['feature', ...(shap.outputs > 1 ? ['output'] : []), 'mean |SHAP|', 'share'],
      importance.map(({ feature, output: k, meanAbsolute, share }) => [
        feature,
        ...(shap.outputs > 1 ? [String(k)] : []),
        say(meanAbsolute),
        sayShare(share),
      ]),
    );
    output.print();
    output.print(
      basis === 'paths'
        ? `Without any feature the raw score is ${expected.map(say).join(', ')}; a row’s SHAP values add up to the rest.`
        : `The mean raw score of ${basis} is ${expected.map(say).join(', ')}; a row’s SHAP values add up to what parts it from that.`,
    );
  }
  output.document({
    model: resolve(file),
    rows: shap.rows,
    ...(background !== undefined && { background: resolve(background) }),
    expectedValue: expected,
    importance,
    ...(strongest && { strongest }),
    ...(out !== undefined && { out: resolve(out) }),
  });
}

/** SHAP values, whose they are, and what stands in for an unknown feature: the training rows' paths, or rows that it names. */
type Explained = { model: Named; shap: ShapValues; basis: string };
type Named = { featureNames: readonly string[] };

function treesShap(call: Call, model: TreeModel, table: TableFile, background: TableFile | undefined): Explained {
  const byPosition = call.flag('by-position');
  const features = modelFeatures(model, table, byPosition);
  if (!background) return { model, shap: treeShap(model, features), basis: 'paths' };
  const shap = interventionalShap(model, features, modelFeatures(model, background, byPosition));
  return { model, shap, basis: 'the background' };
}

/** A network keeps nothing of its training rows: without a background the table's own rows are compared with each other. */
function networkShap(call: Call, saved: SavedNetwork, table: TableFile, background: TableFile | undefined): Explained {
  const byPosition = call.flag('by-position');
  const network = networkOf(saved.model);
  const features = networkFeatures(saved, table, byPosition);
  const compared = background ? networkFeatures(saved, background, byPosition) : features;
  const some = random(1).sample(compared.rows, Math.min(compared.rows, backgroundRows));
  const shap = denseShap(network, features, takeRows(compared, some));
  const rows = `${some.length} ${some.length < compared.rows ? 'drawn ' : ''}rows of`;
  return {
    model: saved,
    shap,
    basis: `${rows} ${background ? 'the background' : 'this table (--background gives others)'}`,
  };
}

/** What a network is compared with at most: each row costs an evaluation for every coalition of features. */
const backgroundRows = 100;

type Importance = { feature: string; output: number; meanAbsolute: number; share: number };

/** Mean |SHAP| of every feature and its share of the output's total, largest first, output by output. */
function importanceOf({ rows, outputs, columns, values }: ShapValues, { featureNames }: Named): Importance[] {
  return Array.from({ length: outputs }, (_, output) => {
    const sums = new Float64Array(columns);
    for (let row = 0; row < rows; row++) {
      const at = (row * outputs + output) * (columns + 1);
      for (let c = 0; c < columns; c++) sums[c] += Math.abs(values[at + c]);
    }
    const total = sums.reduce((sum, value) => sum + value, 0);
    return featureNames
      .map((feature, c) => ({ feature, output, meanAbsolute: sums[c] / rows, share: total > 0 ? sums[c] / total : 0 }))
      .sort((a, b) => b.meanAbsolute - a.meanAbsolute);
  }).flat();
}

type RowExplanation = {
  /** From 1 on, as in the file. */
  row: number;
  output: number;
  rawScore: number;
  contributions: { feature: string; value: number }[];
};

function strongestOf(
  { rows, outputs, columns, values }: ShapValues,
  { featureNames }: Named,
  top: number,
): RowExplanation[] {
  return Array.from({ length: rows * outputs }, (_, i) => {
    const run = values.subarray(i * (columns + 1), (i + 1) * (columns + 1));
    return {
      row: Math.floor(i / outputs) + 1,
      output: i % outputs,
      rawScore: run.reduce((sum, value) => sum + value, 0),
      contributions: featureNames
        .map((feature, c) => ({ feature, value: run[c] }))
        .filter(({ value }) => value !== 0)
        .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
        .slice(0, top),
    };
  });
}

/** `shap_<feature>` for every feature and `shap_expected_value`, per output where there are several. */
function shapColumns({ rows, outputs, columns, values }: ShapValues, { featureNames }: Named) {
  const names = [...featureNames, 'expected_value'];
  return Array.from({ length: outputs }, (_, output) =>
    names.map((name, c) => ({
      name: outputs === 1 ? `shap_${name}` : `shap_${output}_${name}`,
      values: Float64Array.from({ length: rows }, (_, row) => values[(row * outputs + output) * (columns + 1) + c]),
    })),
  ).flat();
}
