import { type WasmFunction, moduleBytes } from './assembler.ts';

// Node's types do not describe WebAssembly, and the types of a browser would bring the browser along
declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number; shared: boolean }) => Memory;
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: { host: { memory: object } }) => { exports: unknown };
};

type Memory = { buffer: ArrayBufferLike; grow: (pages: number) => number };

/** A compiled program and the memory it works on: what another thread must be given to run it as well. */
export type SharedKernel = { module: object; memory: object };

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
  const instance = instantiateGrowing(compiled, bytes, bytes);
  return instance && { memory: instance.reach(0)!, exports: instance.exports, shared: instance.shared };
}

/**
 * The same with memory that grows: `reach` makes it at least so long and returns it, or null where there is not so much. What was
 * returned before is not to be used any more.
 */
export function instantiateGrowing(
  compiled: CompiledModule,
  bytes: number,
  mostBytes: number,
): { reach: (bytes: number) => ArrayBufferLike | null; exports: unknown; shared: SharedKernel } | null {
  const module = compiled.module();
  if (module === null) return null;
  try {
    const memory = new WebAssembly.Memory({
      initial: pagesOf(bytes),
      maximum: pagesOf(mostBytes),
      shared: compiled.isShared,
    });
    const { exports } = new WebAssembly.Instance(module, { host: { memory } });
    return { reach: (needed) => grown(memory, needed), exports, shared: { module, memory } };
  } catch (error) {
    if (error instanceof RangeError) return null; // not so much memory
    throw error;
  }
}

function grown(memory: Memory, bytes: number): ArrayBufferLike | null {
  const missing = pagesOf(bytes) - pagesOf(memory.buffer.byteLength);
  try {
    if (missing > 0) memory.grow(missing);
    return memory.buffer;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const pagesOf = (bytes: number): number => Math.ceil(bytes / 65536);
