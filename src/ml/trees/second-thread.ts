import { MessageChannel, type MessagePort, Worker, receiveMessageOnPort } from 'node:worker_threads';
import type { Tree } from './model.ts';
import type { Turn } from './rounds.ts';
import type { BoostingJob } from './tree-maker.ts';

export type ThreadData = { job: BoostingJob; memory: SharedArrayBuffer; port: MessagePort };
export type ThreadMessage = { turn: Turn; tree: Tree } | { error: unknown };

export type SecondThread = {
  /** Hands over the trees that it has grown since the last call. Throws what it has failed with. */
  collect: (take: (tree: Tree, turn: Turn) => void) => void;
  stop: () => void;
};

/**
 * Starts a thread that takes turns on a job in shared memory. One that cannot be started takes none, so that the first does all.
 *
 * @param module the file of training-thread.ts, or what it was bundled into
 */
export function startSecondThread(module: URL, job: BoostingJob, memory: SharedArrayBuffer): SecondThread {
  const { port1: mine, port2: port } = new MessageChannel();
  const worker = startWorker(module, { job, memory, port });
  return {
    collect(take) {
      // not by an event: nobody returns to the event loop while a model is trained
      for (let received = receiveMessageOnPort(mine); received; received = receiveMessageOnPort(mine)) {
        const message = received.message as ThreadMessage;
        if ('error' in message) throw message.error;
        take(message.tree, message.turn);
      }
    },
    stop() {
      mine.close();
      void worker?.terminate();
    },
  };
}

function startWorker(module: URL, data: ThreadData): Worker | null {
  try {
    // nothing of how this process was started matters to the worker, and flags not meant for threads would stop it
    const worker = new Worker(module, { workerData: data, transferList: [data.port], execArgv: [], env: {} });
    worker.on('error', () => {});
    worker.unref();
    return worker;
  } catch {
    return null; // threads are not allowed, or there are no more to be had
  }
}

/** The same job with its large arrays in memory that another thread sees as well. */
export function inSharedMemory({ binned, weight, heads, watched, ...job }: BoostingJob): BoostingJob {
  return {
    ...job,
    binned: { ...binned, byColumn: shared(binned.byColumn) },
    weight: weight && shared(weight),
    heads: heads.map(({ target, initial, score }) => ({ target: shared(target), initial, score: shared(score) })),
    watched: watched && {
      byColumn: shared(watched.byColumn),
      weight: watched.weight && shared(watched.weight),
      heads: watched.heads.map(({ target, score }) => ({ target: shared(target), score: shared(score) })),
    },
  };
}

function shared<Values extends Float64Array | Uint8Array>(values: Values): Values {
  const Same = values.constructor as new (memory: SharedArrayBuffer) => Values;
  const copy = new Same(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}
