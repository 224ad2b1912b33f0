import { type WasmFunction, moduleBytes } from './assembler.ts';

// Node's types do not describe WebAssembly, and the types of a browser would bring the browser along
declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: { host: { memory: object } }) => { exports: unknown };
};

/** Assembles and compiles a program when it is first asked for; null where it cannot be. */
export type CompiledModule = () => object | null;

export function lazyModule(program: () => WasmFunction[]): CompiledModule {
  let module: object | null | undefined;
  return () => {
    if (module !== undefined) return module;
    try {
      module = new WebAssembly.Module(moduleBytes(program()));
    } catch {
      module = null; // no WebAssembly, or one without SIMD
    }
    return module;
  };
}

/** A block of memory of at least so many bytes, and the program's functions on it; null without WebAssembly or so much memory. */
export function instantiate(compiled: CompiledModule, bytes: number): { memory: ArrayBuffer; exports: unknown } | null {
  const module = compiled();
  if (module === null) return null;
  const pages = Math.ceil(bytes / 65536);
  try {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    return { memory: memory.buffer, exports: new WebAssembly.Instance(module, { host: { memory } }).exports };
  } catch (error) {
    if (error instanceof RangeError) return null; // not so much memory
    throw error;
  }
}
