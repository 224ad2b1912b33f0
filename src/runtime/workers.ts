import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { StageName } from '../stages.ts';
import type { PortsRecipe } from './ports.ts';
import type { EndOfWork, WorkerReply, WorkerRequest } from './worker.ts';

type Job = { request: WorkerRequest; resolve: (output: unknown) => void; reject: (error: Error) => void };

/** Runs heavy stages in up to `size` threads. A thread starts when there is a job for it, and keeps the process open only while it works. */
export class Workers {
  readonly #size: number;
  readonly #recipe: PortsRecipe;
  readonly #waiting: Job[] = [];
  /** Every thread with the job that it works on. */
  readonly #threads = new Map<Worker, Job | undefined>();
  #ids = 0;

  constructor(size: number, recipe: PortsRecipe) {
    this.#size = size;
    this.#recipe = recipe;
  }

  run(stage: StageName, input: unknown, nowMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request: { id: ++this.#ids, stage, input, nowMs }, resolve, reject });
      this.#assign();
    });
  }

  /** Ends every thread; what they worked on and what waited for them is rejected. */
  async close(): Promise<void> {
    for (const job of this.#waiting.splice(0))
      job.reject(new Error('The runtime was closed; the stage can be run again.'));
    await Promise.all([...this.#threads].map(([worker, job]) => (job ? worker.terminate() : ended(worker))));
  }

  /** Gives waiting jobs to idle threads, and to new ones while there may be more. */
  #assign(): void {
    while (this.#waiting.length > 0) {
      const idle = [...this.#threads].find(([, job]) => job === undefined)?.[0];
      const worker = idle ?? (this.#threads.size < this.#size ? this.#start() : undefined);
      if (!worker) return;
      const job = this.#waiting.shift()!;
      this.#threads.set(worker, job);
      worker.ref();
      worker.postMessage(job.request);
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: this.#recipe });
    this.#threads.set(worker, undefined);
    worker.on('message', (reply: WorkerReply) => {
      const job = this.#threads.get(worker);
      this.#threads.set(worker, undefined);
      worker.unref();
      if (job) answer(job, reply);
      this.#assign();
    });
    const gone = (error: Error) => {
      this.#threads.get(worker)?.reject(error);
      this.#threads.delete(worker);
      this.#assign();
    };
    worker.on('error', (error) => gone(error as Error));
    worker.on('exit', (code) =>
      gone(new Error(`A worker thread ended with code ${code}; its stage can be run again.`)),
    );
    return worker;
  }
}

/** Lets an idle thread end by itself: one that is terminated leaves its native libraries in the middle of something. */
async function ended(worker: Worker): Promise<void> {
  worker.ref();
  const exit = once(worker, 'exit');
  worker.postMessage('end of work' satisfies EndOfWork);
  await exit;
}

function answer(job: Job, reply: WorkerReply): void {
  if ('error' in reply) job.reject(Object.assign(new Error(reply.error.message), { name: reply.error.name }));
  else job.resolve(reply.output);
}
