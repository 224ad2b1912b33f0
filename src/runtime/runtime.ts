/**
 * The whole product in one process: an object store of directories, a bus in memory and on disk, the deployed state machines
 * interpreted, their functions bound by name. What AWS does between the stages is done here; the stages are the same.
 */
import { createHash } from 'node:crypto';
import { readdir, rm, stat, utimes } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { codeVersion } from '../adapters/embedded/code-version.ts';
import { DirectoryStore } from '../adapters/embedded/directory-store.ts';
import { executionKey, storedExecutions } from '../adapters/embedded/stored-executions.ts';
import { SystemClock } from '../adapters/embedded/system-clock.ts';
import { execute } from '../asl/executor.ts';
import { type Machine, parseMachine } from '../asl/machine.ts';
import type { Json } from '../data/json.ts';
import type { Clock } from '../ports/clock.ts';
import type { SurrogateSource } from '../ports/ids.ts';
import type { RecordedEvent } from '../ports/executions.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { type MachineName, machineNames } from '../stages.ts';
import { dropRunId, rules, schedulesOf, useCaseOfEvent } from '../triggers.ts';
import { compileEventPattern } from './event-pattern.ts';
import { type Envelope, EventQueue } from './event-queue.ts';
import { type TaskWatch, taskRunner } from './integrations.ts';
import { bronzeBucket, machineDefinitions, stateMachineArn } from './machines.ts';
import { type PortsRecipe, openPorts } from './ports.ts';
import { type Progress, progressOf } from './progress.ts';
import { type Firing, firingsBetween } from './schedules.ts';
import { Turnstile } from './turnstile.ts';
import { Workers } from './workers.ts';

export type RuntimeOptions = {
  /** Where the state lies; made where it is missing. */
  directory: string;
  /** The folder of use cases. */
  useCases: string;
  /** @default - the machine's own */
  clock?: Clock;
  /** Delivers and schedules what concerns this use case alone; others may deliver the rest meanwhile. @default - everything */
  useCase?: string;
  /** Where surrogates come from, when the data are synthetic and a run is to be the same on every machine. @default - random */
  surrogates?: SurrogateSource;
  /** @default - nobody looks on */
  onProgress?: (progress: Progress) => void;
  /** Threads for heavy stages, and how many of the others run at once. @default - one for each core, at most four */
  threads?: number;
};

export type Drop = { useCase: string; source: string; fileName: string; bytes: Uint8Array };

/** What became of one execution. */
export type Ended = {
  machine: MachineName;
  executionArn: string;
  status: string;
  output: Json | undefined;
  error: string | undefined;
  cause: string | undefined;
  /** The events that it announced. */
  announced: readonly string[];
  /** Why it refused something or asks for something, in the words of those events. */
  reasons: readonly string[];
  /** What its stages failed with, those tried again and those inside a Map too. */
  failures: readonly string[];
  /** The key of the page that it wrote, in the reports zone. */
  report: string | undefined;
};

export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  const directory = resolve(options.directory);
  const recipe = { directory, useCases: options.useCases, codeVersion: await codeVersion(options.useCases) };
  const definitions = await machineDefinitions();
  const machines = Object.fromEntries(machineNames.map((name) => [name, parseMachine(definitions[name])]));
  return new Runtime(options, recipe, await openPorts(recipe), machines as { [Name in MachineName]: Machine });
}

export class Runtime {
  readonly ports: Ports;
  readonly queue: EventQueue;
  readonly #machines: { [Name in MachineName]: Machine };
  readonly #directory: string;
  /** The runtime's own state: waiting events, records of executions. */
  readonly store: DirectoryStore;
  readonly #workers: Workers;
  /** The partitions of a Map share one machine's memory here. */
  readonly #turnstile: Turnstile;
  readonly #running = new Map<string, readonly RecordedEvent[]>();
  readonly #onProgress: (progress: Progress) => void;
  readonly #useCase: string | undefined;

