import { type WasmFunction, moduleBytes } from './assembler.ts';
import type { SharedKernel } from './second-thread.ts';

// Node's types do not describe WebAssembly, and the types of a browser would bring the browser along
declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number; shared: boolean }) => { buffer: ArrayBufferLike };
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: { host: { memory: object } }) => { exports: unknown };
};

/** Assembles and compiles a program when it is first asked for; null where it cannot be. */
export type CompiledModule = { module: () => object | null; isShared: boolean };

export function lazyModule(
  program: () => WasmFunction[],
  memory: 'own memory' | 'shared memory' = 'own memory',
): CompiledModule {
  const isShared = memory === 'shared memory';
  let module: object | null | undefined;
  return {
    isShared,
    module() {
      if (module !== undefined) return module;
      try {
        module = new WebAssembly.Module(moduleBytes(program(), isShared));
      } catch {
        module = null; // no WebAssembly, or one without SIMD
      }
      return module;
    },
  };
}

/** A block of memory of at least so many bytes, and the program's functions on it; null without WebAssembly or so much memory. */
export function instantiate(
  compiled: CompiledModule,
  bytes: number,
): { memory: ArrayBufferLike; exports: unknown; shared: SharedKernel } | null {
  const module = compiled.module();
  if (module === null) return null;
  const pages = Math.ceil(bytes / 65536);
  try {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: compiled.isShared });
    const { exports } = new WebAssembly.Instance(module, { host: { memory } });
    return { memory: memory.buffer, exports, shared: { module, memory } };
  } catch (error) {
    if (error instanceof RangeError) return null; // not so much memory
    throw error;
  }
}
