import type { Contract } from '../data/contract/contract.ts';
import { FileRejected } from '../data/file-rejected.ts';
import { profileTable } from '../data/quality/profile.ts';
import type { Validation } from '../data/quality/validate.ts';
import { type SqlEngine, openSql } from '../data/sql.ts';
import { isDone } from '../lake/plans.ts';
import type { DeltaTable } from '../lake/table.ts';
import { appendQuery } from '../lake/write.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { releasedContract } from '../privacy/de-identify.ts';
import { withoutQuoting } from '../privacy/hush.ts';
import type { StageOutput } from '../stages.ts';
import {
  type Drop,
  type DropValidation,
  type Place,
  type SupersededDrop,
  ingestedAlone,
  placeOf,
  readDrop,
  validateDrop,
} from './common/drop.ts';
import { recordFacts } from './common/facts.ts';
import { type FirstDrop, firstDropOf, noteFirstDrop } from './common/first-drop.ts';
import { deliveriesOf, deliveryMark, deliveryOf, isRenewal, noteDelivery } from './common/newest.ts';
import { columnFacts, ruleFacts } from './common/quality-facts.ts';
import { type Receipt, type Told, keepTold, keptTold, receiptFacts, tell, writeReceipt } from './common/receipt.ts';
import { release } from './common/release.ts';
import { appendParts, isLarge, profiled } from './common/large.ts';
import { lakeTable, quarantinePath, silverPath } from './common/sql.ts';
import type { Stage } from './stage.ts';

/**
 * Holds a dropped file against its contract: good rows go to silver, de-identified, others to quarantine with their raw text,
 * each exactly once however often the file is announced. Nothing that identifies a person leaves the bronze zone from here on.
 * A file that is not what the contract describes stays where it is and changes nothing.
 */
