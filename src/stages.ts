/**
 * The way of the data, on one page: every stage in its order, what it takes, what it gives, and what it needs to run.
 *
 * One word per step: the stage `Validate` is the Task state `Validate`, the function `src/stages/validate.ts`, the handler
 * `lambdas/validate.ts` and the substitution `${validateArn}`. The deployed functions, their permissions, the embedded runtime
 * and the repository's own tests all read this list.
 *
 * Stages pass keys and counts, never rows: a state's payload is limited to 256 KiB and is written to histories.
 */
import * as z from 'zod';

/** The buckets of a deployment; directories of the same name and layout on a laptop. */
export const zones = ['bronze', 'silver', 'gold', 'registry', 'reports'] as const;
export type Zone = (typeof zones)[number];

/** A kind of thing in a zone: the first segment of its keys, so that a permission is one prefix. */
export type Place =
  | 'bronze/drops'
  | 'bronze/quarantine'
  | 'bronze/vault'
  | 'bronze/decisions'
  | 'silver/tables'
  | 'gold/features'
  | 'gold/predictions'
  | 'gold/shadows'
  | 'gold/drift'
  | 'gold/recommendations'
  | 'gold/exports'
  | 'registry/snapshots'
  | 'registry/versions'
  | 'registry/cards'
  | 'registry/promotions'
  | 'registry/leases'
  | 'reports/facts'
  | 'reports/pages';

export const machineNames = ['ingest', 'train', 'govern', 'score', 'monitor', 'sweep'] as const;
export type MachineName = (typeof machineNames)[number];

const useCase = z.string().min(1);
const runId = z.string().min(1);
const version = z.int().positive();
const count = z.int().nonnegative();
const run = { useCase, runId };

/** A model to try: the declaration's model kind with one point of its search space. */
export const candidate = z.strictObject({
  id: z.string(),
  kind: z.enum(['random-forest', 'gradient-boosting', 'glm', 'dense']),
  parameters: z.record(z.string(), z.json()),
  /** The declared view that it is tried in. @default - the features alone */
  view: z.string().optional(),
});
export type Candidate = z.infer<typeof candidate>;

/** Where the frozen training and test sets of one run lie, and what they are made of. */
const snapshot = z.strictObject({
  key: z.string(),
  dataVersion: count,
  digest: z.string(),
  trainRows: count,
  testRows: count,
});

/** Of a table; -1 while there is none. */
const tableVersion = z.int().gte(-1);

/** What a building of features reads, and upon what it builds: what arrives meanwhile is for the next one. */
const plan = z.strictObject({
  /** Of the silver table of each source. */
  silver: z.record(z.string(), tableVersion),
  /** Of the feature table. */
  dataVersion: tableVersion,
  /** When the rows are said to have been built, in all parts alike. */
  builtAtMs: z.number(),
  /** Whether every source that is not optional has delivered. */
  complete: z.boolean(),
});

/** A pinned model: what a scoring run uses from its first state to its last, whatever is promoted meanwhile. */
const pin = z.strictObject({
  version,
  modelDigest: z.string(),
  dataVersion: count,
  /** Of a version in shadow, with the champion that it is compared with. @default - it is the champion */
  shadow: z.strictObject({ champion: version.nullable() }).optional(),
});

/** One share of a run: the rows whose entity key falls into `bucket` of `buckets`. */
const partition = z.strictObject({ bucket: count, buckets: z.int().positive() });
export type Partition = z.infer<typeof partition>;

/** What a step leaves of its partition for the one that commits all of them. */
const part = z.strictObject({ key: z.string(), rows: count, sizeBytes: count });
export type Part = z.infer<typeof part>;

const stage = <Input extends z.ZodType, Output extends z.ZodType>(declaration: {
  /** The machines in which it stands as a Task state. */
  machines: readonly MachineName[];
  input: Input;
  output: Output;
  /** What it may read and write: the function's permissions are exactly these. */
  reads: readonly Place[];
  writes: readonly Place[];
  /** Of which it may know what is there, but not what it says. @default - only what it reads */
  lists?: readonly Place[];
  memoryMb: number;
  timeoutSeconds: number;
  /** Runs in a worker thread on a laptop, so that two of them use two cores. */
  heavy?: true;
}) => declaration;