  constructor(
    options: RuntimeOptions,
    recipe: PortsRecipe,
    ports: Ports,
    machines: { [Name in MachineName]: Machine },
  ) {
    this.#directory = recipe.directory;
    this.store = new DirectoryStore(join(recipe.directory, 'runtime'));
    this.ports = {
      ...ports,
      clock: options.clock ?? new SystemClock(),
      ...(options.surrogates && { surrogates: options.surrogates }),
      executions: storedExecutions(this.store, this.#running),
    };
    this.queue = new EventQueue(this.store);
    this.#machines = machines;
    const threads = options.threads ?? Math.min(4, availableParallelism());
    this.#workers = new Workers(threads, recipe);
    this.#turnstile = new Turnstile(threads);
    this.#onProgress = options.onProgress ?? (() => undefined);
    this.#useCase = options.useCase;
  }

  /**
   * Puts a file where insurers drop theirs, and lets the store announce it. Deliver to have it ingested. A file that is there
   * already is the same drop again; another one of its name gets a part of its SHA-256 into the name, so that both stay.
   */
  async drop(drop: Drop): Promise<{ key: string; runId: string }> {
    const { bronze, clock } = this.ports;
    const named = dropKey(drop);
    const there = await bronze.get(named);
    const key = there && digestOf(there) !== digestOf(drop.bytes) ? dropKey(drop, digestOf(drop.bytes)) : named;
    const { created } = await bronze.putIfAbsent(key, drop.bytes);
    if (created) {
      // the file arrives when the runtime's clock says so, which need not be the machine's
      const arrived = new Date(clock.nowMs());
      await utimes(join(this.#directory, 'bronze', key), arrived, arrived);
    }
    const etag = (await bronze.head(key))?.etag ?? '';
    // of two contents of one key the later one has the later change time, which nobody can set; what was there before is announced
    // as a sweep would find it, for a copied or restored directory has other change times
    const { ctimeNs } = await stat(join(this.#directory, 'bronze', key), { bigint: true });
    const sequencer = created ? ctimeNs.toString(16).padStart(16, '0') : '';
    const object = { key, size: drop.bytes.length, etag, ...(sequencer && { sequencer }) };
    await this.queue.add({
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: { bucket: { name: bronzeBucket }, object },
    });
    return { key, runId: dropRunId(object) };
  }

  /**
   * Delivers every waiting event, and what those cause, until none is left: one machine after the other. What could not be
   * delivered, here or by processes that ended in it, is put aside among the dead letters after its third time.
   */
  async deliver(): Promise<Ended[]> {
    const ended: Ended[] = [];
    for (;;) {
      const queued = await this.queue.first((envelope) => this.#isMine(useCaseOfEvent(envelope.detail)));
      if (!queued) return ended;
      const { envelope } = queued;
      if (!(await this.queue.begin(queued))) {
        this.#onProgress({ kind: 'undelivered', detailType: envelope['detail-type'], tries: queued.tries });
        continue;
      }
      const starts = this.#matching(envelope);
      this.#onProgress({ kind: 'event', detailType: envelope['detail-type'], starts });
      try {
        for (const machine of starts) ended.push(await this.start(machine, envelope.detail));
      } catch (error) {
        await this.queue.failed(queued, error as Error);
        throw error;
      }
      await this.queue.done(queued);
    }
  }

  /** Lets the schedules fire that are due in (fromMs, toMs], each at its time, and delivers what they cause. */
  async runSchedules(fromMs: number, toMs: number, setClock: (nowMs: number) => void): Promise<Ended[]> {
    const schedules = this.ports.catalogue.useCases
      .filter(({ declaration }) => this.#isMine(declaration.id))
      .flatMap(({ declaration }) => schedulesOf(declaration));
    const ended: Ended[] = [];
    for (const { schedule, scheduledMs } of withoutEarlierSweeps(firingsBetween(schedules, fromMs, toMs))) {
      setClock(scheduledMs);
      this.#onProgress({ kind: 'schedule', name: schedule.name, scheduledMs });
      ended.push(
        await this.start(schedule.starts, { ...schedule.input, scheduledTime: new Date(scheduledMs).toISOString() }),
        ...(await this.deliver()),
      );
    }
    return ended;
  }

  /** Runs one execution of a machine to its end and keeps its record. */
  async start(machine: MachineName, input: Json): Promise<Ended> {
    const { clock, ids } = this.ports;
    const watch: TaskWatch = { announced: [], reasons: [], failures: [], report: undefined };
    const startedMs = clock.nowMs();
    const execution = await execute(this.#machines[machine], input, {
      stateMachineArn: stateMachineArn(machine),
      clock,
      ids,
      random: Math.random,
      tasks: taskRunner(
        { ports: this.ports, queue: this.queue, workers: this.#workers, turnstile: this.#turnstile },
        watch,
      ),
      onEvent: progressOf(machine, this.#onProgress, (live) => this.#running.set(live.arn, live.history)),
    });
    await this.store.put(executionKey(execution.arn), new TextEncoder().encode(JSON.stringify(execution)));
    this.#running.delete(execution.arn);
    const { arn: executionArn, status, output, error, cause } = execution;
    this.#onProgress({
      kind: 'machine-ended',
      machine,
      status,
      milliseconds: clock.nowMs() - startedMs,
      ...(error !== undefined && { error }),
    });
    return { machine, executionArn, status, output, error, cause, ...watch };
  }

  async close(): Promise<void> {
    await this.#workers.close();
    await removeLeftovers(this.ports.temporaryDirectory);
  }

  #isMine(useCase: string | undefined): boolean {
    return this.#useCase === undefined || useCase === this.#useCase;
  }

  #matching(envelope: Envelope): MachineName[] {
    return matchers.filter(({ matches }) => matches(envelope)).map(({ starts }) => starts);
  }
}

const matchers = rules.map(({ pattern, starts }) => ({
  starts,
  matches: compileEventPattern(JSON.parse(JSON.stringify(pattern).replaceAll('${bronzeBucket}', bronzeBucket)) as Json),
}));

/** Of the sweeps of a use case the last one finds all that those before it would have. */
function withoutEarlierSweeps(firings: readonly Firing[]): Firing[] {
  return firings.filter(
    ({ schedule }, i) =>
      schedule.starts !== 'sweep' || !firings.slice(i + 1).some((later) => later.schedule === schedule),
  );
}

/** Removes what killed processes have left behind; what is younger than a day may belong to one that works just now. */
async function removeLeftovers(directory: string): Promise<void> {
  const yesterdayMs = new SystemClock().nowMs() - 86_400_000;
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    const modifiedMs = (await stat(path).catch(() => undefined))?.mtimeMs ?? Infinity;
    if (modifiedMs < yesterdayMs) await rm(path, { recursive: true, force: true });
  }
}

/** `policies.csv`, or with a digest `policies-1f2e3d4c.csv`. */
function dropKey({ useCase, source, fileName }: Drop, digest?: string): string {
  const name = digest ? fileName.replace(/(\.[^.]*)?$/, `-${digest.slice(0, 8)}$1`) : fileName;
  return `drops/${useCase}/${source}/${name}`;
}

const digestOf = (content: Uint8Array | string) => createHash('sha256').update(content).digest('hex');