export const validate: Stage<'Validate'> = async ({ runId, key, etag, sequencer }, ports) => {
  const place = placeOf(ports, key);
  const { source, contract } = place;
  const run = { useCase: place.useCase.declaration.id, runId };
  await using leave = new AsyncDisposableStack();
  const dropped = await readDrop(ports, place, { runId, etag, ...(sequencer && { sequencer }) }, leave).catch(
    rejection,
  );
  if (dropped instanceof FileRejected) return withoutRows(ports, place, run, 'rejected', dropped.message);
  if ('waitsFor' in dropped) {
    return withoutRows(ports, place, run, 'waiting', `${dropped.name} waits for ${dropped.waitsFor.join(', ')}.`);
  }
  const work = async (sql: SqlEngine): Promise<StageOutput<'Validate'>> => {
    const table = lakeTable(ports, ports.silver, silverPath(run.useCase, source), sql);
    if ('superseded' in dropped) return superseded(ports, table, place, run, dropped);
    const content = { useCase: run.useCase, source, digest: dropped.digest };
    const txn = { appId: `drop:${dropped.digest}`, version: 1 };
    const first = isDone(await table.latest(), txn) ? await firstDropOf(ports, content) : undefined;
    if (first && first.dropId !== dropped.dropId) return broughtBefore(ports, table, place, run, dropped, first);
    const validation = await withoutQuoting(`the rows of ${dropped.name}`, () =>
      validateDrop(sql, place, dropped, ports.temporaryDirectory),
    ).catch(rejection);
    const released = releasedContract(contract);
    const latest = await table.latest();
    let silverVersion = latest?.version ?? -1;
    if (!(validation instanceof FileRejected)) validation.halts.push(...ingestedAlone(dropped, latest));
    const { rows, status, reason } = outcome(validation, dropped.name);
    if (!(validation instanceof FileRejected)) {
      // quarantine first: a crash between the two leaves the drop unfinished, never a row unaccounted for
      const quarantine = lakeTable(ports, ports.bronze, quarantinePath(run.useCase, source), sql);
      const halted = status !== 'accepted';
      await appendQuery(quarantine, sql, `SELECT *, ${halted} AS halted FROM ${validation.quarantined}`, {
        // a halted file may come again once its contract is corrected, and then be accepted
        txn: halted ? { appId: `halted:${dropped.digest}:${contract.version}`, version: 1 } : txn,
        addColumns: true,
      });
    }
    if (status === 'accepted') {
      const { erased } = await release(sql, ports, {
        useCase: run.useCase,
        contract,
        arrivedAtMs: dropped.arrivedAtMs,
        digests: dropped.files.map((file) => file.digest),
        as: isLarge(rows.accepted) ? 'view' : 'table',
      });
      rows.accepted -= erased;
      rows.rejected += erased;
    }
    const receipt = receiptOf(place, dropped, validation, { status, reason, rows });
    const facts = {
      receipt: receiptFacts(receipt),
      quality: {
        droppedRows: rows.dropped,
        acceptedRows: rows.accepted,
        quarantinedRows: rows.quarantined,
        rejectedRows: rows.rejected,
        sources: [{ name: source, contractVersion: contract.version, files: dropped.files.length }],
        rules: validation instanceof FileRejected ? [] : ruleFacts(validation.rules),
        ...(status === 'accepted'
          ? {
              columns: columnFacts(
                await profileTable(
                  sql,
                  await profiled(sql, rows.accepted),
                  released,
                  place.useCase.declaration.profiles[source],
                ),
              ),
            }
          : { halted: true, reason }),
      },
    };
    const told: Told = { receipt, facts };
    if (status === 'accepted') {
      await keepTold(ports, { ...content, dropId: dropped.dropId }, told);
      await noteFirstDrop(ports, content, dropped);
      const delivery = deliveryOf(dropped);
      const options = { txn, marks: [deliveryMark(delivery)], addColumns: true };
      const written = isLarge(rows.accepted)
        ? await appendParts(table, sql, dropped, { ...options, constants: constantsOf(dropped, contract) })
        : await appendQuery(table, sql, 'SELECT * FROM released', options);
      // another delivery may have brought the rows first; this one may be the later of the two
      if (written.status === 'already-committed') await noteDelivery(table, delivery);
      silverVersion = written.version;
    }
    await tell(ports, run, told, dropped.dropId);
    ports.telemetry.measure('RowsAccepted', rows.accepted, run.useCase);
    ports.telemetry.measure('RowsQuarantined', rows.quarantined, run.useCase);
    if (status !== 'accepted') ports.telemetry.measure('FilesRefused', 1, run.useCase);
    return { ...run, source, status, reason, rows, silverVersion };
  };
  const sql = await openSql({ temporaryDirectory: ports.temporaryDirectory, memoryLimitMb });
  try {
    // waited for here: what is left behind at the end of this block is what the work reads
    return await work(sql);
  } finally {
    await sql.close();
  }
};

/** What all rows of a drop say of where they are from, but for the file. */
const constantsOf = ({ dropId }: Drop, { version }: Contract): { [column: string]: string } => ({
  _drop_id: dropId,
  _contract_version: version,
});

/** The SQL engine's share; the rows that it has no room for wait on disk. */
const memoryLimitMb = 768;

function rejection(error: unknown): FileRejected {
  if (error instanceof FileRejected) return error;
  throw error;
}

const noRows = { dropped: 0, accepted: 0, quarantined: 0, rejected: 0 };

/**
 * The object has been replaced since it was announced: its newer content has an event of its own. Where this run had brought the
 * older one before it was cut short, it ends as it would have.
 */
async function superseded(
  ports: Ports,
  table: DeltaTable,
  place: Place,
  run: { useCase: string; runId: string },
  { name }: SupersededDrop,
): Promise<StageOutput<'Validate'>> {
  const silver = await table.latest();
  const isIn = silver && deliveriesOf(silver).some(({ dropId }) => dropId === run.runId);
  const told = isIn && (await keptTold(ports, { ...run, source: place.source, dropId: run.runId }));
  if (!told) {
    const reason = `${name} has been replaced since it was announced; its new content is announced by itself.`;
    return withoutRows(ports, place, run, 'superseded', reason);
  }
  await tell(ports, run, told, run.runId);
  const { status, reason, rows } = told.receipt;
  return { ...run, source: place.source, status, reason, rows, silverVersion: silver.version };
}

