/**
 * Lets the branches of an execution take turns: one step at a time, in the order in which they asked. A state's entry
 * and what it records stay together, branches go round robin, and the order of events depends on nothing but the order
 * in which tasks end.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs the step when all that were asked for before it have ended; resolves and rejects as the step does. */
  take<T>(step: () => T | Promise<T>): Promise<T> {
    const turn = this.#last.then(step);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
