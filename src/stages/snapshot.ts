import { type Table, tableFromArrays, tableToIPC } from 'apache-arrow';
import type { SqlEngine } from '../data/sql.ts';
import { shadowOf } from '../governance/aliases.ts';
import { acquireLease, releaseLease } from '../governance/lease.ts';
import { readLedger } from '../governance/ledger.ts';
import { listVersions } from '../governance/registry.ts';
import { decideRetrain } from '../governance/retrain.ts';
import { applyDesign, fitDesign } from '../ml/encoders/design.ts';
import { isMissing, numbers } from '../ml/encoders/columns.ts';
import { checkLeakage } from '../ml/leakage/check.ts';
import type { LeakageFinding } from '../ml/leakage/finding.ts';
import { outputOf } from '../ml/metrics/outputs.ts';
import { random } from '../ml/random.ts';
import { holdout } from '../ml/tune/holdout.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { type UseCase, useCaseOf } from '../usecase/catalogue.ts';
import { feedbackRetrain } from '../recommend/feedback.ts';
import { applyOutcomes } from '../recommend/outcomes.ts';
import type { Declaration } from '../usecase/declaration.ts';
import { quoteName } from '../data/quote.ts';
import { labelColumns } from '../usecase/label.ts';
import { everyView } from '../usecase/views.ts';
import {
  type RowSet,
  type SnapshotDocument,
  outcomeColumn,
  rowSetOf,
  snapshotPrefix,
  trainable,
  weightColumn,
} from './common/frozen-sets.ts';
import { digestOf, toJsonBytes } from './common/json.ts';
import { daysOf } from './common/duration.ts';
import { readVotes, taughtBy } from './common/feedback.ts';
import { designSpec } from './common/learning.ts';
import { mountOutcomes, stepsByRow } from './common/outcomes.ts';
import { retrainLease } from './common/retrain-lease.ts';
import { candidatesOf } from './common/search.ts';
import { currentFeatures, featuresPath, lakeTable, mountTable, withSql } from './common/sql.ts';
import type { Stage } from './stage.ts';

/** The data would teach the model what it must not know; nothing is trained on them. */
export class LeakageFound extends Error {
  override name = 'LeakageFound';
  readonly findings: readonly LeakageFinding[];

  constructor(useCase: string, findings: readonly LeakageFinding[]) {
    super(
      `Training of ${useCase} is stopped by ${findings.length} leakage findings: ${findings.map(({ message }) => message).join(' ')}`,
    );
    this.findings = findings;
  }
}

/** There are not enough labelled rows to train and to judge on. */
export class TooFewRows extends Error {
  override name = 'TooFewRows';
}

/** Longer than any training; a run that dies releases it in its last state, or at the latest then. */
const leaseSeconds = 6 * 3600;

/**
 * Freezes what a training run learns from and is judged on. An entity's rows lie on one side, today and after every later
 * drop, so a test set holds nobody whom any earlier model was trained on. Throws `LeakageFound`, `TooFewRows`.
 */
export const snapshot: Stage<'Snapshot'> = async ({ useCase, runId, cause }, ports) => {
  const definition = useCaseOf(ports.catalogue, useCase);
  const { declaration } = definition;
  const lease = retrainLease(ports, useCase);
  const nowMs = ports.clock.nowMs();
  const { acquired, lease: held } = await acquireLease(lease, { holder: runId, nowMs, durationSeconds: leaseSeconds });
  const dataVersion = (await lakeTable(ports, ports.gold, featuresPath(useCase)).latest())?.version ?? -1;
  const newest = (await listVersions(ports.registry, useCase)).at(-1);
  const inShadow = declaration.shadow ? shadowOf(await readLedger(ports.registry, useCase)) : null;
  const { start, reason } = decideRetrain({
    cause,
    ...(inShadow !== null && { inShadow }),
    ...(!acquired && { heldBy: held }),
    dataVersion,
    ...(newest &&
      newest.lineage.runId !== runId && {
        lastTrainedOn: newest.lineage.dataVersion,
        heardMore:
          dataVersion <= newest.lineage.dataVersion && (await hasHeardMore(ports, definition, newest.createdAtMs)),
      }),
  });
  if (!start) {
    if (acquired) await releaseLease(lease, runId);
    return { useCase, runId, status: 'busy', reason, candidates: [] };
  }

  const document = await withSql(ports, (sql) => freeze(sql, ports, definition, { runId, cause, dataVersion }));
  const key = `${snapshotPrefix({ useCase, runId })}snapshot.json`;
  await ports.registry.put(key, toJsonBytes(document));
  return {
    useCase,
    runId,
    status: 'ready',
    reason,
    snapshot: {
      key,
      dataVersion,
      digest: digestOf(document.trainDigest + document.testDigest),
      trainRows: document.trainRows,
      testRows: document.testRows,
    },
    candidates: candidatesOf(declaration),
  };
};

