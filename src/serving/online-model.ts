import { type Calibrator, applyCalibrator } from '../ml/calibration/calibrator.ts';
import type { DenseFile } from '../ml/dense/model-file.ts';
import { denseRows } from '../ml/dense/network.ts';
import { applyDesign } from '../ml/encoders/design.ts';
import { tflitePredictor } from '../ml/formats/tflite/predictor.ts';
import type { Matrix } from '../ml/matrix.ts';
import type { TreeModel } from '../ml/trees/model.ts';
import { inverseLink } from '../ml/trees/objective.ts';
import { leafOf, predict, walkable } from '../ml/trees/predictor.ts';
import { type Learnt, columnsRead, isGlm, isTflite, predictRows } from '../stages/common/learning.ts';

/** A model as it decides single cases: loaded once, called with a row or a few thousand. */
export interface OnlineModel {
  /** What a row consists of, in this order. */
  readonly featureNames: readonly string[];
  /**
   * Rows × outputs, row-major, from rows × features, row-major. Of two outputs the second is the probability of the event,
   * as classifiers with a soft maximum give it.
   */
  score(features: Float64Array, rows: number): Float64Array;
}

/**
 * A version's model with its calibrator, over rows of these features, of which it may need a part; probabilities equal those of
 * batch scoring, bit for bit. A model that needs others says so by its `featureNames`.
 */
export function onlineModelOf(learnt: Learnt, featureNames: readonly string[]): OnlineModel {
  const { model, design, calibrator } = learnt;
  if (isTflite(model)) return tfliteOnline({ design, model }, featureNames, calibrator);
  const isPlain = design.features.every(
    (feature) => feature.as === 'number' && !feature.imputer && !feature.scaler && !feature.indicator,
  );
  const read = columnsRead(learnt);
  const isSame = read.length === featureNames.length && read.every((name, i) => name === featureNames[i]);
  if (isGlm(model) || !isPlain || !isSame) {
    const names = namesFor(read, featureNames);
    return { featureNames: names, score: (features, rows) => predictRows(learnt, columnsOf(names, features, rows)) };
  }
  const trees = treeScorer(model, featureNames);
  if (!calibrator) return trees;
  return { featureNames, score: (features, rows) => applyCalibrator(calibrator, trees.score(features, rows)) };
}

/** The same of a network in a .tflite file of any precision, by the executor that gives TensorFlow Lite's own integers. */
export function tfliteOnline(
  { design, model }: DenseFile,
  featureNames: readonly string[],
  calibrator?: Calibrator,
): OnlineModel {
  const read = design.features.map(({ column }) => column);
  const names = namesFor(read, featureNames);
  const ask = tflitePredictor(model);
  return {
    featureNames: names,
    score(features, rows) {
      const matrix = applyDesign(design, columnsOf(names, features, rows));
      const probabilities = ask(denseRows(design.names.length, matrix));
      return calibrator ? applyCalibrator(calibrator, probabilities) : probabilities;
    },
  };
}

/** What is there, where that holds all that is read. */
function namesFor(read: readonly string[], given: readonly string[]): readonly string[] {
  return read.every((name) => given.includes(name)) ? given : read;
}

/** From so many rows on the batch predictor is faster, its preparation included. */
const manyRows = 64;

/** The trees alone; a handful of rows is walked in place, which is faster than any preparation. */
function treeScorer(model: TreeModel, featureNames: readonly string[]): OnlineModel {
  const { outputs, averaged, trees } = model;
  const walks = trees.map(walkable);
  const iterations = trees.length / outputs;
  return {
    featureNames,
    score(features, rows) {
      if (rows >= manyRows) return predict(model, matrixOf(featureNames, features, rows));
      const scores = new Float64Array(rows * outputs);
      const width = featureNames.length;
      for (let row = 0; row < rows; row++) {
        for (let t = 0; t < walks.length; t++) {
          const { leafValue } = trees[t];
          scores[row * outputs + (t % outputs)] += leafValue[leafOf(walks[t], features, row * width)];
        }
      }
      if (averaged && iterations > 0) for (let i = 0; i < scores.length; i++) scores[i] /= iterations;
      inverseLink(model, scores);
      return scores;
    },
  };
}

function columnsOf(names: readonly string[], features: Float64Array, rows: number): { [name: string]: Float64Array } {
  const { values } = matrixOf(names, features, rows);
  return Object.fromEntries(names.map((name, c) => [name, values.subarray(c * rows, (c + 1) * rows)]));
}

/** The same rows column by column. */
function matrixOf(names: readonly string[], features: Float64Array, rows: number): Matrix {
  const columns = names.length;
  const values = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < columns; c++) values[c * rows + row] = features[row * columns + c];
  }
  return { rows, columns, names, values };
}
