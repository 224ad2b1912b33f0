import { denseRows } from '../../dense/network.ts';
import type { Matrix } from '../../matrix.ts';
import { InvalidModel } from '../../trees/model.ts';
import { tfliteExecutor } from './executor.ts';
import { quantiseValue } from './fixed-point.ts';
import { type TfliteModel, width } from './model.ts';
import { rawGraph } from './network.ts';

/** From rows of features, one after the other, to rows of outputs. */
export type TflitePredictor = (rows: Float32Array) => Float64Array;

/**
 * Prepares a file of any precision for real numbers in and out: what an int8 file takes is rounded by its own scale, and what it gives
 * turned back. `raw` leaves the last sigmoid out (log-odds). Prepare once, ask often.
 */
export function tflitePredictor(model: TfliteModel, { raw = false } = {}): TflitePredictor {
  const { run, inputQuantization, outputQuantization } = tfliteExecutor(raw ? rawGraph(model) : model);
  return (rows) => {
    let asked: Float32Array | Int8Array = rows;
    if (inputQuantization) {
      const { scales, zeroPoints } = inputQuantization;
      asked = Int8Array.from(rows, (value) => quantiseValue(value, scales[0], zeroPoints[0]));
    }
    const given = run(asked);
    if (!outputQuantization) return Float64Array.from(given);
    const { scales, zeroPoints } = outputQuantization;
    return Float64Array.from(given, (integer) => scales[0] * (integer - zeroPoints[0]));
  };
}

/**
 * The outputs of every row of a matrix, `values[row * outputs + output]`. Throws InvalidModel for another number of features or a
 * result that is no finite number (a damaged file), ArgumentError for a feature that is missing.
 */
export function predictTflite(model: TfliteModel, matrix: Matrix, options?: { raw?: boolean }): Float64Array {
  const rows = denseRows(width(model.tensors[model.input]), matrix);
  const values = tflitePredictor(model, options)(rows);
  if (!values.every(Number.isFinite)) {
    throw new InvalidModel('The network gives a result that is no finite number: its weights are damaged.');
  }
  return values;
}
