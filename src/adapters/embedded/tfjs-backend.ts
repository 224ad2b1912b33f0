import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import type { BackendSources } from '../../ml/dense/backend.ts';

const require = createRequire(import.meta.url);

/** The backends of TensorFlow.js that are installed beside this product: tfjs-node where somebody added it, WebAssembly always. */
export const tfjsBackends: BackendSources = {
  tensorflow() {
    const name = '@tensorflow/tfjs-node';
    try {
      require.resolve(name);
    } catch {
      return Promise.resolve(false);
    }
    // tfjs-node calls it at its first operation; Node 23 has removed it
    const old = util as { isNullOrUndefined?: (value: unknown) => boolean };
    old.isNullOrUndefined ??= (value) => value === null || value === undefined;
    // by `require`, which looks along NODE_PATH as well
    require(name);
    return Promise.resolve(true);
  },
  async wasm() {
    const entry = require.resolve('@tensorflow/tfjs-backend-wasm');
    return Uint8Array.from(await readFile(join(dirname(entry), 'tfjs-backend-wasm-simd.wasm')));
  },
};
