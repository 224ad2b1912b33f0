import { useBackend } from '../../ml/dense/backend.ts';
import type { BackendSources } from '../../ml/dense/backend.ts';
import { denseRows } from '../../ml/dense/network.ts';
import { type DenseParameters, checkDenseParameters } from '../../ml/dense/parameters.ts';
import { fineTuneForInt8 } from '../../ml/dense/quantisation-aware.ts';
import { trainingRows } from '../../ml/dense/rows.ts';
import { denseShap } from '../../ml/dense/shap.ts';
import { type Columns, isMissing } from '../../ml/encoders/columns.ts';
import { type Design, type DesignSpec, applyDesign, fitDesign, namesOf } from '../../ml/encoders/design.ts';
import type { TfliteModel } from '../../ml/formats/tflite/model.ts';
import { networkOf, tfliteOf } from '../../ml/formats/tflite/network.ts';
import { toDynamicRange, toInt8 } from '../../ml/formats/tflite/quantise.ts';
import { type Matrix, takeRows } from '../../ml/matrix.ts';
import { random } from '../../ml/random.ts';
import type { Declaration } from '../../usecase/declaration.ts';
import type { RowSet } from './frozen-sets.ts';

/** A network with its encoders; `float` is the one that a quantised `model` was made from. */
export type DenseLearnt = { design: Design; model: TfliteModel; float?: TfliteModel };

/**
 * Trains a dense network on the declared features: numbers imputed by their median and standardised, beside a feature for what was
 * missing; categories become a feature for each level. `watching` are the rows of early stopping. Where the declaration releases
 * fewer bits, the model is the quantised network.
 */
export async function learnDense(
  declaration: Declaration,
  parameters: DenseParameters,
  { trained, watching }: { trained: RowSet; watching?: RowSet },
  backends: BackendSources,
): Promise<DenseLearnt> {
  const design = fitDesign(trained.columns, denseSpec(declaration, trained.columns));
  const matrix = applyDesign(design, trained.columns);
  // TensorFlow.js is loaded by whoever trains a network, and by nobody else
  const { trainDense } = await import('../../ml/dense/train.ts');
  await useBackend(backends);
  const { network } = await trainDense(matrix, trained.label, parameters, {
    ...(trained.weight && { weight: trained.weight }),
    ...(watching && { validation: { data: applyDesign(design, watching.columns), target: watching.label } }),
  });
  const float = tfliteOf(network);
  const quantise = quantisationOf(declaration);
  if (!quantise) return { design, model: float };
  if (quantise.precision === 'dynamic-range') return { design, model: toDynamicRange(float), float };
  const picked = random(declaration.split.seed)
    .fork('representative')
    .sample(matrix.rows, Math.min(quantise.representativeRows, matrix.rows));
  const representative = denseRows(matrix.columns, takeRows(matrix, picked));
  const checked = checkDenseParameters(parameters);
  const released = quantise.fineTune
    ? fineTuneForInt8(network, trainingRows(matrix, trained.label, trained.weight, checked), {
        objective: checked.objective,
        representative,
        seed: checked.seed,
      })
    : network;
  return { design, model: toInt8(tfliteOf(released), representative), float };
}

/** How the declared network is released; undefined for one in float. */
export function quantisationOf({ models }: Declaration) {
  return models.find((model) => model.kind === 'dense')?.quantise;
}

function denseSpec({ features }: Declaration, columns: Columns): DesignSpec {
  return [
    ...features.numeric.map((column) => {
      const indicator = Array.from(columns[column] ?? []).some(isMissing);
      return { column, as: 'number', impute: 'median', indicator, scale: 'standard' } as const;
    }),
    ...features.categorical.map((column) => ({ column, as: 'oneHot' }) as const),
  ];
}

/**
 * What each column adds to the raw output of each row, against the average row: all standardised features at zero. One reference
 * and no stored rows, so that nobody's values travel with the model.
 */
export function denseContributions(
  { design, model, float }: DenseLearnt,
  columns: Columns,
): { columns: string[]; shap: Float64Array } {
  const matrix = applyDesign(design, columns);
  const average: Matrix = { ...matrix, rows: 1, values: new Float64Array(matrix.columns) };
  const { values } = denseShap(networkOf(float ?? model), matrix, average);
  const parts = design.features.map((feature) => namesOf(feature).length);
  const [from, to] = [matrix.columns + 1, parts.length + 1];
  const shap = new Float64Array(matrix.rows * to);
  for (let row = 0; row < matrix.rows; row++) {
    let at = row * from;
    parts.forEach((count, k) => {
      for (let part = 0; part < count; part++) shap[row * to + k] += values[at++];
    });
    shap[row * to + parts.length] = values[at];
  }
  return { columns: design.features.map(({ column }) => column), shap };
}

/** The inputs of the network for these rows, as the comparison of precisions takes them. */
export function networkInputs({ design }: { design: Design }, columns: Columns): Float32Array {
  const matrix = applyDesign(design, columns);
  return denseRows(matrix.columns, matrix);
}
