import type { SqlEngine } from '../../src/data/sql.ts';
import { parseActions } from '../../src/lake/actions.ts';
import { writeCheckpoint } from '../../src/lake/checkpoint.ts';
import { emptyState, replay, snapshotOf } from '../../src/lake/snapshot.ts';
import { deltaTable } from '../../src/lake/table.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import type { Ports } from '../../src/ports/stage-ports.ts';
import type { Stage } from '../../src/stages/stage.ts';
import type { StageInput, StageName, StageOutput, Zone } from '../../src/stages.ts';
import { seededIds } from './ids.ts';
import { readChain } from './ledger-reader.ts';
import type { Kind } from './play.ts';
import type { Actor } from './scheduler.ts';

type Place = { zone: Zone | 'runtime' | 'table'; stage?: StageName; actor: Actor; sql?: SqlEngine };
type AnyStage = (input: never, ports: Ports) => Promise<unknown>;

/** A deliberate bug: a port, a stage or a reader that does not keep its promise. */
export type Mutant = {
  store?: (store: ObjectStore, at: Place) => ObjectStore;
  stage?: (name: StageName, stage: AnyStage) => AnyStage;
  /** For the stories without stages: what is left out. */
  lease?: 'without fencing';
  promote?: 'without head check';
  reader?: 'follows the listing';
};

/** The bugs that the bench must find, each with the story that is to find it. */
export const mutants: { [name: string]: { kind: Kind; mutant: Mutant } } = {
  'plain put instead of put-if-absent': {
    kind: 'lake',
    mutant: {
      store: (store) =>
        changed(store, { putIfAbsent: async (key, bytes) => (await store.put(key, bytes), { created: true }) }),
    },
  },
  'put-if-absent that looks first and then puts': {
    kind: 'governance',
    mutant: {
      store: (store) =>
        changed(store, {
          async putIfAbsent(key, bytes) {
            if (await store.head(key)) return { created: false };
            await store.put(key, bytes);
            return { created: true };
          },
        }),
    },
  },
  '412 taken as success': {
    kind: 'lake',
    mutant: {
      store: (store) =>
        changed(store, { putIfAbsent: async (key, bytes) => (await store.putIfAbsent(key, bytes), { created: true }) }),
    },
  },
  '503 taken as success': {
    kind: 'lake',
    mutant: {
      store: (store) =>
        changed(store, {
          putIfAbsent: (key, bytes) => store.putIfAbsent(key, bytes).catch(() => ({ created: true })),
        }),
    },
  },
  'lost acknowledgement tried again as the next version': {
    kind: 'lake',
    mutant: {
      store: (store) =>
        changed(store, {
          async putIfAbsent(key, bytes) {
            try {
              return await store.putIfAbsent(key, bytes);
            } catch (error) {
              const next = nextVersion(key);
              if (next === undefined) throw error;
              return store.putIfAbsent(next, bytes);
            }
          },
        }),
    },
  },
  'objects written in two halves': {
    kind: 'lake',
    mutant: { store: inHalves },
  },
  'no transaction in the commit of a drop': {
    kind: 'lake',
    mutant: {
      store: (store) =>
        changed(store, {
          putIfAbsent: (key, bytes) => store.putIfAbsent(key, isCommit(key) ? withoutTxn(bytes) : bytes),
        }),
    },
  },
  'commit before its data': {
    kind: 'lake',
    mutant: { store: (store) => behind(store, (key) => /part-[0-9a-f]{64}/.test(key), isCommit) },
  },
  'vacuum that looks at no age': {
    kind: 'lake',
    mutant: {
      store: (store) =>
        changed(store, {
          async *list(prefix, options) {
            for await (const info of store.list(prefix, options)) yield { ...info, lastModifiedMs: 0 };
          },
        }),
    },
  },
  'checkpoint before its commit': { kind: 'checkpoint', mutant: { store: checkpointFirst } },
  'lease without fencing': { kind: 'governance', mutant: { lease: 'without fencing' } },
  'promotion without a look at the head': { kind: 'governance', mutant: { promote: 'without head check' } },
  'manifest before the files of the version': {
    kind: 'governance',
    mutant: {
      store: (store) =>
        behind(
          store,
          (key) => /\/(model|card)\.\w+$/.test(key),
          (key) => key.endsWith('/manifest.json'),
        ),
    },
  },
  'stage Promote that takes whatever head there is': { kind: 'promotion', mutant: { stage: promoteOnAnyHead } },
  'reader that follows the listing': { kind: 'ingest', mutant: { reader: 'follows the listing' } },
  'silver before quarantine': { kind: 'ingest', mutant: { stage: silverFirst } },
  'receipt for each attempt': {
    kind: 'ingest',
    mutant: {
      store: (store, { zone, actor }) =>
        zone !== 'reports'
          ? store
          : changed(store, {
              put: (key, bytes) => store.put(key.replace(/receipt\.json$/, `receipt-${actor.number}.json`), bytes),
            }),
    },
  },
  'drops known by their key alone': { kind: 'ingest', mutant: { stage: knownByKey() } },
  'content that came back taken for a mere repeat': {
    kind: 'ingest',
    mutant: {
      store: (store) =>
        changed(store, {
          putIfAbsent: (key, bytes) => store.putIfAbsent(key, isCommit(key) ? withoutDeliveries(bytes) : bytes),
        }),
    },
  },
  'scoring with whoever is champion now': { kind: 'score', mutant: { stage: scoreWithChampion } },
  'each bucket of features appended by itself': { kind: 'ingest', mutant: { stage: appendEach } },
  'each partition published by itself': { kind: 'score', mutant: { stage: publishEach } },
};

