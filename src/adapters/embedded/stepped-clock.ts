import type { Clock } from '../../ports/clock.ts';

type Sleeper = { atMs: number; wake: () => void };

/**
 * A clock of virtual time for simulations: time passes, in a jump to the next sleeper, only when nothing else is left to
 * do. Sleepers of the same instant wake together, in the order in which they fell asleep.
 */
export class SteppedClock implements Clock {
  #nowMs: number;
  #held = 0;
  #scheduled = false;
  // In ascending order of time; equal times in order of arrival.
  readonly #sleepers: Sleeper[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const sleeper: Sleeper = { atMs: this.#nowMs + Math.max(0, milliseconds), wake: () => undefined };
      const abort = () => {
        this.#remove(sleeper);
        reject(signal?.reason as Error);
      };
      sleeper.wake = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.#sleepers.splice(this.#placeFor(sleeper.atMs), 0, sleeper);
      this.#schedule();
    });
  }

  /** Keeps time still while something real goes on, such as reading a file; call the returned function when it is over. */
  hold(): () => void {
    let holding = true;
    this.#held += 1;
    return () => {
      if (!holding) return;
      holding = false;
      this.#held -= 1;
      this.#schedule();
    };
  }

  /** Looks again when the microtasks of now have run: only then nothing else is left to do. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#held > 0 || this.#sleepers.length === 0) return;
      this.#nowMs = this.#sleepers[0].atMs;
      const due = this.#sleepers.splice(0, this.#placeFor(this.#nowMs));
      for (const { wake } of due) wake();
      this.#schedule();
    });
  }

  /** The index behind all sleepers that wake at that time or earlier, by binary search. */
  #placeFor(atMs: number): number {
    let low = 0;
    let high = this.#sleepers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sleepers[middle].atMs <= atMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #remove(sleeper: Sleeper): void {
    const index = this.#sleepers.indexOf(sleeper);
    if (index >= 0) this.#sleepers.splice(index, 1);
  }
}
