import { FileRejected } from '../data/file-rejected.ts';
import { profileTable } from '../data/quality/profile.ts';
import type { Validation } from '../data/quality/validate.ts';
import { type SqlEngine, openSql } from '../data/sql.ts';
import { isDone } from '../lake/plans.ts';
import { appendQuery } from '../lake/write.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { releasedContract } from '../privacy/de-identify.ts';
import { withoutQuoting } from '../privacy/hush.ts';
import type { StageOutput } from '../stages.ts';
import { type Drop, type Place, ingestedAlone, placeOf, readDrop, validateDrop } from './common/drop.ts';
import { recordFacts } from './common/facts.ts';
import { firstDropOf, noteFirstDrop } from './common/first-drop.ts';
import { columnFacts, ruleFacts } from './common/quality-facts.ts';
import { type Receipt, receiptFacts, writeReceipt } from './common/receipt.ts';
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
  if ('superseded' in dropped) {
    const reason = `${dropped.name} has been replaced since it was announced; its new content is announced by itself.`;
    return withoutRows(ports, place, run, 'superseded', reason);
  }
  const content = { useCase: run.useCase, source, digest: dropped.digest };
  const txn = { appId: `drop:${dropped.digest}`, version: 1 };
  const work = async (sql: SqlEngine): Promise<StageOutput<'Validate'>> => {
    const table = lakeTable(ports, ports.silver, silverPath(run.useCase, source), sql);
    const first = isDone(await table.latest(), txn) ? await firstDropOf(ports, content) : undefined;
    if (first && first.dropId !== dropped.dropId) {
      const reason = `${first.name} brought the same content before (run ${first.dropId}): nothing was added.`;
      return withoutRows(ports, place, run, 'repeated', reason, dropped);
    }
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
        await noteFirstDrop(ports, content, dropped);
        ({ version: silverVersion } = isLarge(rows.accepted)
          ? await appendParts(table, sql, dropped, { txn, addColumns: true })
          : await appendQuery(table, sql, 'SELECT * FROM released', { txn, addColumns: true }));
      }
    }
    const receipt = receiptOf(place, dropped, validation, { status, reason, rows });
    await recordFacts(ports, run, 'Validate', {
      receipt: receiptFacts(receipt),
      quality: {
        droppedRows: rows.dropped,
        acceptedRows: rows.accepted,
        quarantinedRows: rows.quarantined,
        rejectedRows: rows.rejected,
        sources: [{ name: source, contractVersion: contract.version, files: dropped.files.length }],
        rules: validation instanceof FileRejected ? [] : ruleFacts(validation.rules),
        ...(status === 'accepted' && !(validation instanceof FileRejected)
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
    });
    for (const id of new Set([runId, dropped.dropId])) await writeReceipt(ports, { ...receipt, runId: id });
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

/** The SQL engine's share; the rows that it has no room for wait on disk. */
const memoryLimitMb = 768;

function rejection(error: unknown): FileRejected {
  if (error instanceof FileRejected) return error;
  throw error;
}

const noRows = { dropped: 0, accepted: 0, quarantined: 0, rejected: 0 };

/** What ends before the rows of a file are looked into. */
async function withoutRows(
  ports: Ports,
  { source, contract, name }: Place,
  run: { useCase: string; runId: string },
  status: 'rejected' | 'waiting' | 'repeated' | 'superseded',
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
  validation: Validation | FileRejected,
  outcome: Outcome,
): Omit<Receipt, 'runId'> {
  const { totals, rules } = validation instanceof FileRejected ? { totals: [], rules: [] } : validation;
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