/** Whether since a time reviewers have given, or outcomes have become final, as many as teach something. */
async function hasHeardMore(ports: Ports, useCase: UseCase, sinceMs: number): Promise<boolean> {
  const { recommend } = useCase.declaration;
  if (!recommend) return false;
  return withSql(ports, async (sql) => {
    const votes = await readVotes(sql, ports, useCase.declaration);
    if (feedbackRetrain(recommend, votes, sinceMs).retrain) return true;
    const least = recommend.responses?.learnt?.minimumOutcomes;
    if (least === undefined || !(await mountOutcomes(sql, ports, useCase))) return false;
    const [{ fresh }] = await sql.rows(
      `SELECT count(*)::INTEGER AS fresh FROM outcomes WHERE is_sent AND step IS NOT NULL AND ended_ms > ${sinceMs}`,
    );
    return Number(fresh) >= least;
  });
}

/** Row numbers of the two sets. */
type Parts = { train: Uint32Array; test: Uint32Array };

type Request = { runId: string; cause: string; dataVersion: number };

async function freeze(
  sql: SqlEngine,
  ports: Ports,
  useCase: UseCase,
  { runId, cause, dataVersion }: Request,
): Promise<SnapshotDocument> {
  const { declaration, contracts } = useCase;
  const { id, split } = declaration;
  if (!(await mountTable(lakeTable(ports, ports.gold, featuresPath(id), sql), sql, 'features', dataVersion))) {
    throw new TooFewRows(`${id} has no features yet: drop a file first.`);
  }
  await sql.run(
    `CREATE TEMP TABLE frozen AS SELECT *, (row_number() OVER () - 1)::INTEGER AS _row
      FROM (${currentFeatures(declaration)}) WHERE ${labelColumns(declaration)
        .map((name) => `${quoteName(name)} IS NOT NULL`)
        .join(' AND ')}`,
  );
  const rows = rowSetOf(await sql.query('SELECT * FROM frozen ORDER BY _row'), declaration);
  const sides = holdout(rows.rows, { test: split.test, seed: split.seed, keys: rows.keys });
  const parts = { train: recent(declaration, rows, sides, 'train'), test: recent(declaration, rows, sides, 'test') };
  if (parts.train.length < 50 || parts.test.length < 20) {
    throw new TooFewRows(
      `${id} has ${rows.rows} labelled rows, ${parts.train.length} to train and ${parts.test.length} to judge on: ` +
        'at least 50 and 20 are needed. Drop more data.',
    );
  }
  const leftOut = sparseFeatures(everyView(declaration), rows, parts.train);
  const findings = leakageIn(trainable(everyView(declaration), { leftOut }), rows, parts);
  if (findings.length > 0) throw new LeakageFound(id, findings);

  const prefix = snapshotPrefix({ useCase: id, runId });
  const taught = await teach(sql, ports, useCase, rows, parts.train);
  const frozen = async (part: 'train' | 'test') => {
    const bytes = tableToIPC(await rowsOf(sql, parts[part]), 'file');
    await ports.registry.put(`${prefix}${part}.arrow`, bytes);
    return digestOf(bytes);
  };
  return {
    format: 1,
    useCase: id,
    runId,
    cause,
    dataVersion,
    contractVersions: Object.fromEntries(
      Object.entries(contracts).map(([source, { contract }]) => [source, contract.version]),
    ),
    trainDigest: await frozen('train'),
    testDigest: await frozen('test'),
    trainRows: parts.train.length,
    testRows: parts.test.length,
    leakage: findings,
    leftOut,
    ...taught,
  };
}

/** Features of which more training rows than declared have no value. */
function sparseFeatures({ features }: Declaration, { columns }: RowSet, train: Uint32Array): string[] {
  const missingShare = (feature: string) =>
    train.reduce((missing, row) => missing + (isMissing(columns[feature][row]) ? 1 : 0), 0) / train.length;
  return [...features.numeric, ...features.categorical].filter(
    (feature) => features.maxMissingShare < 1 && missingShare(feature) > features.maxMissingShare,
  );
}

/** Fewer recent rows than this say too little; then all of them count. */
const leastRecentRows = { train: 2000, test: 100 };