function changed(store: ObjectStore, changes: Partial<ObjectStore>): ObjectStore {
  return {
    get: (key) => store.get(key),
    head: (key) => store.head(key),
    put: (key, bytes) => store.put(key, bytes),
    putIfAbsent: (key, bytes) => store.putIfAbsent(key, bytes),
    list: (prefix, options) => store.list(prefix, options),
    delete: (key) => store.delete(key),
    localCopy: (key, expect) => store.localCopy(key, expect),
    ...changes,
  };
}

const isCommit = (key: string) => /_delta_log\/\d{20}\.json$/.test(key);

/** The key of the version behind that of a commit. */
function nextVersion(key: string): string | undefined {
  return isCommit(key) ? key.replace(/\d{20}/, (version) => String(Number(version) + 1).padStart(20, '0')) : undefined;
}

function inHalves(store: ObjectStore): ObjectStore {
  const half = (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1);
  return changed(store, {
    async put(key, bytes) {
      await store.put(key, half(bytes));
      await store.put(key, bytes);
    },
    async putIfAbsent(key, bytes) {
      const { created } = await store.putIfAbsent(key, half(bytes));
      if (created) await store.put(key, bytes);
      return { created };
    },
  });
}

const withoutTxn = (bytes: Uint8Array) => withoutLines(bytes, (line) => line.startsWith('{"txn"'));

/** A commit that brings no rows does not tell which delivery it was for. */
function withoutDeliveries(bytes: Uint8Array): Uint8Array {
  const isDelivery = (line: string) => line.startsWith('{"txn":{"appId":"delivery:');
  return new TextDecoder().decode(bytes).includes('{"add"') ? bytes : withoutLines(bytes, isDelivery);
}

function withoutLines(bytes: Uint8Array, leaveOut: (line: string) => boolean): Uint8Array {
  const lines = new TextDecoder().decode(bytes).split('\n');
  return new TextEncoder().encode(lines.filter((line) => !leaveOut(line)).join('\n'));
}

/** Holds some writes back until another one has been made. */
function behind(store: ObjectStore, held: (key: string) => boolean, until: (key: string) => boolean): ObjectStore {
  const waiting = new Map<string, Uint8Array>();
  const release = async () => {
    for (const [key, bytes] of waiting) await store.put(key, bytes);
    waiting.clear();
  };
  return changed(store, {
    get: async (key) => waiting.get(key) ?? store.get(key),
    async put(key, bytes) {
      if (held(key)) waiting.set(key, bytes);
      else await store.put(key, bytes);
    },
    async putIfAbsent(key, bytes) {
      if (held(key)) {
        const there = waiting.has(key) || (await store.head(key)) !== undefined;
        if (!there) waiting.set(key, bytes);
        return { created: !there };
      }
      const result = await store.putIfAbsent(key, bytes);
      if (until(key)) await release();
      return result;
    },
  });
}

