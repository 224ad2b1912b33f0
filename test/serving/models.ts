/** Small models over the features of claim-decision, as a version of the registry holds them. */
import { publishVersion } from '../../src/governance/registry.ts';
import { fitCalibrator } from '../../src/ml/calibration/calibrator.ts';
import { type DenseFile, readDenseFile, writeDenseFile } from '../../src/ml/dense/model-file.ts';
import { denseRows } from '../../src/ml/dense/network.ts';
import { applyDesign, fitDesign } from '../../src/ml/encoders/design.ts';
import { tfliteOf } from '../../src/ml/formats/tflite/network.ts';
import { predictTflite } from '../../src/ml/formats/tflite/predictor.ts';
import { toInt8 } from '../../src/ml/formats/tflite/quantise.ts';
import type { Matrix } from '../../src/ml/matrix.ts';
import { random } from '../../src/ml/random.ts';
import { trainBoosting } from '../../src/ml/trees/boosting.ts';
import { trainForest } from '../../src/ml/trees/forest.ts';
import type { TreeModel } from '../../src/ml/trees/model.ts';
import { predict } from '../../src/ml/trees/predictor.ts';
import type { Lineage } from '../../src/governance/lineage.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { OnlineModel } from '../../src/serving/online-model.ts';
import { toJsonBytes } from '../../src/stages/common/json.ts';
import type { Learnt } from '../../src/stages/common/learning.ts';
import { writeModelFile } from '../../src/stages/common/model-file.ts';
import { drawRequests } from '../../usecases/claim-decision/draw-requests.ts';
import { online } from '../../usecases/claim-decision/online.ts';

export const nowMs = Date.UTC(2026, 2, 1);
export const names = online.featureNames;
export const { requests, approved } = drawRequests({ rows: 1200, seed: 3 });

/** Rows × features, row-major, as `read` writes them. */
export const rowMajor = new Float64Array(requests.length * names.length);
for (const [row, request] of requests.entries()) online.read(request, rowMajor, row * names.length, nowMs);

export const columns = Object.fromEntries(
  names.map((name, c) => [name, Float64Array.from(requests, (_, row) => rowMajor[row * names.length + c])]),
);
const matrix: Matrix = {
  rows: requests.length,
  columns: names.length,
  names,
  values: Float64Array.from(names.flatMap((name) => [...columns[name]])),
};

const learntOf = (model: TreeModel): Learnt => ({
  design: fitDesign(
    columns,
    names.map((column) => ({ column, as: 'number' })),
  ),
  model,
  calibrator: fitCalibrator('beta', predict(model, matrix), approved),
});

export const boosted = (seed = 1): Learnt =>
  learntOf(
    trainBoosting(matrix, approved, { objective: 'binary', iterations: 30, maxDepth: 3, featureFraction: 0.6, seed }),
  );
export const forest = (): Learnt => learntOf(trainForest(matrix, approved, { trees: 15, maxDepth: 5, seed: 1 }));

/** A small network with random weights over standardised features, as a file, and what it gives for every request. */
export function network(isInt8: boolean): { file: DenseFile; expected: Float64Array } {
  const draw = random(5);
  const layer = (inputs: number, units: number, activation: 'relu' | 'sigmoid') => ({
    inputs,
    units,
    activation,
    weights: Float32Array.from({ length: inputs * units }, () => draw.normal(0, 0.6)),
    bias: Float32Array.from({ length: units }, () => draw.normal(0, 0.1)),
  });
  const design = fitDesign(
    columns,
    names.map((column) => ({ column, as: 'number', scale: 'standard' })),
  );
  const layers = [layer(7, 16, 'relu'), layer(16, 8, 'relu'), layer(8, 1, 'sigmoid')];
  const float = tfliteOf({ featureNames: design.names, layers });
  const scaled = applyDesign(design, columns);
  const model = isInt8 ? toInt8(float, denseRows(7, scaled).slice(0, 300 * 7)) : float;
  const file = readDenseFile(writeDenseFile({ design, model }));
  return { file, expected: predictTflite(file.model, scaled) };
}

/** Publishes a version as a training run does; only what serving reads of it is in it. */
export function publish(
  store: ObjectStore,
  useCase: string,
  learnt: Learnt,
  runId: string,
): Promise<{ version: number }> {
  const { calibrator, ...bare } = learnt;
  const files = new Map([
    ['model.txt', writeModelFile(bare)],
    ['training.json', toJsonBytes({ calibrator, conformal: null })],
  ]);
  return publishVersion(store, { useCase, lineage: { runId } as Lineage, files, nowMs: 0 });
}

/** A model that answers what it is told to. */
export const answering = (score: OnlineModel['score'], featureNames: readonly string[] = names): OnlineModel => ({
  featureNames,
  score,
});
