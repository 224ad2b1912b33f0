import type { Json } from '../data/json.ts';
import { StateFailure, tooLarge } from './errors.ts';
import { inputDetails, outputDetails } from './history.ts';
import type { Surrounding } from './history.ts';
import type { States, Variables } from './jsonata.ts';
import { withinPayloadLimit } from './limits.ts';
import { present } from './present.ts';
import type { Progress } from './progress.ts';
import { instant } from './scope.ts';
import type { Scope } from './scope.ts';
import { EvaluationFailure, evaluateTemplate, evaluateTyped } from './template.ts';
import type { Bindings, Template, Types } from './template.ts';

/** An event that goes before a state's exit: that what it ran has succeeded. */
export type Announcement = { type: string; after: number };

/** What a state passes on: its output, and the variables it assigns. */
export type Outcome = { output: Json; assigned: Variables };

/** What only some fields see: parts of `$states`, and the item that an ItemSelector selects from. */
export type Extra = Pick<States, 'result' | 'errorOutput'> & { map?: Json };

type LaneParts = {
  scope: Scope;
  progress: Progress;
  /** The id of the event that the lane's first event follows. */
  last: number;
  /** Aborted when the lane is cut off; the reason is thrown. */
  signal: AbortSignal;
  within: readonly Surrounding[];
  outerVariables: Variables;
  /** The context object's `Map` inside an iteration. */
  map?: Json;
};

/** A state cannot go on, for a reason that AWS words after naming the state. */
export class StateProblem extends Error {
  override name = 'StateProblem';
  readonly error: string;

  constructor(error: string, message: string) {
    super(message);
    this.error = error;
  }
}

/**
 * One sequence of states being run: the execution itself, a branch of a Parallel or an iteration of a Map. It knows
 * what an event follows: mostly the lane's last event, but what fails in a step follows the event before that step.
 */
export class Lane {
  readonly scope: Scope;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly within: readonly Surrounding[];
  readonly map: Json | undefined;
  /** The lane's last event: what the next one follows. */
  last: number;
  /** Which retry of the current state this is, where the state can be retried at all. */
  retryCount: number | undefined;
  /** The token of a Task that waits for one. */
  taskToken: string | undefined;
  #base: number;
  readonly #outerVariables: Variables;

  constructor({ scope, progress, last, signal, within, outerVariables, map }: LaneParts) {
    this.scope = scope;
    this.progress = progress;
    this.last = last;
    this.#base = last;
    this.signal = signal;
    this.within = within;
    this.#outerVariables = outerVariables;
    this.map = map;
  }

  /** A lane inside this one, which reads this one's variables. */
  inner(parts: Pick<LaneParts, 'progress' | 'signal' | 'map'> & { last: number; place: Surrounding }): Lane {
    return new Lane({
      scope: this.scope,
      outerVariables: this.variables,
      within: [...this.within, parts.place],
      progress: parts.progress,
      last: parts.last,
      signal: parts.signal,
      map: parts.map ?? this.map,
    });
  }

