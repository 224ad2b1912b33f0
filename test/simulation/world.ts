import { createHash } from 'node:crypto';
import { TaskError } from '../../src/asl/errors.ts';
import type { Execution } from '../../src/asl/execution.ts';
import { execute, redrive } from '../../src/asl/executor.ts';
import { type Machine, parseMachine } from '../../src/asl/machine.ts';
import type { TaskCall } from '../../src/asl/tasks.ts';
import { storedCatalogue } from '../../src/adapters/embedded/stored-catalogue.ts';
import type { Json } from '../../src/data/json.ts';
import { type Random, random } from '../../src/ml/random.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { Ports } from '../../src/ports/stage-ports.ts';
import { compileEventPattern } from '../../src/runtime/event-pattern.ts';
import { bronzeBucket, functionArn, machineDefinitions, stateMachineArn } from '../../src/runtime/machines.ts';
import { stageFunctions } from '../../src/runtime/stages.ts';
import { runStage } from '../../src/stages/run.ts';
import {
  type MachineName,
  type StageName,
  type StageOutput,
  type Zone,
  machineNames,
  zones,
} from '../../src/stages.ts';
import { dropRunId, eventSource, rules } from '../../src/triggers.ts';
import { type Catalogue, catalogueFromFolder } from '../../src/usecase/catalogue.ts';
import { FakeKeyRing } from '../privacy/fake-key-ring.ts';
import { gatedStore } from './gated-store.ts';
import { seededIds } from './ids.ts';
import type { Mutant } from './mutants.ts';
import { type Actor, type Faults, Scheduler } from './scheduler.ts';
import { type Kept, TwinStore } from './twin-store.ts';

export const useCase = 'policy-cost';
export const source = 'policies';
export const startMs = Date.parse('2026-03-02T09:00:00Z');

/** Everything that is stored, by zone; `runtime` holds the catalogue of models. */
export type State = { [zone in Zone | 'runtime']: ReadonlyMap<string, Kept> };

/** What all worlds of a process share, because it never changes. */
export type Ground = {
  machines: { [name in MachineName]: Machine };
  catalogue: Catalogue;
  /** For local copies and spilled data. */
  directory: string;
};

export async function openGround(directory: string): Promise<Ground> {
  const definitions = await machineDefinitions();
  const machines = Object.fromEntries(machineNames.map((name) => [name, parseMachine(definitions[name])]));
  const catalogue = await catalogueFromFolder(new URL('usecases', import.meta.url).pathname);
  return { machines: machines as Ground['machines'], catalogue, directory };
}

/** One execution of a machine, as its operator sees it. `KILLED`: the process that interpreted it is no more. */
export type Run = { machine: MachineName; input: Json; status: string; error?: string; execution?: Execution };

export type WorldOptions = {
  seed: string;
  /** @default - nothing is stored */
  from?: State;
  /** @default - the product as it is */
  mutant?: Mutant;
  /** Of the clocks of functions against each other, at most. @default 0 */
  skewMs?: number;
};

type Event = { source: string; 'detail-type': string; detail: { [key: string]: Json } };

/**
 * The product in a world of its own: real machines, real stages, stores in memory, one interceptor at the stores and one at the
 * boundary of tasks. What happens when is the seed's.
 */
export class World {
  readonly seed: string;
  readonly draw: Random;
  readonly scheduler: Scheduler;
  readonly stores: { [zone in Zone | 'runtime']: TwinStore };
  readonly runs: Run[] = [];
  /** The machines that events may start here. @default - all */
  only: readonly MachineName[] = machineNames;
  readonly ground: Ground;
  readonly #mutant: Mutant;
  readonly #skewMs: number;
  readonly #histories = new Map<string, Execution>();
  readonly #working = new Set<Actor>();

  constructor(ground: Ground, { seed, from, mutant = {}, skewMs = 0 }: WorldOptions) {
    this.seed = seed;
    this.ground = ground;
    this.draw = random(seed);
    const objects = Object.values(from ?? {}).flatMap((zone) => [...zone.values()]);
    const latestMs = objects.reduce((latest, { lastModifiedMs }) => Math.max(latest, lastModifiedMs), startMs);
    this.scheduler = new Scheduler(this.draw.fork('schedule'), latestMs + 3_600_000);
    const nowMs = () => this.scheduler.clock.nowMs();
    const stores = [...zones, 'runtime' as const].map((zone) => [
      zone,
      new TwinStore(ground.directory, nowMs, from?.[zone]),
    ]);
    this.stores = Object.fromEntries(stores) as World['stores'];
    this.#mutant = mutant;
    this.#skewMs = skewMs;
  }

