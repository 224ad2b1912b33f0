import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const folder = '@tensorflow/tfjs-tflite/wasm';

type Tensors = { get: (index: number) => { data: () => Int8Array | Float32Array } };
type Runner = { GetInputs: () => Tensors; GetOutputs: () => Tensors; Infer: () => boolean };
type Status = { ok: () => boolean; errorMessage: () => string; value: () => Runner };
type Runtime = {
  HEAPU8: Uint8Array;
  _malloc: (size: number) => number;
  TFLiteWebModelRunner: { CreateFromBufferAndOptions: (at: number, size: number, options: object) => Status };
};

/** Whether TensorFlow Lite's WebAssembly build (`@tensorflow/tfjs-tflite`) is installed. */
export function hasWasmRuntime(): boolean {
  try {
    require.resolve(`${folder}/tflite_web_api_cc_simd.js`);
    return true;
  } catch {
    return false;
  }
}

/** TensorFlow Lite itself, compiled to WebAssembly: gives a function that runs a file row by row. */
export async function wasmRuntime() {
  const create = require(`${folder}/tflite_web_api_cc_simd.js`) as (options: object) => Promise<Runtime>;
  const wasmBinary = readFileSync(require.resolve(`${folder}/tflite_web_api_cc_simd.wasm`));
  const runtime = await create({ wasmBinary });
  return (bytes: Uint8Array, rows: Int8Array | Float32Array, inputs: number, outputs: number) => {
    const at = runtime._malloc(bytes.length);
    runtime.HEAPU8.set(bytes, at);
    // every field must be given
    const options = {
      numThreads: 1,
      enableWebNNDelegate: false,
      webNNDevicePreference: 0,
      enableProfiling: false,
      maxProfilingBufferEntries: 0,
    };
    const status = runtime.TFLiteWebModelRunner.CreateFromBufferAndOptions(at, bytes.length, options);
    if (!status.ok()) throw new Error(status.errorMessage());
    const runner = status.value();
    const [input, output] = [runner.GetInputs().get(0), runner.GetOutputs().get(0)];
    const count = rows.length / inputs;
    const results = rows instanceof Int8Array ? new Int8Array(count * outputs) : new Float32Array(count * outputs);
    for (let row = 0; row < count; row++) {
      input.data().set(rows.subarray(row * inputs, (row + 1) * inputs));
      if (!runner.Infer()) throw new Error('TensorFlow Lite could not run the file.');
      results.set(output.data(), row * outputs);
    }
    return results;
  };
}
