import { FileRejected } from '../data/file-rejected.ts';
import { profileTable } from '../data/quality/profile.ts';
import { type Validation, validateFile } from '../data/quality/validate.ts';
import type { SqlEngine } from '../data/sql.ts';
import { appendQuery } from '../lake/write.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { deIdentify, releasedContract } from '../privacy/de-identify.ts';
import { Vault } from '../privacy/vault.ts';
import type { StageOutput } from '../stages.ts';
import { type UseCase, contractOf, useCaseOf } from '../usecase/catalogue.ts';
import { recordFacts } from './common/facts.ts';
import { digestOf, getWritten } from './common/json.ts';
import { columnFacts, ruleFacts } from './common/quality-facts.ts';
import { writeReceipt } from './common/receipt.ts';
import { lakeTable, quarantinePath, silverPath, withSql } from './common/sql.ts';
import type { Stage } from './stage.ts';

type Dropped = {
  useCase: UseCase;
  source: string;
  fileName: string;
  bytes: Uint8Array;
  digest: string;
  arrivedAtMs: number;
};

/**
 * Holds a dropped file against its contract: good rows go to silver, de-identified, others to quarantine with their raw text,
 * each exactly once however often the file is announced. Nothing that identifies a person leaves the bronze zone from here on. A file that is not what the contract describes stays where it is and changes nothing.
 */
export const validate: Stage<'Validate'> = async ({ runId, key }, ports) => {
  const dropped = await readDrop(ports, key);
  const { source } = dropped;
  const run = { useCase: dropped.useCase.declaration.id, runId };
  const contract = contractOf(dropped.useCase, source);
  return withSql(ports, async (sql) => {
    const validation = await validateOrReject(sql, dropped, runId, ports.temporaryDirectory);
    const { rows, status, reason } = outcome(validation, dropped.fileName);
    const released = releasedContract(contract);
    const table = lakeTable(ports, ports.silver, silverPath(run.useCase, source), sql);

    let silverVersion = (await table.latest())?.version ?? -1;
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
        const { erased } = await deIdentify({
          sql,
          contract,
          from: validation.accepted,
          into: 'released',
          vaultOf: (domain) => new Vault({ ...ports, store: ports.bronze }, { useCase: run.useCase, domain }),
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
        sources: [{ name: source, contractVersion: contract.version, files: 1 }],
        rules: validation instanceof FileRejected ? [] : ruleFacts(validation.rules),
        ...(status === 'accepted' && validation instanceof FileRejected === false
          ? {
              columns: columnFacts(
                await profileTable(sql, 'released', released, dropped.useCase.declaration.profiles[source]),
              ),
            }
          : { halted: true }),
      },
    });
    const broken = validation instanceof FileRejected ? [] : validation.rules.filter((rule) => rule.broken);
    await writeReceipt(ports, {
      receipt: 1,
      ...run,
      source,
      file: { name: dropped.fileName, sha256: dropped.digest, sizeBytes: dropped.bytes.length },
      arrivedAt: new Date(dropped.arrivedAtMs).toISOString(),
      contract: { id: contract.id, version: contract.version },
      status,
      reason,
      rows,
      totals: validation instanceof FileRejected ? [] : validation.totals,
      broken: broken.map(({ name, column = null, outcome, rows: count }) => ({ rule: name, column, outcome, rows: count })),
    });
    ports.telemetry.measure('RowsAccepted', rows.accepted, run.useCase);
    ports.telemetry.measure('RowsQuarantined', rows.quarantined, run.useCase);
    if (status !== 'accepted') ports.telemetry.measure('FilesRefused', 1, run.useCase);
    return { ...run, source, status, reason, rows, silverVersion };
  });
};

/** A key that is not `drops/<use case>/<source>/<file>`. */
export class MisplacedDrop extends Error {
  override name = 'MisplacedDrop';
}

async function readDrop(ports: Ports, key: string): Promise<Dropped> {
  const [, id, source, ...rest] = key.split('/');
  if (rest.length === 0) {
    throw new MisplacedDrop(`${key} is no drop: put files at drops/<use case>/<source>/<file>.`);
  }
  const useCase = useCaseOf(ports.catalogue, id);
  contractOf(useCase, source);
  const bytes = await getWritten(ports.bronze, key, 'bronze');
  const info = await ports.bronze.head(key);
  return {
    useCase,
    source,
    fileName: rest.join('/'),
    bytes,
    digest: digestOf(bytes),
    // the drop's own time, not this attempt's: a second delivery makes the same rows
    arrivedAtMs: Math.floor(info?.lastModifiedMs ?? ports.clock.nowMs()),
  };
}

async function validateOrReject(
  sql: SqlEngine,
  { useCase, source, fileName, bytes, digest, arrivedAtMs }: Dropped,
  dropId: string,
  temporaryDirectory: string,
): Promise<Validation | FileRejected> {
  try {
    const contract = contractOf(useCase, source);
    return await validateFile({ sql, bytes, fileName, digest, contract, arrivedAtMs, dropId, temporaryDirectory });
  } catch (error) {
    if (error instanceof FileRejected) return error;
    throw error;
  }
}

type Outcome = Pick<StageOutput<'Validate'>, 'rows' | 'status' | 'reason'>;

function outcome(validation: Validation | FileRejected, fileName: string): Outcome {
  if (validation instanceof FileRejected) {
    return {
      rows: { dropped: 0, accepted: 0, quarantined: 0, rejected: 0 },
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
  return { rows, status: 'halted', reason: `The file ${fileName} is halted: ${halts.join('; ')}. The quarantine tells which rules its rows broke.` };
}