  /** The stored state; nothing in it changes any more. */
  state(): State {
    const entries = Object.entries(this.stores).map(([zone, store]) => [zone, new Map(store.objects)] as const);
    return Object.fromEntries(entries) as unknown as State;
  }

  /** Of everything that is stored and of every decision that led there. */
  hash(): string {
    const hash = createHash('sha256').update(this.scheduler.traceHash());
    for (const [zone, store] of Object.entries(this.stores)) {
      for (const [key, { sha256 }] of [...store.objects].sort(([a], [b]) => (a < b ? -1 : 1)))
        hash.update(`${zone}/${key} ${sha256}\n`);
    }
    return hash.digest('hex');
  }

  /** An insurer's file, which may be there under that name already; its announcements come later, in whatever order. Gives the run's id. */
  async drop(name: string, bytes: Uint8Array, announcements = 1): Promise<string> {
    const key = `drops/${useCase}/${source}/${name}`;
    await this.stores.bronze.put(key, bytes);
    const { etag } = (await this.stores.bronze.head(key))!;
    const { version } = this.stores.bronze.objects.get(key)!;
    const object = { key, size: bytes.length, etag, sequencer: version.toString(16).padStart(16, '0') };
    const event: Event = {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: { bucket: { name: bronzeBucket }, object },
    };
    for (let i = 0; i < announcements; i++) this.announce(event);
    return dropRunId(object);
  }

  /** Puts the event on the bus, which delivers it when the seed says so, perhaps twice. */
  announce(event: Event): void {
    const started = matchers
      .filter(({ matches, starts }) => matches(event) && this.only.includes(starts))
      .map(({ starts }) => starts);
    const twice = this.scheduler.faults.lost > 0 && this.draw.uniform() < 0.2;
    for (let delivery = 0; delivery < (twice ? 2 : 1); delivery++) {
      this.later(`event ${event['detail-type']}`, async () => {
        for (const machine of started) this.start(machine, event.detail);
      });
    }
  }

  /** Has somebody do something when the seed says so. */
  later(name: string, work: (actor: Actor) => Promise<void>): void {
    const actor = this.scheduler.actor(name);
    void this.scheduler.point(actor, name).then(async () => {
      await Promise.race([work(actor), actor.death]).catch(() => undefined);
      this.scheduler.ended(actor);
    });
  }

