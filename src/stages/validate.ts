import { FileRejected } from '../data/file-rejected.ts';
import { profileTable } from '../data/quality/profile.ts';
import type { Validation } from '../data/quality/validate.ts';
import { appendQuery } from '../lake/write.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { releasedContract } from '../privacy/de-identify.ts';
import { withoutQuoting } from '../privacy/hush.ts';
import type { StageOutput } from '../stages.ts';
import { type Drop, type Place, ingestedAlone, placeOf, readDrop, validateDrop } from './common/drop.ts';
import { recordFacts } from './common/facts.ts';
import { columnFacts, ruleFacts } from './common/quality-facts.ts';
import { type Receipt, writeReceipt } from './common/receipt.ts';
import { release } from './common/release.ts';
import { lakeTable, quarantinePath, silverPath, withSql } from './common/sql.ts';
import type { Stage } from './stage.ts';

/**
 * Holds a dropped file against its contract: good rows go to silver, de-identified, others to quarantine with their raw text,
 * each exactly once however often the file is announced. Nothing that identifies a person leaves the bronze zone from here on.
 * A file that is not what the contract describes stays where it is and changes nothing.
 */
export const validate: Stage<'Validate'> = async ({ runId, key }, ports) => {
  const place = placeOf(ports, key);
  const { source, contract } = place;
  const run = { useCase: place.useCase.declaration.id, runId };
  const dropped = await readDrop(ports, place, runId).catch(rejection);
  if (dropped instanceof FileRejected) return withoutRows(ports, place, run, 'rejected', dropped.message);
  if ('waitsFor' in dropped) {
    return withoutRows(ports, place, run, 'waiting', `${dropped.name} waits for ${dropped.waitsFor.join(', ')}.`);
  }
  return withSql(ports, async (sql) => {
    const validation = await withoutQuoting(`the rows of ${dropped.name}`, () =>
      validateDrop(sql, place, dropped, ports.temporaryDirectory),
    ).catch(rejection);
    const released = releasedContract(contract);
    const table = lakeTable(ports, ports.silver, silverPath(run.useCase, source), sql);

    const latest = await table.latest();
    let silverVersion = latest?.version ?? -1;
    if (!(validation instanceof FileRejected)) validation.halts.push(...ingestedAlone(dropped, latest));
    const { rows, status, reason } = outcome(validation, dropped.name);
    if (!(validation instanceof FileRejected)) {
      // quarantine first: a crash between the two leaves the drop unfinished, never a row unaccounted for
      const txn = { appId: `drop:${dropped.digest}`, version: 1 };
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
        });
        rows.accepted -= erased;
        rows.rejected += erased;
        ({ version: silverVersion } = await appendQuery(table, sql, 'SELECT * FROM released', { txn }));
      }
    }
    await recordFacts(ports, run, 'Validate', {
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
                await profileTable(sql, 'released', released, place.useCase.declaration.profiles[source]),
              ),
            }
          : { halted: true, reason }),
      },
    });
    const receipt = receiptOf(place, dropped, validation, { status, reason, rows });
    for (const id of new Set([runId, dropped.dropId])) await writeReceipt(ports, { ...receipt, runId: id });
    ports.telemetry.measure('RowsAccepted', rows.accepted, run.useCase);
    ports.telemetry.measure('RowsQuarantined', rows.quarantined, run.useCase);
    if (status !== 'accepted') ports.telemetry.measure('FilesRefused', 1, run.useCase);
    return { ...run, source, status, reason, rows, silverVersion };
  });
};

function rejection(error: unknown): FileRejected {
  if (error instanceof FileRejected) return error;
  throw error;
}

const noRows = { dropped: 0, accepted: 0, quarantined: 0, rejected: 0 };

/** What ends before a file is looked into. */
async function withoutRows(
  ports: Ports,
  { source, contract, name }: Place,
  run: { useCase: string; runId: string },
  status: 'rejected' | 'waiting',
  reason: string,
): Promise<StageOutput<'Validate'>> {
  await writeReceipt(ports, {
    receipt: 1,
    ...run,
    source,
    name,
    files: [],
    arrivedAt: null,
    contract: { id: contract.id, version: contract.version },
    status,
    reason,
    rows: noRows,
    totals: [],
    broken: [],
  });
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
    files: files.map((file) => ({ name: file.name, sha256: file.digest, sizeBytes: file.bytes.length })),
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
