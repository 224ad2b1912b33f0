/** What computes: TensorFlow's own library (tfjs-node), its kernels in WebAssembly SIMD, or plain JavaScript; fastest first. */
export const denseBackends = ['tensorflow', 'wasm', 'cpu'] as const;
export type DenseBackend = (typeof denseBackends)[number];

/** Where the backends come from that are more than JavaScript; an absent one is passed over. */
export type BackendSources = {
  /** Loads tfjs-node, which registers itself; false where it is not installed. */
  tensorflow?: () => Promise<boolean>;
  /** The bytes of `tfjs-backend-wasm-simd.wasm`. In a bundle of ES modules the package needs a `__dirname` besides (a banner). */
  wasm?: () => Promise<Uint8Array<ArrayBuffer>>;
};

/** Thrown when the backend that was asked for is not to be had. */
export class BackendMissing extends Error {
  override readonly name = 'BackendMissing';
}

/**
 * Makes one backend the one that TensorFlow.js computes with in this process, `wanted` or else the fastest there is, and gives its
 * name. One that cannot start is passed over like one that is absent. All give the same weights for the same seed, to 1e-6. Throws BackendMissing where `wanted` has no source.
 */
export async function useBackend(sources: BackendSources, wanted?: DenseBackend): Promise<DenseBackend> {
  const tf = await import('@tensorflow/tfjs-core');
  // without its checks in production mode, among them the advice to install tfjs-node
  tf.enableProdMode();
  for (const name of wanted === undefined ? denseBackends : [wanted]) {
    if (tf.findBackend(name) === null && !(await register(name, sources))) continue;
    if (await tf.setBackend(name)) return name;
  }
  throw new BackendMissing(`TensorFlow.js has no backend ${wanted ?? denseBackends.join(' or ')} here.`);
}

async function register(name: DenseBackend, sources: BackendSources): Promise<boolean> {
  if (name === 'tensorflow') return (await sources.tensorflow?.()) ?? false;
  if (name === 'cpu') {
    await import('@tensorflow/tfjs-backend-cpu');
    return true;
  }
  if (!sources.wasm) return false;
  const bytes = await sources.wasm();
  const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
  // the package takes paths only; under this one its fetch finds the bytes, whatever the file system
  const url = `data:application/wasm;base64,${Buffer.from(bytes).toString('base64')}`;
  // Node has SIMD and gives this build no threads, so the other two names are never asked for
  const names = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm'];
  setWasmPaths(Object.fromEntries(names.map((file) => [file, url])), true);
  return true;
}
