import type { DropReceipt, RunFacts } from '../facts.ts';
import { count, counted, instant } from '../format.ts';
import { tableHeading } from '../section.ts';
import type { Section } from '../section.ts';
import type { Status } from '../status.ts';
import { el, fragment } from '../svg.ts';
import type { Markup } from '../svg.ts';
import { table } from '../table.ts';

const statuses: Record<DropReceipt['status'], Status> = {
  accepted: 'passed',
  repeated: 'notice',
  renewed: 'notice',
  superseded: 'notice',
  waiting: 'notice',
  halted: 'failed',
  rejected: 'failed',
};

/** What the sender would be told: what came, when, and what it adds up to. */
export function receipt({ receipt }: RunFacts): Section | undefined {
  if (!receipt) return undefined;
  const { status, name, reason, files, totals } = receipt;
  return {
    id: 'receipt',
    name: 'Receipt',
    headline: { status: statuses[status], sentence: `${name}: ${status}` },
    body: [
      el('p', { class: 'lead' }, sentence(receipt)),
      reason !== '' && el('p', {}, reason),
      receipt.late && el('p', {}, lateness(receipt.late)),
      files.length > 0 && fragment(tableHeading('Files'), fileTable(files)),
      totals.length > 0 && fragment(tableHeading('Control totals'), totalTable(totals)),
    ],
  };
}

function sentence({ name, arrivedAt, files }: DropReceipt): string {
  const what = files.length > 1 ? `${name}, with ${counted(files.length, 'file')}` : name;
  return arrivedAt === null ? what : `${what}, arrived ${instant(arrivedAt)}`;
}

function lateness({ rows, oldestDays, beyond }: NonNullable<DropReceipt['late']>): string {
  const oldest = oldestDays === null ? '' : `, the oldest by ${counted(oldestDays, 'day')}`;
  return `${counted(rows, 'row')} came late${oldest}; ${counted(beyond, 'row')} ${beyond === 1 ? 'is' : 'are'} from before the look-back.`;
}

function fileTable(files: DropReceipt['files']): Markup {
  const content = {
    columns: [{ label: 'File' }, { label: 'Bytes', numeric: true }, { label: 'SHA-256' }],
    rows: files.map(({ name, sizeBytes, sha256 }) => [name, count(sizeBytes), el('code', {}, sha256)]),
  };
  return table(content, 'Files', { stacked: true });
}

function totalTable(totals: DropReceipt['totals']): Markup {
  const content = {
    columns: [
      { label: 'Column' },
      { label: 'Dropped', numeric: true },
      { label: '= accepted', numeric: true },
      { label: '+ quarantined', numeric: true },
      { label: 'Rows unread', numeric: true },
    ],
    rows: totals.map(({ column, dropped, accepted, quarantined, unreadableRows }) => [
      column,
      dropped,
      accepted,
      quarantined,
      count(unreadableRows),
    ]),
  };
  return table(content, 'Control totals');
}
