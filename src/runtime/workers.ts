import { Worker } from 'node:worker_threads';
import type { StageName } from '../stages.ts';
import type { PortsRecipe } from './ports.ts';
import type { WorkerReply, WorkerRequest } from './worker.ts';

type Job = { request: WorkerRequest; resolve: (output: unknown) => void; reject: (error: Error) => void };

/** Runs heavy stages in up to `size` threads; threads start with the first job and wait without holding the process open. */
export class Workers {
  readonly #size: number;
  readonly #recipe: PortsRecipe;
  readonly #waiting: Job[] = [];
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  #ids = 0;

  constructor(size: number, recipe: PortsRecipe) {
    this.#size = size;
    this.#recipe = recipe;
  }

  run(stage: StageName, input: unknown, nowMs: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request: { id: ++this.#ids, stage, input, nowMs }, resolve, reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.terminate()));
  }

  #next(): void {
    const worker =
      this.#idle.pop() ?? (this.#all.size < this.#size && this.#waiting.length > 0 ? this.#start() : undefined);
    if (!worker) return;
    const job = this.#waiting.shift();
    if (!job) {
      this.#idle.push(worker);
      return;
    }
    const settle = (finish: () => void, reusable: boolean) => {
      worker.removeAllListeners();
      worker.unref();
      if (reusable) this.#idle.push(worker);
      else this.#all.delete(worker);
      finish();
      this.#next();
    };
    worker.on('message', (reply: WorkerReply) => settle(() => answer(job, reply), true));
    worker.on('error', (error) => settle(() => job.reject(error as Error), false));
    worker.on('exit', (code) =>
      settle(() => job.reject(new Error(`The thread of stage ${job.request.stage} ended with code ${code}.`)), false),
    );
    worker.ref();
    worker.postMessage(job.request);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: this.#recipe });
    this.#all.add(worker);
    return worker;
  }
}

function answer(job: Job, reply: WorkerReply): void {
  if ('error' in reply) job.reject(Object.assign(new Error(reply.error.message), { name: reply.error.name }));
  else job.resolve(reply.output);
}
