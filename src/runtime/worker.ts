/** A worker thread that runs heavy stages, one at a time, with ports of its own on the same directories. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Clock } from '../ports/clock.ts';
import { runStage } from '../stages/run.ts';
import type { StageName } from '../stages.ts';
import { giveBackMemory } from './give-back.ts';
import { type PortsRecipe, openPorts } from './ports.ts';
import { stageFunctions } from './stages.ts';

export type WorkerRequest = { id: number; stage: StageName; input: unknown; nowMs: number };
/** Asks an idle thread to end. */
export type EndOfWork = 'end of work';
export type WorkerReply = { id: number; output: unknown } | { id: number; error: { name: string; message: string } };

const ports = await openPorts(workerData as PortsRecipe);

parentPort?.on('message', (message: WorkerRequest | EndOfWork) => {
  // by itself: a thread that is terminated from outside leaves native libraries in the middle of something
  if (message === 'end of work') return parentPort?.close();
  const { id, stage, input, nowMs } = message;
  // the run's time, which may have been set away from the thread's own; it runs on from there
  const offsetMs = nowMs - ports.clock.nowMs();
  const clock: Clock = {
    nowMs: () => ports.clock.nowMs() + offsetMs,
    sleep: (milliseconds, signal) => ports.clock.sleep(milliseconds, signal),
  };
  // before it too: threads of its own that a stage has ended are gone only a moment later, and what they held with them
  giveBackMemory();
  const running = runStage(stage, stageFunctions[stage] as never, input, { ...ports, clock });
  running.finally(giveBackMemory).then(
    (output) => parentPort?.postMessage({ id, output } satisfies WorkerReply),
    ({ name, message: text }: Error) =>
      parentPort?.postMessage({ id, error: { name, message: text } } satisfies WorkerReply),
  );
});