  get variables(): Variables {
    return { ...this.#outerVariables, ...this.progress.variables };
  }

  /** Does what belongs together while no other lane does anything. Throws the signal's reason once the lane is cut off. */
  step<T>(work: () => T | Promise<T>): Promise<T> {
    return this.scope.turns.take(() => {
      this.signal.throwIfAborted();
      this.#base = this.last;
      return work();
    });
  }

  /** Goes on after another event, as if nothing had been recorded in this step yet. */
  follow(eventId: number): void {
    this.last = eventId;
    this.#base = eventId;
  }

  /** Records an event after the lane's last one and goes on from it; `aside` goes on from where the lane was. */
  record(type: string, details?: { [key: string]: Json }, aside?: 'aside'): number {
    const id = this.#append(type, details, this.progress.state);
    if (aside === undefined) this.last = id;
    return id;
  }

  /** Records an event of the execution rather than of a state. */
  recordOfExecution(type: string, details: { [key: string]: Json }): void {
    this.last = this.#append(type, details, undefined);
  }

  /** Records that the state was entered, unless this visit of it already did: a retry or a redrive comes here again. */
  enter(type: string): void {
    if (this.progress.entered !== undefined) return;
    const { recorder, clock } = this.scope;
    this.progress.entered = { eventId: recorder.lastId + 1, timeMs: clock.nowMs() };
    const text = JSON.stringify(this.progress.input);
    this.record(`${type}StateEntered`, { ...inputDetails(text), name: this.progress.state });
  }

  /** Records that the state was left and moves on; without `next` the lane has ended. */
  exit(type: string, { output, assigned }: Outcome, next: string | undefined, announcement?: Announcement): void {
    const { progress } = this;
    const name = progress.state;
    const text = JSON.stringify(output);
    this.limit(text, name);
    const assignments = Object.entries(assigned).map(([variable, value]) => [variable, JSON.stringify(value)] as const);
    this.limit(assignments.map(([, value]) => value).join(), name);

    if (announcement !== undefined) this.#append(announcement.type, undefined, name, announcement.after);
    progress.variables = { ...progress.variables, ...assigned };
    this.retryCount = undefined;
    this.taskToken = undefined;
    delete progress.entered;
    delete progress.result;
    delete progress.inner;
    if (next === undefined) progress.output = { value: output };
    else Object.assign(progress, { state: next, input: output });
    const variables = {
      assignedVariables: Object.fromEntries(assignments),
      assignedVariablesDetails: { truncated: false },
    };
    const details = { ...(assignments.length > 0 ? variables : {}), name, ...outputDetails(text) };
    this.last = this.#append(`${type}StateExited`, details, name);
  }

  /** Fails the state where a JSON text is larger than AWS lets states hand on. `holder` is what AWS's cause names. */
  limit(text: string, holder: string): void {
    if (withinPayloadLimit(text)) return;
    this.last = this.#base;
    throw tooLarge(holder);
  }

  /** The value of a template. A failing expression is recorded and fails the state. */
  evaluate(template: Template, extra: Extra = {}): Promise<Json> {
    return this.guard(() => evaluateTemplate(template, this.bindings(extra)));
  }

  /** The value of a template whose field must be of one type. */
  evaluateTyped<Type extends keyof Types>(template: Template, type: Type, extra: Extra = {}): Promise<Types[Type]> {
    return this.guard(() => evaluateTyped(template, type, this.bindings(extra)));
  }

  /** Does what may fail in AWS's words, and fails the state with them. */
  async guard<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const { state: name, entered } = this.progress;
      const words = (reason: string) =>
        `An error occurred while executing the state '${name}' (entered at the event id #${entered?.eventId}). ${reason}`;
      if (error instanceof StateProblem) {
        this.last = this.#base;
        throw new StateFailure(error.error, words(error.message));
      }
      if (!(error instanceof EvaluationFailure)) throw error;
      const failure = { cause: words(error.reason), error: 'States.QueryEvaluationError' };
      this.last = this.#base;
      this.record('EvaluationFailed', present({ ...failure, location: error.location, state: name }));
      throw new StateFailure(failure.error, failure.cause);
    }
  }

  /** The context object as expressions see it now. */
  context(map = this.map): { [key: string]: Json } {
    const { state, entered } = this.progress;
    const enteredTime = entered && instant(entered.timeMs);
    return present({
      ...this.scope.context,
      State: present({ Name: state, EnteredTime: enteredTime, RetryCount: this.retryCount }),
      Map: map,
      Task: this.taskToken === undefined ? undefined : { Token: this.taskToken },
    });
  }

  bindings({ map, ...extra }: Extra): Bindings {
    const states = { input: this.progress.input, context: this.context(map), ...extra };
    return { states, variables: this.variables, sources: this.scope };
  }

  #append(
    type: string,
    details: { [key: string]: Json } | undefined,
    state: string | undefined,
    after = this.last,
  ): number {
    return this.scope.recorder.append(type, after, details, { state, within: this.within });
  }
}
