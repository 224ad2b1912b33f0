import { Worker } from 'node:worker_threads';
import type { BuildArguments, BuildName, KernelOperations } from './operations.ts';

/** A compiled kernel and the memory it works on: what another thread must be given to run it as well. */
export type SharedKernel = { module: object; memory: object };

/** Starts another thread on a kernel whose operations are also at hand here; null where no thread can be started. */
export type StartThread = (kernel: SharedKernel, operations: KernelOperations) => SecondThread | null;

export type SecondThread = {
  /**
   * Builds with `mine` here and with `theirs` in the other thread, and returns when both are done. What the other thread has not begun
   * by the time that `mine` is done, because it is still starting or waits for a processor, is done here too.
   */
  buildBoth: (build: BuildName, mine: BuildArguments, theirs: BuildArguments) => void;
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
      const worker = startWorker(kernel, shared);
      if (worker === null) return null;
      workers.push(worker);
      return { buildBoth: (build, mine, theirs) => buildBoth(shared, operations, build, mine, theirs) };
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

const builds: readonly BuildName[] = ['buildOne', 'buildTwo', 'buildListedOne', 'buildListedTwo'];

function buildBoth(
  shared: Int32Array,
  operations: KernelOperations,
  build: BuildName,
  mine: BuildArguments,
  theirs: BuildArguments,
): void {
  shared[operation] = builds.indexOf(build);
  shared.set(theirs, firstArgument);
  Atomics.store(shared, state, offered);
  Atomics.notify(shared, state);
  operations[build](...mine);
  if (Atomics.compareExchange(shared, state, offered, idle) === offered) operations[build](...theirs);
  else while (Atomics.load(shared, state) === taken) Atomics.wait(shared, state, taken);
}

/** As text, so that it is there wherever the trainer is bundled into one file. It sleeps until there is a job; it never polls. */
const workerCode = `
  const { module, memory, shared } = require('node:worker_threads').workerData;
  const operations = new WebAssembly.Instance(module, { host: { memory } }).exports;
  const builds = ${JSON.stringify(builds)};
  for (;;) {
    while (Atomics.compareExchange(shared, ${state}, ${offered}, ${taken}) !== ${offered})
      Atomics.wait(shared, ${state}, ${idle});
    operations[builds[shared[${operation}]]](...shared.subarray(${firstArgument}));
    Atomics.store(shared, ${state}, ${idle});
    Atomics.notify(shared, ${state});
  }`;

function startWorker(kernel: SharedKernel, shared: Int32Array): Worker | null {
  try {
    // nothing of how this process was started matters to the worker, and flags not meant for threads would stop it
    const worker = new Worker(workerCode, { eval: true, workerData: { ...kernel, shared }, execArgv: [], env: {} });
    // one that fails to start takes no jobs, and so all is done by the caller
    worker.on('error', () => {});
    worker.unref();
    return worker;
  } catch {
    return null; // threads are not allowed, or there are no more to be had
  }
}