export const stages = {
  Validate: stage({
    machines: ['ingest'],
    input: z.strictObject({
      runId,
      key: z.string(),
      etag: z.string(),
      /** Of the event; empty where a sweep found the file. */
      sequencer: z.string().optional(),
    }),
    output: z.strictObject({
      ...run,
      source: z.string(),
      /** `waiting`: its manifest names files that have not come yet. `repeated`: another drop brought the same content.
       * `renewed`: so it did, but others came in between, and its rows hold again.
       * `superseded`: the object has been replaced since it was announced. */
      status: z.enum(['accepted', 'halted', 'rejected', 'waiting', 'repeated', 'renewed', 'superseded']),
      reason: z.string(),
      rows: z.strictObject({ dropped: count, accepted: count, quarantined: count, rejected: count }),
      silverVersion: tableVersion,
    }),
    reads: ['bronze/drops', 'bronze/quarantine', 'bronze/vault', 'silver/tables'],
    writes: ['bronze/quarantine', 'bronze/vault', 'silver/tables', 'reports/facts'],
    memoryMb: 3008,
    timeoutSeconds: 900,
  }),
  Plan: stage({
    machines: ['ingest'],
    input: z.strictObject(run),
    output: z.strictObject({
      ...run,
      plan,
      /** None where there is nothing to build: a source has not delivered, or the drop's features are there. */
      partitions: z.array(partition),
    }),
    reads: ['silver/tables', 'gold/features'],
    writes: [],
    memoryMb: 1769,
    timeoutSeconds: 300,
  }),
  Features: stage({
    machines: ['ingest'],
    input: z.strictObject({ ...run, plan, partition }),
    output: part,
    reads: ['silver/tables', 'gold/features'],
    writes: ['gold/features'],
    memoryMb: 3008,
    timeoutSeconds: 900,
  }),
  Append: stage({
    machines: ['ingest'],
    input: z.strictObject({ ...run, plan, parts: z.array(part) }),
    output: z.strictObject({
      ...run,
      rows: count,
      dataVersion: count,
      hasChampion: z.boolean(),
      complete: z.boolean(),
    }),
    reads: ['silver/tables', 'gold/features', 'registry/promotions'],
    writes: ['gold/features'],
    memoryMb: 1769,
    timeoutSeconds: 300,
  }),
  Snapshot: stage({
    machines: ['train'],
    input: z.strictObject({ ...run, cause: z.enum(['first-data', 'schedule', 'drift', 'manual']) }),
    output: z.strictObject({
      ...run,
      status: z.enum(['ready', 'busy']),
      reason: z.string(),
      snapshot: snapshot.optional(),
      candidates: z.array(candidate),
    }),
    reads: [
      'silver/tables',
      'gold/features',
      'gold/recommendations',
      'registry/leases',
      'registry/versions',
      'registry/promotions',
    ],
    writes: ['registry/snapshots', 'registry/leases'],
    memoryMb: 3008,
    timeoutSeconds: 900,
  }),
  Tune: stage({
    machines: ['train'],
    input: z.strictObject({ ...run, snapshot, candidate }),
    output: z.strictObject({ candidateId: z.string(), metric: z.string(), mean: z.number(), key: z.string() }),
    reads: ['registry/snapshots'],
    writes: ['registry/snapshots'],
    memoryMb: 3008,
    timeoutSeconds: 900,
    heavy: true,
  }),
  Train: stage({
    machines: ['train'],
    input: z.strictObject({
      ...run,
      snapshot,
      candidates: z.array(candidate),
      tuned: z.array(
        z.strictObject({ candidateId: z.string(), metric: z.string(), mean: z.number(), key: z.string() }),
      ),
    }),
    output: z.strictObject({ ...run, candidateId: z.string(), algorithm: z.string(), key: z.string() }),
    reads: ['registry/snapshots'],
    writes: ['registry/snapshots', 'reports/facts'],
    memoryMb: 3008,
    timeoutSeconds: 900,
    heavy: true,
  }),
  Evaluate: stage({
    machines: ['train'],
    input: z.strictObject({ ...run, snapshot, key: z.string() }),
    output: z.strictObject({ ...run, version }),
    reads: ['registry/snapshots', 'registry/versions', 'registry/leases'],
    writes: ['registry/versions', 'reports/facts'],
    memoryMb: 3008,
    timeoutSeconds: 900,
    heavy: true,
  }),
  Govern: stage({
    machines: ['govern'],
    input: z.strictObject({
      ...run,
      version,
      /** Where what was seen of the version in shadow is written down. @default - it has not been in shadow */
      evidence: z.string().nullish(),
    }),
    output: z.strictObject({
      ...run,
      version,
      promote: z.boolean(),
      /** What it is promoted to, or refused as. */
      alias: z.enum(['champion', 'shadow']),
      decisionId: z.string(),
      reason: z.string(),
      /** The head of the promotion log that the decision was made on; `Promote` refuses to act on another. */
      expectedHead: z.string(),
      /** Of the criteria of the comparison; null where there was no champion to compare with. */
      criteriaHash: z.string().nullable(),
    }),
    reads: ['gold/shadows', 'registry/snapshots', 'registry/versions', 'registry/promotions'],
    writes: ['registry/cards', 'registry/promotions', 'reports/facts'],
    memoryMb: 1769,
    timeoutSeconds: 300,
  }),
  Promote: stage({
    machines: ['govern'],
    input: z.strictObject({
      ...run,
      version,
      alias: z.enum(['champion', 'shadow']),
      decisionId: z.string(),
      reason: z.string(),
      expectedHead: z.string(),
      criteriaHash: z.string().nullable(),
    }),
    output: z.strictObject({
      ...run,
      version,
      alias: z.enum(['champion', 'shadow']),
      previous: version.nullable(),
      /** The run to which the scoring that follows belongs. */
      scoreRunId: z.string(),
    }),
    reads: ['registry/versions', 'registry/promotions', 'reports/facts'],
    writes: ['registry/promotions'],
    memoryMb: 512,
    timeoutSeconds: 60,
  }),
  Pin: stage({
    machines: ['score'],
    input: z.strictObject({ ...run, cause: z.enum(['promotion', 'shadow', 'schedule', 'manual']) }),
    output: z.strictObject({
      ...run,
      status: z.enum(['ready', 'idle']),
      reason: z.string(),
      pin: pin.optional(),
      batches: z.array(z.string()),
      partitions: z.array(partition),
      /** Whether, after the champion, a version in shadow is to be pinned. */
      hasShadow: z.boolean(),
    }),
    reads: [
      'gold/features',
      'gold/predictions',
      'gold/shadows',
      'registry/versions',
      'registry/promotions',
      'reports/facts',
    ],
    writes: ['reports/facts'],
    memoryMb: 1769,
    timeoutSeconds: 300,
  }),
  Score: stage({
    machines: ['score'],
    input: z.strictObject({ ...run, pin, batches: z.array(z.string()), partition }),
    output: part,
    reads: ['gold/features', 'gold/predictions', 'gold/shadows', 'registry/versions'],
    writes: ['gold/predictions', 'gold/shadows'],
    memoryMb: 3008,
    timeoutSeconds: 900,
  }),
  Publish: stage({
    machines: ['score'],
    input: z.strictObject({ ...run, pin, batches: z.array(z.string()), parts: z.array(part) }),
    output: z.strictObject({
      ...run,
      version,
      rows: count,
      predictionsVersion: count,
      /** Whether the use case has a contact policy, which `Recommend` applies to the scores. */
      recommends: z.boolean(),
      /** Where what was seen of a version in shadow is written down, once it is enough. */
      evidence: z.string().optional(),
    }),
    reads: ['gold/predictions', 'gold/shadows', 'registry/versions'],
    writes: ['gold/predictions', 'gold/shadows', 'reports/facts'],
    memoryMb: 1769,
    timeoutSeconds: 300,
  }),
  Recommend: stage({
    machines: ['score'],
    input: z.strictObject({ ...run, pin, predictionsVersion: count }),
    output: z.strictObject({ ...run, members: count, sent: count, recommendationsVersion: count }),
    reads: ['gold/features', 'gold/predictions', 'gold/recommendations', 'registry/versions'],
    writes: ['gold/recommendations', 'gold/exports', 'reports/facts'],
    memoryMb: 3008,
    timeoutSeconds: 900,
    heavy: true,
  }),
  Monitor: stage({
    machines: ['monitor'],
    input: z.strictObject({ ...run, version, predictionsVersion: count }),
    output: z.strictObject({
      ...run,
      severity: z.enum(['NONE', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
      driftDetected: z.boolean(),
      features: z.array(z.string()),
      retrain: z.boolean(),
      reason: z.string(),
      action: z.string(),
    }),
    reads: [
      'silver/tables',
      'gold/features',
      'gold/predictions',
      'gold/recommendations',
      'gold/drift',
      'registry/versions',
      'reports/facts',
    ],
    writes: ['gold/drift', 'reports/facts'],
    memoryMb: 1769,
    timeoutSeconds: 300,
  }),
  Sweep: stage({
    machines: ['sweep'],
    input: z.strictObject({ ...run, /** The key behind which it goes on; empty at first. */ after: z.string() }),
    output: z.strictObject({
      ...run,
      /** As a notification describes an object. */
      missed: z.array(z.strictObject({ key: z.string(), size: count, etag: z.string() })),
      after: z.string(),
    }),
    reads: [],
    lists: ['bronze/drops', 'reports/facts'],
    writes: [],
    memoryMb: 512,
    timeoutSeconds: 300,
  }),
  Report: stage({
    machines: ['ingest', 'train', 'govern', 'score', 'monitor', 'sweep'],
    input: z.strictObject({ ...run, machine: z.enum(machineNames), execution: z.string(), failure: z.string() }),
    output: z.strictObject({ ...run, key: z.string() }),
    reads: ['reports/facts', 'registry/leases'],
    writes: ['reports/facts', 'reports/pages', 'registry/leases'],
    memoryMb: 1769,
    timeoutSeconds: 120,
  }),
} as const;

export type StageName = keyof typeof stages;
export type StageInput<Name extends StageName> = z.infer<(typeof stages)[Name]['input']>;
export type StageOutput<Name extends StageName> = z.infer<(typeof stages)[Name]['output']>;

export const stageNames = Object.keys(stages) as StageName[];

/** The name of the placeholder for a stage's function in `statemachines/*.asl.json`. */
export const substitutionOf = (name: StageName): string => `${name[0].toLowerCase()}${name.slice(1)}Arn`;