  /** Starts an execution; it goes on by itself. */
  start(machine: MachineName, input: Json): void {
    const run: Run = { machine, input, status: 'RUNNING' };
    this.runs.push(run);
    this.#follow(
      run,
      execute(this.ground.machines[machine], input, {
        ...this.#options(run),
        stateMachineArn: stateMachineArn(machine),
      }),
    );
  }

  /** Goes on with an execution whose process died. */
  redrive(run: Run): void {
    run.status = 'RUNNING';
    this.#follow(run, redrive(structuredClone(run.execution!), this.#options(run)));
  }

  /** Ports as an actor has them: every call to a store waits for its turn. */
  portsOf(actor: Actor, stage?: StageName): Ports {
    const { scheduler } = this;
    const skewMs = this.#skewMs === 0 ? 0 : this.draw.integer(2 * this.#skewMs) - this.#skewMs;
    const clock = {
      nowMs: () => scheduler.clock.nowMs() + skewMs,
      sleep: (ms: number, signal?: AbortSignal) => scheduler.clock.sleep(ms, signal),
    };
    const gated = (zone: Zone | 'runtime'): ObjectStore => {
      const store = gatedStore(this.stores[zone], zone, actor, scheduler);
      return this.#mutant.store?.(store, { zone, stage, actor }) ?? store;
    };
    const stores = Object.fromEntries(zones.map((zone) => [zone, gated(zone)])) as { [zone in Zone]: ObjectStore };
    return {
      ...stores,
      catalogue: this.ground.catalogue,
      clock,
      ids: seededIds(this.seed, `actor ${actor.number}`),
      executions: { history: async (arn) => this.#histories.get(arn)?.history },
      keyRing: new FakeKeyRing(`${this.seed} ${actor.number}`),
      models: storedCatalogue(gated('runtime')),
      telemetry: { info: () => undefined, warn: () => undefined, measure: () => undefined },
      temporaryDirectory: this.ground.directory,
      codeVersion: 'c0de',
    };
  }

  /** Faults from now on. */
  set faults(faults: Faults) {
    this.scheduler.faults = faults;
  }

  #options(run: Run) {
    return {
      clock: this.scheduler.clock,
      ids: seededIds(this.seed, `run ${this.runs.indexOf(run)}`),
      random: () => 0.5,
      tasks: (call: TaskCall) => this.#task(call),
      onEvent: (event: { id: number }, _origin: unknown, execution: Execution) => {
        run.execution = execution;
        if (event.id === 1) this.#histories.set(execution.arn, execution);
      },
    };
  }

  #follow(run: Run, execution: Promise<Execution>): void {
    execution.then(
      ({ status, error }) => Object.assign(run, { status, error }),
      (error: Error) => Object.assign(run, { status: 'KILLED', error: error.name }),
    );
  }

  /** The one interceptor at the boundary of tasks. */
  async #task(call: TaskCall): Promise<Json> {
    const { scheduler } = this;
    const actor = scheduler.actor(call.stateName);
    const asked = await scheduler.point(actor, `task ${call.stateName}`, ['unavailable', 'crash before']);
    if (asked === 'crash before') return this.#interpreterDies(actor);
    if (asked === 'unavailable') {
      scheduler.ended(actor);
      throw new TaskError('Lambda.TooManyRequestsException', '{}');
    }
    const result = await this.#work(call, actor);
    const answered = await scheduler.point(actor, `answer ${call.stateName}`, ['lost', 'crash after']);
    if (answered === 'crash after') return this.#interpreterDies(actor);
    scheduler.ended(actor);
    if (answered === 'lost') throw new TaskError('Lambda.ServiceException', '{}');
    return result;
  }

  /** The process of the interpreter is gone: no state of the machine hears of it. */
  #interpreterDies(actor: Actor): Promise<never> {
    this.scheduler.ended(actor);
    throw new InterpreterDied('The simulation had it so.');
  }

  async #work(call: TaskCall, actor: Actor): Promise<Json> {
    if (call.resource === 'events:putEvents') return this.#putEvents(call);
    if (call.resource === 'sns:publish') return { MessageId: 'told' };
    const { FunctionName, Payload } = call.arguments as { FunctionName: string; Payload: Json };
    const name = FunctionName.slice(functionArn('').length) as StageName;
    const stage = this.#mutant.stage?.(name, stageFunctions[name]) ?? stageFunctions[name];
    try {
      const ports = this.portsOf(actor, name);
      this.#working.add(actor);
      const working = runStage(name, stage as never, Payload, ports).finally(() => this.#working.delete(actor));
      const done = await Promise.race([working, actor.death]);
      const output = name === 'Pin' ? inTwoPartitions(done as StageOutput<'Pin'>) : done;
      return { ExecutedVersion: '$LATEST', Payload: output as Json, StatusCode: 200 };
    } catch (error) {
      this.#working.delete(actor);
      this.scheduler.ended(actor);
      const { name: errorType, message } = error as Error;
      // what Lambda says of a function whose process exits
      const type = actor.dead ? 'Runtime.ExitError' : errorType;
      throw new TaskError(type, JSON.stringify({ errorType: type, errorMessage: message }));
    }
  }

  #putEvents({ arguments: given }: TaskCall): Json {
    const { Entries } = given as { Entries: { DetailType: string; Detail: { [key: string]: Json } }[] };
    for (const { DetailType, Detail } of Entries) {
      this.announce({ source: eventSource, 'detail-type': DetailType, detail: Detail });
    }
    return { Entries: Entries.map(() => ({ EventId: 'accepted' })), FailedEntryCount: 0 };
  }
}

/** A few rows are one partition; a run is to have two, as if there were many. */
function inTwoPartitions(pinned: StageOutput<'Pin'>): StageOutput<'Pin'> {
  return { ...pinned, partitions: pinned.partitions.flatMap(() => [0, 1].map((bucket) => ({ bucket, buckets: 2 }))) };
}

/** No state of a machine sees this one. */
class InterpreterDied extends Error {
  override name = 'InterpreterDied';
}

const matchers = rules.map(({ pattern, starts }) => ({
  starts,
  matches: compileEventPattern(JSON.parse(JSON.stringify(pattern).replaceAll('${bronzeBucket}', bronzeBucket)) as Json),
}));
