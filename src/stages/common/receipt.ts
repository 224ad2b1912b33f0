import type { Late } from '../../data/quality/late.ts';
import type { ControlTotal } from '../../data/quality/totals.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import { smallestGroup } from '../../data/quality/profile.ts';
import type { DropReceipt } from '../../report/facts.ts';
import type { StageOutput } from '../../stages.ts';
import { type StageFacts, factsPrefix, recordFacts } from './facts.ts';
import { fromJsonBytes, toJsonBytes } from './json.ts';
import { quarantinePath } from './sql.ts';

/**
 * What became of one drop: what came, what was kept, what was not, and why. It stands beside the facts of the run and is the
 * same however often the drop is delivered.
 */
export type Receipt = {
  receipt: 1;
  useCase: string;
  source: string;
  runId: string;
  /** The file that came, or the manifest of several. */
  name: string;
  /** Those that were read. */
  files: { name: string; sha256: string; sizeBytes: number }[];
  /** When the last of them came, ISO 8601, UTC; null where none was read. */
  arrivedAt: string | null;
  contract: { id: string; version: string };
  status: StageOutput<'Validate'>['status'];
  /** Why it was not accepted; empty for an accepted one. */
  reason: string;
  rows: StageOutput<'Validate'>['rows'];
  /** Decimal texts; of a file that was not accepted, what it would have brought. */
  totals: ControlTotal[];
  /** Where the contract says how far back the source may deliver. */
  late?: Late;
  /** Rules that were broken, and by how many rows. */
  broken: { rule: string; column: string | null; outcome: string; rows: number }[];
};

const receiptKey = (run: { useCase: string; runId: string }) => `${factsPrefix(run)}receipt.json`;

export async function writeReceipt(ports: Ports, receipt: Receipt): Promise<void> {
  await ports.reports.put(receiptKey(receipt), toJsonBytes(receipt));
}

/** The receipt of a drop's run, or undefined where none was written. */
export async function readReceipt(ports: Ports, run: { useCase: string; runId: string }): Promise<Receipt | undefined> {
  const bytes = await ports.reports.get(receiptKey(run));
  return bytes && fromJsonBytes<Receipt>(bytes, `reports/${receiptKey(run)}`);
}

/** What a run tells of a drop: its receipt, and what stands on its page. */
export type Told = { receipt: Omit<Receipt, 'runId'>; facts: StageFacts };

/** Tells it, of the run and of the drop. */
export async function tell(
  ports: Ports,
  run: { useCase: string; runId: string },
  { receipt, facts }: Told,
  dropId: string,
): Promise<void> {
  await recordFacts(ports, run, 'Validate', facts);
  for (const runId of new Set([run.runId, dropId])) await writeReceipt(ports, { ...receipt, runId });
}

type Kept = { useCase: string; source: string; dropId: string };

/** Keeps, before the rows are committed, what is to be told behind that: the file may have been replaced by then. */
export async function keepTold(ports: Ports, kept: Kept, told: Told): Promise<void> {
  await ports.bronze.put(toldKey(kept), toJsonBytes(told));
}

/** What was kept; of a drop whose rows never came to silver it tells nothing. */
export async function keptTold(ports: Ports, kept: Kept): Promise<Told | undefined> {
  const bytes = await ports.bronze.get(toldKey(kept));
  return bytes && fromJsonBytes<Told>(bytes, `bronze/${toldKey(kept)}`);
}

const toldKey = ({ useCase, source, dropId }: Kept) => `${quarantinePath(useCase, source)}-receipts/${dropId}.json`;

/** What the run's page shows of it. What only a few rows add up to would tell about each of them, and stays in the receipt. */
export function receiptFacts({
  name,
  status,
  reason,
  arrivedAt,
  files,
  totals,
  rows,
  late,
}: Omit<Receipt, 'runId'>): DropReceipt {
  const isSmall = (group: number): boolean => group > 0 && group < smallestGroup;
  // the oldest of a few is one of them
  const shown = ({ rows: n, oldestDays, beyond }: Late): Late => ({
    rows: n,
    oldestDays: isSmall(n) ? null : oldestDays,
    beyond,
  });
  const tells = isSmall(rows.accepted + rows.rejected) || isSmall(rows.quarantined);
  return { name, status, reason, arrivedAt, files, totals: tells ? [] : totals, ...(late && { late: shown(late) }) };
}
