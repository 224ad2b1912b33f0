import { Worker } from 'node:worker_threads';

/** A compiled kernel and the memory it works on: what another thread must be given to run it as well. */
export type SharedKernel = { module: object; memory: object };

/**
 * Starts another thread on a kernel some of whose operations, under the names of its functions, are also at hand here; null where no
 * thread can be started. All take integers of 32 bits, ten at most.
 */
export type StartThread = <Name extends string, Arguments extends readonly number[]>(
  kernel: SharedKernel,
  operations: { readonly [name in Name]: (...all: Arguments) => void },
) => SecondThread<Name, Arguments> | null;

export type SecondThread<Name extends string, Arguments extends readonly number[]> = {
  /**
   * Calls an operation with `mine` here and with `theirs` in the other thread, and returns when both are done. What the other thread
   * has not begun by the time that `mine` is done, because it is still starting or waits for a processor, is done here too.
   */
  callBoth: (name: Name, mine: Arguments, theirs: Arguments) => void;
};

/**
 * Calls `work` with a way to start threads if two are asked for, else with null. Every thread started is ended when `work` returns or
 * throws.
 */
export function withThreads<T>(threads: 1 | 2, work: (start: StartThread | null) => T): T {
  if (threads === 1) return work(null);
  const workers: Worker[] = [];
  try {
    return work((kernel, operations) => {
      const shared = new Int32Array(new SharedArrayBuffer(4 * sharedLength));
      const names = Object.keys(operations);
      const worker = startWorker(kernel, names, shared);
      if (worker === null) return null;
      workers.push(worker);
      return {
        callBoth: (name, mine, theirs) => callBoth(shared, names.indexOf(name), operations[name], mine, theirs),
      };
    });
  } finally {
    for (const worker of workers) void worker.terminate();
  }
}

/**
 * Both threads share some int32: the state of the one job on offer, then the number of its operation and its arguments. Whoever first
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
const operation = 1;
const firstArgument = 2;
const argumentCount = 10;
const sharedLength = firstArgument + argumentCount;

function callBoth<Arguments extends readonly number[]>(
  shared: Int32Array,
  place: number,
  call: (...all: Arguments) => void,
  mine: Arguments,
  theirs: Arguments,
): void {
  shared[operation] = place;
  shared.set(theirs, firstArgument);
  Atomics.store(shared, state, offered);
  Atomics.notify(shared, state);
  call(...mine);
  if (Atomics.compareExchange(shared, state, offered, idle) === offered) call(...theirs);
  else while (Atomics.load(shared, state) === taken) Atomics.wait(shared, state, taken);
}

/** As text, so that it is there wherever the trainer is bundled into one file. It sleeps until there is a job; it never polls. */
const workerCode = `
  const { module, memory, names, shared } = require('node:worker_threads').workerData;
  const operations = new WebAssembly.Instance(module, { host: { memory } }).exports;
  for (;;) {
    while (Atomics.compareExchange(shared, ${state}, ${offered}, ${taken}) !== ${offered})
      Atomics.wait(shared, ${state}, ${idle});
    operations[names[shared[${operation}]]](...shared.subarray(${firstArgument}));
    Atomics.store(shared, ${state}, ${idle});
    Atomics.notify(shared, ${state});
  }`;

function startWorker(kernel: SharedKernel, names: readonly string[], shared: Int32Array): Worker | null {
  try {
    // nothing of how this process was started matters to the worker, and flags not meant for threads would stop it
    const worker = new Worker(workerCode, {
      eval: true,
      workerData: { ...kernel, names, shared },
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
