import { resolve } from 'node:path';
import { say } from '../../governance/text.ts';
import { denseRows } from '../../ml/dense/network.ts';
import { type QuantisationEvidence, compareQuantised } from '../../ml/formats/tflite/compare-quantised.ts';
import { type Precision, type TfliteModel, precisions, width } from '../../ml/formats/tflite/model.ts';
import { toDynamicRange, toInt8 } from '../../ml/formats/tflite/quantise.ts';
import { writeTflite } from '../../ml/formats/tflite/writer.ts';
import { takeRows } from '../../ml/matrix.ts';
import { random } from '../../ml/random.ts';
import { oneOf, required } from '../arguments.ts';
import { type Call, UsageError } from '../command.ts';
import { writeGiven } from '../files.ts';
import { readTable } from '../table-file.ts';
import { type SavedNetwork, ensureFloat, networkFeatures } from './network.ts';

/** More rows than these widen the ranges of activations by little. */
const representativeRows = 500;

/** `model convert` of a network: from float32 to another precision. What int8 changes is measured on the representative rows. */
export async function convertNetwork(call: Call, from: string, to: string, saved: SavedNetwork): Promise<void> {
  const precision = oneOf(call, 'to', precisions);
  if (precision === undefined) {
    throw new UsageError(
      `--to is missing: ${precisions.join(', ')}.`,
      `bordereau model convert ${from} ${to} --to int8 --representative rows.csv`,
    );
  }
  ensureFloat(saved, from);
  const rows = precision === 'int8' ? await representative(call, saved) : undefined;
  if (!rows && call.text('representative') !== undefined) throw new UsageError('--representative is for --to int8.');
  const converted = convertTo(precision, saved.model, rows);
  const bytes = writeTflite(converted);
  await writeGiven(to, bytes);

  const { output } = call;
  const evidence = rows && isSingle(converted) ? compareQuantised(saved.model, converted, rows, [0.5]) : undefined;
  if (evidence) printEvidence(call, evidence);
  output.print(resolve(to));
  output.document({
    from: resolve(from),
    format: saved.format,
    to: resolve(to),
    precision,
    bytes: bytes.length,
    ...(evidence && { evidence }),
  });
}

function convertTo(precision: Precision, model: TfliteModel, rows: Float32Array | undefined): TfliteModel {
  if (precision === 'dynamic-range') return toDynamicRange(model);
  return rows ? toInt8(model, rows) : model;
}

/** The network's inputs for (at most 500 of) the rows of `--representative`. */
async function representative(call: Call, saved: SavedNetwork): Promise<Float32Array> {
  const table = await readTable(
    required(call, 'representative', 'a CSV or Parquet file with rows like those trained on'),
  );
  const features = networkFeatures(saved, table, call.flag('by-position'));
  const some = random(1).sample(features.rows, Math.min(features.rows, representativeRows));
  return denseRows(features.columns, takeRows(features, some));
}

const isSingle = ({ tensors, output }: TfliteModel) => width(tensors[output]) === 1;

function printEvidence({ output }: Call, { rows, scoreDifference, flips, bytes }: QuantisationEvidence): void {
  output.table(
    ['what int8 changes', 'value'],
    [
      ['rows compared', say(rows)],
      ['score difference, mean', say(scoreDifference.mean)],
      ['score difference, largest', say(scoreDifference.max)],
      ...flips.map(({ threshold, toAbove, toBelow }) => [`decisions changed at ${threshold}`, say(toAbove + toBelow)]),
      ['bytes of the file', `${say(bytes.integer.file)} of ${say(bytes.float.file)}`],
      ['bytes of weights and biases', `${say(bytes.integer.constants)} of ${say(bytes.float.constants)}`],
    ],
  );
  output.print();
}
