import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Random } from '../../src/ml/random.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** What may happen at an I/O point or at a task's boundary. */
export const faultKinds = [
  /** 503, or a 409 that never ends: not applied, and the caller hears of it. */
  'unavailable',
  /** Applied; the acknowledgement is lost and the caller hears of a failure. */
  'lost',
  /** Applied; the acknowledgement is lost, the client asks again and meets its own object. */
  'asked again',
  /** Nothing answers for a long time: the clock goes on, then as `unavailable`. */
  'timeout',
  /** The process dies before the operation, or behind it. */
  'crash before',
  'crash after',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Probabilities per point; `jump` is that of time passing while work is under way. */
export type Faults = { [kind in FaultKind]: number } & { jump: number };

export const noFaults: Faults = {
  unavailable: 0,
  lost: 0,
  'asked again': 0,
  timeout: 0,
  'crash before': 0,
  'crash after': 0,
  jump: 0,
};

/** One run of one stage, or one person at the keyboard: what can wait, go on and die by itself. */
export class Actor {
  readonly name: string;
  readonly number: number;
  dead = false;
  #die: (error: Error) => void = () => undefined;
  /** Rejects when the process dies. */
  readonly death: Promise<never>;

  constructor(name: string, number: number) {
    this.name = name;
    this.number = number;
    this.death = new Promise<never>((_, reject) => (this.#die = reject));
    this.death.catch(() => undefined);
  }

  kill(): void {
    this.dead = true;
    this.#die(new Died(this.name));
  }
}

/** The process that did the work is no more. */
export class Died extends Error {
  override name = 'Died';
}

/** The work goes on and on without an end. */
export class NeverEnds extends Error {
  override name = 'NeverEnds';
}

type Parked = {
  actor: Actor;
  label: string;
  canFail: readonly FaultKind[];
  go: (fault: FaultKind | undefined) => void;
};

/**
 * Decides which of the pending operations goes on. At any time one actor runs, from one of its points to the next; all others
 * wait at theirs. So the order of everything that is shared is the seed's, whatever real time the work in between takes.
 */
export class Scheduler {
  readonly clock: SimulatedClock;
  faults: Faults = noFaults;
  /** Points passed, and faults injected by kind. */
  points = 0;
  readonly injected = new Map<FaultKind, number>();
  readonly #draw: Random;
  readonly #trace = createHash('sha256');
  readonly #running = new Set<Actor>();
  readonly #stickiness: number;
  #parked: Parked[] = [];
  #last: Actor | undefined;
  #idle: () => void = () => undefined;
  #actors = 0;

  constructor(draw: Random, startMs: number) {
    this.#draw = draw;
    this.clock = new SimulatedClock(startMs);
    this.#stickiness = draw.choice([0, 0.5, 0.9]);
  }

  actor(name: string): Actor {
    return new Actor(name, ++this.#actors);
  }

  /** Waits until the seed lets the actor go on; gives the fault that is to happen to it, of those that can. */
  point(actor: Actor, label: string, canFail: readonly FaultKind[] = []): Promise<FaultKind | undefined> {
    this.#rest(actor);
    // a dead process asks for nothing more, and hears nothing
    if (actor.dead) return new Promise(() => undefined);
    return new Promise((go) => void this.#parked.push({ actor, label, canFail, go }));
  }

  /** Lets the actor do nothing for a while. */
  async sleep(actor: Actor, milliseconds: number): Promise<void> {
    this.#rest(actor);
    await this.clock.sleep(milliseconds);
    await this.point(actor, 'wakes');
  }

  /** Nothing more comes from this actor. */
  ended(actor: Actor): void {
    this.#rest(actor);
    this.#parked = this.#parked.filter((parked) => parked.actor !== actor);
  }

  /** Lets the actor die: what it waits for never comes. */
  kill(actor: Actor): void {
    actor.kill();
    this.ended(actor);
  }

  /** Runs until nothing is left to do, or for so many points. Throws `NeverEnds` beyond `limit`. */
  async run(points = Infinity, limit = 15_000): Promise<void> {
    const until = this.points + points;
    for (;;) {
      await this.#settled();
      if (this.points >= until) return;
      if (this.points > limit) throw new NeverEnds(`After ${limit} points there is still work to do.`);
      if (this.#parked.length === 0) {
        if (!this.clock.jump()) return;
      } else if (this.faults.jump > 0 && this.#draw.uniform() < this.faults.jump) {
        this.#note('time passes');
        this.clock.jump();
      } else this.#step();
    }
  }

  /** Whether somebody waits for such an operation. */
  waits(operation: string): boolean {
    return this.#parked.some(({ label }) => label.startsWith(operation));
  }

  /** Of every decision so far. */
  traceHash(): string {
    return this.#trace.copy().digest('hex');
  }

  #step(): void {
    const actors = [...new Set(this.#parked.map(({ actor }) => actor))];
    const stays = this.#last && actors.includes(this.#last) && this.#draw.uniform() < this.#stickiness;
    const actor = stays ? this.#last! : this.#draw.choice(actors);
    const mine = this.#draw.shuffle(this.#parked.filter((parked) => parked.actor === actor));
    this.#parked = this.#parked.filter((parked) => parked.actor !== actor);
    this.#last = actor;
    this.#running.add(actor);
    for (const { label, canFail, go } of mine) {
      this.points += 1;
      this.clock.pass(1 + this.#draw.integer(40));
      const fault = this.#faultAt(canFail);
      this.#note(`${actor.number} ${label} ${fault ?? ''}`);
      if (fault === 'timeout') this.clock.pass(this.#draw.choice([1_000, 60_000, 4_000_000]));
      go(fault);
    }
  }

  #faultAt(canFail: readonly FaultKind[]): FaultKind | undefined {
    if (this.faults === noFaults || canFail.length === 0) return undefined;
    let left = this.#draw.uniform();
    for (const kind of canFail) {
      left -= this.faults[kind];
      if (left >= 0) continue;
      this.injected.set(kind, (this.injected.get(kind) ?? 0) + 1);
      return kind;
    }
    return undefined;
  }

  #note(what: string): void {
    this.#trace.update(`${what}\n`);
  }

  #rest(actor: Actor): void {
    this.#running.delete(actor);
    if (this.#running.size === 0) this.#idle();
  }

  /** Until every actor waits or has ended, and what that makes others do has been done. */
  async #settled(): Promise<void> {
    for (;;) {
      await setImmediate();
      if (this.#running.size === 0) return;
      await new Promise<void>((idle) => (this.#idle = idle));
    }
  }
}

type Sleeper = { atMs: number; wake: () => void };

/** Time that passes by the scheduler's word alone. */
export class SimulatedClock implements Clock {
  #nowMs: number;
  readonly #sleepers: Sleeper[] = [];

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const sleeper: Sleeper = { atMs: this.#nowMs + milliseconds, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          this.#remove(sleeper);
          reject(signal.reason as Error);
        },
        { once: true },
      );
    });
  }

  pass(milliseconds: number): void {
    this.#nowMs += milliseconds;
  }

  /** To the next sleeper, who wakes; false where nobody sleeps. */
  jump(): boolean {
    const [first, ...others] = this.#sleepers;
    if (!first) return false;
    const next = others.reduce((earliest, sleeper) => (sleeper.atMs < earliest.atMs ? sleeper : earliest), first);
    this.#remove(next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.wake();
    return true;
  }

  #remove(sleeper: Sleeper): void {
    const at = this.#sleepers.indexOf(sleeper);
    if (at >= 0) this.#sleepers.splice(at, 1);
  }
}
