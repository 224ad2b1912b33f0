import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tfliteExecutor } from '../../src/ml/formats/tflite/executor.ts';
import { type TfliteModel, precisionOf, width } from '../../src/ml/formats/tflite/model.ts';
import { tfliteOf } from '../../src/ml/formats/tflite/network.ts';
import { toDynamicRange, toInt8 } from '../../src/ml/formats/tflite/quantise.ts';
import { readTflite } from '../../src/ml/formats/tflite/reader.ts';
import { writeTflite } from '../../src/ml/formats/tflite/writer.ts';
import { random } from '../../src/ml/random.ts';
import { largestGap, normals, randomNetwork } from '../ml/formats/tflite/tflite-fixtures.ts';
import { run } from './python.ts';

const script = fileURLToPath(new URL('peer_tflite.py', import.meta.url));
const rows = 10_000;

/**
 * Fresh random networks both ways, 10,000 random rows each: our files in TensorFlow Lite's interpreter, and files of TensorFlow's
 * converter here. Integers must be equal, float32 within the rounding of sums. Returns one line per file that differs.
 */
export function compareWithTflite(python: string, seed: number, cases = 15): string[] {
  const failures: string[] = [];
  const inFolder = (work: (folder: string) => void) => {
    const folder = mkdtempSync(join(tmpdir(), 'bordereau-conformance-'));
    try {
      work(folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const compare = (what: string, model: TfliteModel, folder: string, name: string) => {
    const isIntegerIn = model.tensors[model.input].type === 'int8';
    const isIntegerOut = model.tensors[model.output].type === 'int8';
    const ours = tfliteExecutor(model).run(values(join(folder, `${name}.in`), isIntegerIn));
    const theirs = values(join(folder, `${name}.out`), isIntegerOut);
    const scale = Math.max(1, ...theirs.map(Math.abs));
    const gap = largestGap(ours, theirs) / (isIntegerOut ? 1 : scale);
    const tolerance = tolerances[precisionOf(model)];
    console.log(`  ${what}: ${gap.toExponential(1)} (at most ${tolerance})`);
    if (!(gap <= tolerance)) failures.push(`${what}: differs by ${gap} (seed ${seed})`);
  };

  inFolder((folder) => {
    const models = ourModels(seed, cases);
    models.forEach(({ model, input }, k) => {
      writeFileSync(join(folder, `${k}.tflite`), writeTflite(model));
      writeFileSync(join(folder, `${k}.in`), input);
    });
    run(python, [script, 'score', folder], 'TensorFlow Lite could not run our files');
    models.forEach(({ what, model }, k) => compare(`ours in TensorFlow Lite, ${what}`, model, folder, String(k)));
  });
  inFolder((folder) => {
    run(python, [script, 'train', folder, String(seed), String(cases)], 'TensorFlow could not convert');
    for (let k = 0; k < cases; k++) {
      const { what } = JSON.parse(readFileSync(join(folder, `${k}.json`), 'utf8')) as { what: string };
      const model = readTflite(Uint8Array.from(readFileSync(join(folder, `${k}.tflite`))));
      compare(`TensorFlow's here, ${what}`, model, folder, String(k));
    }
  });
  return failures;
}

/** Dynamic range rounds its inputs on the way: where a sum lies within the last bit of a half, it may round to the other side. */
const tolerances = { int8: 0, float32: 2e-6, 'dynamic-range': 1e-2 };

function ourModels(seed: number, cases: number) {
  const precisions = ['int8', 'int8 with float32 around', 'float32', 'dynamic range'] as const;
  return Array.from({ length: cases }, (_, k) => {
    const stream = random(seed).fork(`tflite ${k}`);
    const hidden = Array.from({ length: stream.integer(4) }, () => 1 + stream.integer(70));
    const sizes = [2 + stream.integer(90), ...hidden, 1 + stream.integer(3)];
    const last = stream.choice(['sigmoid', 'linear'] as const);
    const float = tfliteOf(randomNetwork(sizes, last, stream));
    const precision = precisions[k % precisions.length];
    const model = convert(float, precision, normals(300 * sizes[0], stream));
    const length = rows * width(model.tensors[model.input]);
    const isInteger = model.tensors[model.input].type === 'int8';
    const input = isInteger ? Int8Array.from({ length }, () => stream.integer(256) - 128) : normals(length, stream);
    return { what: `${precision}, ${sizes.join(' → ')} ${last}`, model, input };
  });
}

function convert(float: TfliteModel, precision: string, representative: Float32Array): TfliteModel {
  if (precision === 'float32') return float;
  if (precision === 'dynamic range') return toDynamicRange(float);
  return toInt8(float, representative, { inputsAndOutputs: precision === 'int8' ? 'int8' : 'float32' });
}

function values(file: string, isInteger: boolean): Int8Array | Float32Array {
  const { buffer } = Uint8Array.from(readFileSync(file));
  return isInteger ? new Int8Array(buffer) : new Float32Array(buffer);
}
