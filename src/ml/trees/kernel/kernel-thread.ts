import { Worker } from 'node:worker_threads';
import type { SharedKernel } from './module.ts';

/** A function of a kernel in WebAssembly; it takes integers of 32 bits, eight at most. */
export type KernelFunction<Arguments extends readonly number[]> = (...all: Arguments) => void;

/** Starts another thread on a kernel, for one of its functions that is also at hand here; null where no thread can be started. */
export type StartThread = <Arguments extends readonly number[]>(
  kernel: SharedKernel,
  name: string,
  call: KernelFunction<Arguments>,
) => SecondThread<Arguments> | null;

export type SecondThread<Arguments extends readonly number[]> = {
  /**
   * Calls the function with `mine` here and with `theirs` in the other thread, and returns when both are done. What the other thread
   * has not begun by the time that `mine` is done, because it is still starting or waits for a processor, is done here too.
   */
  callBoth: (mine: Arguments, theirs: Arguments) => void;
};

/**
 * Calls `work` with a way to start threads if two are asked for, else with null. Every thread started is ended when `work` returns or
 * throws.
 */
export function withThreads<T>(threads: 1 | 2, work: (start: StartThread | null) => T): T {
  if (threads === 1) return work(null);
  const workers: Worker[] = [];
  try {
    return work((kernel, name, call) => {
      const shared = new Int32Array(new SharedArrayBuffer(4 * sharedLength));
      const worker = startWorker(kernel, name, shared);
      if (worker === null) return null;
      workers.push(worker);
      return { callBoth: (mine, theirs) => callBoth(shared, call, mine, theirs) };
    });
  } finally {
    for (const worker of workers) void worker.terminate();
  }
}

/**
 * Both threads share some int32: the state of the one job on offer, then its arguments. Whoever first
 * changes the state from offered has the job, so the worker reads a job only once nobody writes it any more.
 *
 *     idle ──caller──► offered ──worker──► taken ──worker──► idle
 *       ▲                 │
 *       └─────caller──────┘   not begun in time: the caller takes it back
 */
const state = 0;
const idle = 0;
const offered = 1;
const taken = 2;
const firstArgument = 1;
const argumentCount = 8;
const sharedLength = firstArgument + argumentCount;

function callBoth<Arguments extends readonly number[]>(
  shared: Int32Array,
  call: KernelFunction<Arguments>,
  mine: Arguments,
  theirs: Arguments,
): void {
  shared.set(theirs, firstArgument);
  Atomics.store(shared, state, offered);
  Atomics.notify(shared, state);
  call(...mine);
  if (Atomics.compareExchange(shared, state, offered, idle) === offered) call(...theirs);
  else while (Atomics.load(shared, state) === taken) Atomics.wait(shared, state, taken);
}

/** As text, so that it is there wherever a kernel is bundled into one file. It sleeps until there is a job; it never polls. */
const workerCode = `
  const { module, memory, name, shared } = require('node:worker_threads').workerData;
  const call = new WebAssembly.Instance(module, { host: { memory } }).exports[name];
  for (;;) {
    while (Atomics.compareExchange(shared, ${state}, ${offered}, ${taken}) !== ${offered})
      Atomics.wait(shared, ${state}, ${idle});
    call(...shared.subarray(${firstArgument}));
    Atomics.store(shared, ${state}, ${idle});
    Atomics.notify(shared, ${state});
  }`;

function startWorker(kernel: SharedKernel, name: string, shared: Int32Array): Worker | null {
  try {
    // nothing of how this process was started matters to the worker, and flags not meant for threads would stop it
    const worker = new Worker(workerCode, {
      eval: true,
      workerData: { ...kernel, name, shared },
      execArgv: [],
      env: {},
    });
    // one that fails to start takes no jobs, and so all is done by the caller
    worker.on('error', () => {});
    worker.unref();
    return worker;
  } catch {
    return null; // threads are not allowed, or there are no more to be had
  }
}
