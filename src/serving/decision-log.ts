import type { ObjectStore } from '../ports/object-store.ts';
import type { Ids } from '../ports/ids.ts';
import type { Arm } from '../governance/experiment.ts';
import type { OutcomeCode } from './codes.ts';
import type { Decided } from './decider.ts';

/** A decision as it is remembered, until its truth is known. */
export type LoggedDecision = {
  key: string;
  atMs: number;
  code: OutcomeCode;
  action: string;
  probability: number | null;
  arm: Arm | null;
  version: number | null;
  shadow: { version: number; probability: number } | null;
};

/**
 * What was decided, version by version: parts of JSON lines, each written once and never again. Keys identify people, so the log
 * lies in the PHI zone as `decisions/<use case>/<day>/<id>.jsonl`.
 */
export class DecisionLog {
  readonly #ports: { bronze: ObjectStore; ids: Ids };
  readonly #useCase: string;
  readonly #partRows: number;
  #waiting: string[] = [];
  #day = '';
  #writing: Promise<void> = Promise.resolve();

  constructor(
    ports: { bronze: ObjectStore; ids: Ids },
    useCase: string,
    { partRows = 1000 }: { partRows?: number } = {},
  ) {
    this.#ports = ports;
    this.#useCase = useCase;
    this.#partRows = partRows;
  }

  /** Remembers decisions that have a key. A full part is written behind the caller's back; `flush` writes what waits. */
  add(decided: readonly Decided[], nowMs: number): void {
    this.#day = new Date(nowMs).toISOString().slice(0, 10);
    for (const { key, code, action, probability, tag, shadow } of decided) {
      if (key === '') continue;
      const [arm, version] = tag === null ? [null, null] : [tag.split(':')[0] as Arm, Number(tag.split(':')[1])];
      const logged: LoggedDecision = { key, atMs: nowMs, code, action, probability, arm, version, shadow };
      this.#waiting.push(JSON.stringify(logged));
    }
    if (this.#waiting.length >= this.#partRows) void this.flush().catch(() => undefined);
  }

  /** Resolves when everything is stored. What could not be stored waits for the next time; throws what the store throws. */
  flush(): Promise<void> {
    const write = async () => {
      if (this.#waiting.length === 0) return;
      const lines = this.#waiting;
      this.#waiting = [];
      const key = `${decisionsPath(this.#useCase)}/${this.#day}/${this.#ports.ids.next()}.jsonl`;
      try {
        await this.#ports.bronze.putIfAbsent(key, new TextEncoder().encode(`${lines.join('\n')}\n`));
      } catch (error) {
        this.#waiting.unshift(...lines);
        throw error;
      }
    };
    this.#writing = this.#writing.catch(() => undefined).then(write);
    return this.#writing;
  }
}

/** Every decision of a use case, by the day and then as the parts lie. */
export async function* loggedDecisions(bronze: ObjectStore, useCase: string): AsyncGenerator<LoggedDecision> {
  for await (const { key } of bronze.list(`${decisionsPath(useCase)}/`)) {
    const bytes = await bronze.get(key);
    if (!bytes) continue;
    for (const line of new TextDecoder().decode(bytes).split('\n')) {
      if (line !== '') yield JSON.parse(line) as LoggedDecision;
    }
  }
}

/** Takes every decision about a key out of the log, for an erasure; gives how many there were. Doing it twice changes nothing. */
export async function forgetDecisions(bronze: ObjectStore, useCase: string, key: string): Promise<number> {
  let forgotten = 0;
  for await (const part of bronze.list(`${decisionsPath(useCase)}/`)) {
    const bytes = await bronze.get(part.key);
    const lines = new TextDecoder().decode(bytes).split('\n');
    const kept = lines.filter((line) => line === '' || (JSON.parse(line) as LoggedDecision).key !== key);
    if (kept.length === lines.length) continue;
    forgotten += lines.length - kept.length;
    await bronze.put(part.key, new TextEncoder().encode(kept.join('\n')));
  }
  return forgotten;
}

const decisionsPath = (useCase: string): string => `decisions/${useCase}`;