/** Writes the checkpoint that is due with a commit before the commit itself. */
function checkpointFirst(store: ObjectStore, { sql }: Place): ObjectStore {
  return changed(store, {
    async putIfAbsent(key, bytes) {
      const [, path, digits] = /^(.*)\/_delta_log\/(\d{20})\.json$/.exec(key) ?? [];
      const version = Number(digits);
      if (sql && path !== undefined && version > 0 && version % 2 === 0) {
        const clock = { nowMs: () => 0, sleep: async () => undefined };
        const latest = await deltaTable(store, path, { clock, ids: seededIds('mutant', key), sql }).latest();
        const state = replay(latest ?? emptyState, parseActions(bytes, path, key));
        await writeCheckpoint(sql, snapshotOf({ store, path }, state, { version, timestampMs: 0 }), 0);
      }
      return store.putIfAbsent(key, bytes);
    },
  });
}

function promoteOnAnyHead(name: StageName, stage: AnyStage): AnyStage {
  if (name !== 'Promote') return stage;
  return async (input: StageInput<'Promote'>, ports) => {
    const entries: { hash: string; kind: string; alias: string | null }[] = [];
    for await (const { key } of ports.registry.list(`promotions/${input.useCase}/`)) {
      entries.push(JSON.parse(new TextDecoder().decode(await ports.registry.get(key))) as (typeof entries)[number]);
    }
    const moves = entries.filter(
      ({ kind, alias }) => alias === 'champion' && (kind === 'promote' || kind === 'rollback'),
    );
    const expectedHead = moves.at(-1)?.hash ?? '0'.repeat(64);
    return (stage as Stage<'Promote'>)({ ...input, expectedHead }, ports);
  };
}

/** Holds the commit of the quarantine back until silver has its rows. */
function silverFirst(name: StageName, stage: AnyStage): AnyStage {
  if (name !== 'Validate') return stage;
  return async (input: StageInput<'Validate'>, ports) => {
    let late: (() => Promise<unknown>) | undefined;
    const bronze = changed(ports.bronze, {
      async putIfAbsent(key, bytes) {
        if (!isCommit(key) || !key.startsWith('quarantine/')) return ports.bronze.putIfAbsent(key, bytes);
        late = () => ports.bronze.putIfAbsent(key, bytes);
        return { created: true };
      },
    });
    const output = await (stage as Stage<'Validate'>)(input, { ...ports, bronze });
    await late?.();
    return output;
  };
}

function knownByKey(): NonNullable<Mutant['stage']> {
  const known = new WeakMap<Ports['catalogue'], Map<string, unknown>>();
  return (name, stage) => {
    if (name !== 'Validate') return stage;
    return async (input: StageInput<'Validate'>, ports) => {
      const outputs = known.get(ports.catalogue) ?? new Map<string, unknown>();
      known.set(ports.catalogue, outputs);
      const done = outputs.get(input.key) ?? (await (stage as Stage<'Validate'>)(input, ports));
      outputs.set(input.key, done);
      return { ...(done as StageOutput<'Validate'>), runId: input.runId };
    };
  };
}

function scoreWithChampion(name: StageName, stage: AnyStage): AnyStage {
  if (name !== 'Score') return stage;
  return async (input: StageInput<'Score'>, ports) => {
    const objects = new Map<string, never>();
    for await (const { key } of ports.registry.list(`promotions/${input.useCase}/`)) {
      objects.set(key, { bytes: await ports.registry.get(key) } as never);
    }
    const version = readChain(objects, input.useCase).findLast(({ kind }) => kind === 'promote')!.version;
    const manifest = `versions/${input.useCase}/${String(version).padStart(4, '0')}/manifest.json`;
    const { digest } = JSON.parse(new TextDecoder().decode(await ports.registry.get(manifest))) as { digest: string };
    return (stage as Stage<'Score'>)({ ...input, pin: { ...input.pin, version, modelDigest: digest } }, ports);
  };
}

function appendEach(name: StageName, stage: AnyStage): AnyStage {
  if (name !== 'Append') return stage;
  return async (input: StageInput<'Append'>, ports) => {
    let output = await (stage as Stage<'Append'>)({ ...input, parts: input.parts.slice(0, 1) }, ports);
    for (const part of input.parts.slice(1))
      output = await (stage as Stage<'Append'>)({ ...input, parts: [part] }, ports);
    return output;
  };
}

function publishEach(name: StageName, stage: AnyStage): AnyStage {
  if (name !== 'Publish') return stage;
  return async (input: StageInput<'Publish'>, ports) => {
    let output: unknown;
    for (const part of input.parts) output = await (stage as Stage<'Publish'>)({ ...input, parts: [part] }, ports);
    return output;
  };
}