/** The rows of the declared window: a model is to be right about the portfolio of today, not about last year's. */
function recent({ split }: Declaration, { columns }: RowSet, sides: Parts, part: keyof Parts): Uint32Array {
  const side = sides[part];
  if (split.window === undefined) return side;
  const arrived = numbers('_built_at', columns['_built_at']);
  const newest = arrived.reduce((latest, at) => Math.max(latest, at), -Infinity);
  const windowMs = daysOf(split.window) * 86_400_000;
  const within = side.filter((row) => arrived[row] > newest - windowMs);
  return within.length < leastRecentRows[part] ? side : within;
}

/**
 * Puts what members did and what reviewers said into the frozen rows: other labels, and a weight. Labels that are judged by stay
 * as they are; what came of those rows stands beside them, and judges too. Returns how much is learnt from.
 */
async function teach(
  sql: SqlEngine,
  ports: Ports,
  useCase: UseCase,
  rows: RowSet,
  train: Uint32Array,
): Promise<Pick<SnapshotDocument, 'votes' | 'outcomes'>> {
  const { declaration } = useCase;
  const learnt = declaration.recommend?.responses?.learnt;
  const steps =
    learnt && (await mountOutcomes(sql, ports, useCase)) ? await stepsByRow(sql, useCase, rows.rows) : undefined;
  const byOutcomes =
    learnt && steps && applyOutcomes(learnt, { targets: rows.label, steps, offers: rows.outputs }, train);
  const targets = byOutcomes?.targets ?? rows.label;
  const votes = await readVotes(sql, ports, declaration);
  const byVotes = taughtBy(votes, declaration, { ...rows, label: targets }, train);
  if (byOutcomes || byVotes) await replaceLabels(sql, declaration, byVotes ?? { targets });
  if (steps) await addOutcomes(sql, declaration, steps);
  return { votes: byVotes?.usedVotes ?? 0, outcomes: byOutcomes?.moved ?? 0 };
}

async function replaceLabels(
  sql: SqlEngine,
  declaration: Declaration,
  { targets, weights }: { targets: Float64Array; weights?: Float64Array },
): Promise<void> {
  const labels = labelColumns(declaration);
  const columns = labels.map((name, output) => [name, outputOf(targets, labels.length, output)] as const);
  const rows = targets.length / labels.length;
  await sql.insert(
    'taught',
    byRow(rows, { ...Object.fromEntries(columns), ...(weights && { [weightColumn]: weights }) }),
  );
  const replaced = labels.map((name) => `t.${quoteName(name)} AS ${quoteName(name)}`);
  const weight = weights ? `, t.${quoteName(weightColumn)}` : '';
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE frozen AS
      SELECT f.* REPLACE (${replaced.join(', ')})${weight} FROM frozen f JOIN taught t USING (_row)`,
  );
}

async function addOutcomes(sql: SqlEngine, declaration: Declaration, steps: Float64Array): Promise<void> {
  const labels = labelColumns(declaration);
  const columns = labels.map((name, k) => [outcomeColumn(name), outputOf(steps, labels.length, k)] as const);
  await sql.insert('happened', byRow(steps.length / labels.length, Object.fromEntries(columns)));
  await sql.run(`CREATE OR REPLACE TEMP TABLE frozen AS FROM frozen JOIN happened USING (_row)`);
}

/** Columns of the frozen rows as a table to join. */
const byRow = (rows: number, columns: { [name: string]: Float64Array }): Table =>
  tableFromArrays({ _row: Int32Array.from({ length: rows }, (_, row) => row), ...columns });

async function rowsOf(sql: SqlEngine, rows: Uint32Array): Promise<Table> {
  await sql.run('DROP TABLE IF EXISTS wanted');
  await sql.insert('wanted', tableFromArrays({ _row: Int32Array.from(rows) }));
  return sql.query(
    'SELECT * EXCLUDE (_row, _batch, _built_at) FROM frozen WHERE _row IN (SELECT _row FROM wanted) ORDER BY _row',
  );
}

/** So many labels are compared with every feature: more rows hardly change what a feature tells of a label. */
const mostCompared = 80_000;

/** Each output is a label that a feature may give away. */
function leakageIn(
  declaration: Declaration,
  { rows, columns, label, outputs }: RowSet,
  parts: Parts,
): LeakageFinding[] {
  const { eventTime } = declaration.entity;
  const wanted = Math.ceil(mostCompared / outputs);
  return checkLeakage({
    features: applyDesign(fitDesign(columns, designSpec(declaration)), columns),
    label,
    outputs,
    ...(rows > wanted && { compared: random(declaration.split.seed).fork('leakage').sample(rows, wanted) }),
    split: parts,
    eventTime: numbers(eventTime, columns[eventTime]),
    limits: declaration.leakage,
  });
}
