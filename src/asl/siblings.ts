import type { Json } from '../data/json.ts';
import { endsExecution, LaneAborted, StateFailure } from './errors.ts';
import { runFlow } from './flow.ts';
import type { Lane } from './lane.ts';
import type { Flow } from './state-fields.ts';

/** The lanes that a Parallel or Map runs together: the first to fail cuts off the others. */
export class Siblings {
  readonly signal: AbortSignal;
  readonly #outer: Lane;
  readonly #announceEnd: ((index: number, failed: boolean) => void) | undefined;
  readonly #lanes: { lane: Lane; flow: Flow }[] = [];
  readonly #controller = new AbortController();
  readonly #errors: unknown[] = [];
  #failure: StateFailure | undefined;

  /** `announceEnd` records what ends a lane that has not come to its end by itself. */
  constructor(outer: Lane, announceEnd?: (index: number, failed: boolean) => void) {
    this.#outer = outer;
    this.#announceEnd = announceEnd;
    this.signal = AbortSignal.any([outer.signal, this.#controller.signal]);
  }

  /** Lanes are cut off in the order of `index`. */
  add(index: number, lane: Lane, flow: Flow): void {
    this.#lanes[index] = { lane, flow };
  }

  /** Runs one lane that was added. Where it fails, the others are cut off first. */
  async runLane(index: number): Promise<Json> {
    const { lane, flow } = this.#lanes[index];
    try {
      return await runFlow(lane, flow);
    } catch (error) {
      if (error instanceof StateFailure) await this.#outer.step(() => this.cutOff(error, lane));
      throw error;
    }
  }

  /** Runs what runs lanes, all at once. Throws what failed first, when nothing of it runs any more. */
  async run(chains: readonly (() => Promise<void>)[]): Promise<void> {
    const attempts = chains.map(async (chain) => {
      try {
        await chain();
      } catch (error) {
        this.#errors.push(error);
        this.#stop();
      }
    });
    await Promise.all(attempts);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  /**
   * Records the end of every lane that has not ended, and of the state in which it was, and stops them. Goes on after
   * the failed lane's last event, or after the outer lane's where no lane is to blame.
   */
  cutOff(failure: StateFailure, failed?: Lane): void {
    if (this.signal.aborted) return;
    this.#failure = failure;
    if (failed !== undefined) this.#outer.last = failed.last;
    if (!endsExecution(failure)) for (const index of this.#lanes.keys()) this.#end(index, failed);
    this.#stop();
  }

  #end(index: number, failed: Lane | undefined): void {
    const { lane, flow } = this.#lanes[index] ?? {};
    if (lane === undefined || flow === undefined || lane.progress.output !== undefined) return;
    this.#announceEnd?.(index, lane === failed);
    const type = flow.states.get(lane.progress.state)?.type;
    const interrupted = lane === failed ? type === 'Task' : ['Task', 'Wait', 'Map', 'Parallel'].includes(type ?? '');
    if (interrupted && lane.progress.entered !== undefined)
      this.#outer.record(`${type}StateAborted`, undefined, 'aside');
  }

  #stop(): void {
    this.#controller.abort(new LaneAborted('another branch failed'));
  }
}