/** Content that is in silver already adds no rows. Where others came in between, its rows are the newest again. */
async function broughtBefore(
  ports: Ports,
  table: DeltaTable,
  place: Place,
  run: { useCase: string; runId: string },
  dropped: Drop,
  first: FirstDrop,
): Promise<StageOutput<'Validate'>> {
  const { dropId } = first;
  const delivery = { ...deliveryOf(dropped), dropId };
  // the run that brought it may have ended between the rows and their receipt, and the file be gone when it is tried again
  const told = await keptTold(ports, { ...run, source: place.source, dropId });
  if (told) await tell(ports, { ...run, runId: dropId }, told, dropId);
  const isRenewed = isRenewal(deliveriesOf(await table.snapshot()), delivery);
  // under its own name also where nothing came in between yet: what did may be announced late
  if (isRenewed || dropped.name === first.name) await noteDelivery(table, delivery);
  const before = `${first.name} brought the same content before (run ${dropId})`;
  return isRenewed
    ? withoutRows(ports, place, run, 'renewed', `${before}: its rows hold again, none was added.`, dropped)
    : withoutRows(ports, place, run, 'repeated', `${before}: nothing was added.`, dropped);
}

/** What ends before the rows of a file are looked into. */
async function withoutRows(
  ports: Ports,
  { source, contract, name }: Place,
  run: { useCase: string; runId: string },
  status: Exclude<StageOutput<'Validate'>['status'], 'accepted' | 'halted'>,
  reason: string,
  { files = [], arrivedAtMs }: Partial<Drop> = {},
): Promise<StageOutput<'Validate'>> {
  const receipt: Receipt = {
    receipt: 1,
    ...run,
    source,
    name,
    files: files.map((file) => ({ name: file.name, sha256: file.digest, sizeBytes: file.sizeBytes })),
    arrivedAt: arrivedAtMs === undefined ? null : new Date(arrivedAtMs).toISOString(),
    contract: { id: contract.id, version: contract.version },
    status,
    reason,
    rows: noRows,
    totals: [],
    broken: [],
  };
  await recordFacts(ports, run, 'Validate', { receipt: receiptFacts(receipt) });
  await writeReceipt(ports, receipt);
  if (status === 'rejected') ports.telemetry.measure('FilesRefused', 1, run.useCase);
  return { ...run, source, status, reason, rows: noRows, silverVersion: -1 };
}

function receiptOf(
  { source, useCase, contract }: Place,
  { name, files, arrivedAtMs }: Drop,
  validation: DropValidation | FileRejected,
  outcome: Outcome,
): Omit<Receipt, 'runId'> {
  const { totals, rules, late }: Pick<DropValidation, 'totals' | 'rules' | 'late'> =
    validation instanceof FileRejected ? { totals: [], rules: [] } : validation;
  const broken = rules.filter((rule) => rule.broken);
  return {
    receipt: 1,
    useCase: useCase.declaration.id,
    source,
    name,
    files: files.map((file) => ({ name: file.name, sha256: file.digest, sizeBytes: file.sizeBytes })),
    arrivedAt: new Date(arrivedAtMs).toISOString(),
    contract: { id: contract.id, version: contract.version },
    ...outcome,
    totals,
    ...(late && { late }),
    broken: broken.map(({ name: rule, column = null, outcome: consequence, rows }) => ({
      rule,
      column,
      outcome: consequence,
      rows,
    })),
  };
}

type Outcome = Pick<StageOutput<'Validate'>, 'rows' | 'status' | 'reason'>;

function outcome(validation: Validation | FileRejected, fileName: string): Outcome {
  if (validation instanceof FileRejected) {
    return {
      rows: noRows,
      status: 'rejected',
      reason: validation.message,
    };
  }
  const { counts, halts } = validation;
  if (halts.length === 0) {
    const rows = { dropped: counts.rows, accepted: counts.accepted, quarantined: counts.quarantined, rejected: 0 };
    return { rows, status: 'accepted', reason: '' };
  }
  const rows = { dropped: counts.rows, accepted: 0, quarantined: counts.quarantined, rejected: counts.accepted };
  return {
    rows,
    status: 'halted',
    reason: `The file ${fileName} is halted: ${halts.join('; ')}.${counts.quarantined > 0 ? ' The quarantine tells which rules its rows broke.' : ''}`,
  };
}
