import { join, resolve } from 'node:path';
import type { Ports } from '../ports/stage-ports.ts';
import { readReceipt } from '../stages/common/receipt.ts';
import { type Call, type Command, type ExitCode, UsageError, exitCodes } from './command.ts';
import { localPorts, useCaseOption } from './open.ts';

export const command: Command = {
  summary: 'Lists the reports of the runs, newest first, or gives the path of one.',
  usage: '[RUN]',
  examples: [
    ['bordereau report', 'every run of the use case with the path of its page'],
    ['bordereau report retrain-2026-02-01', 'the path of that run’s page'],
    [
      'bordereau report drop-1f2e3d4c5b6a-0d9c8b --receipt',
      'what came with a drop, what was kept, what was not, and why',
    ],
  ],
  options: {
    'use-case': useCaseOption,
    receipt: { type: 'boolean', default: false, help: 'the receipt of a drop instead of its page' },
  },
  positionals: { min: 0, max: 1 },
  async run(call) {
    const ports = await localPorts(call);
    if (call.flag('receipt')) return printReceipt(call, ports);
    const prefix = `pages/${call.text('use-case')}/`;
    const runs: { run: string; path: string; writtenAt: string }[] = [];
    for await (const { key, lastModifiedMs } of ports.reports.list(prefix)) {
      if (key.endsWith('/index.html')) continue;
      const run = key.slice(prefix.length, -'.html'.length);
      const path = resolve(join(call.directory, 'reports', key));
      runs.push({ run, path, writtenAt: new Date(lastModifiedMs).toISOString() });
    }
    runs.sort((a, b) => (a.writtenAt < b.writtenAt ? 1 : -1));
    const [wanted] = call.positionals;
    if (wanted !== undefined) {
      const found = runs.find(({ run }) => run === wanted);
      if (!found) throw new UsageError(`No run "${wanted}" has a report here.`, 'bordereau report');
      call.output.print(found.path);
      call.output.document(found);
      return exitCodes.ok;
    }
    call.output.table(
      ['run', 'written', 'page'],
      runs.map(({ run, path, writtenAt }) => [run, writtenAt.slice(0, 19), path]),
    );
    call.output.document({ reports: runs });
    return exitCodes.ok;
  },
};

async function printReceipt({ positionals: [runId], text, output }: Call, ports: Ports): Promise<ExitCode> {
  const receipt = runId === undefined ? undefined : await readReceipt(ports, { useCase: text('use-case')!, runId });
  if (receipt === undefined) {
    throw new UsageError(
      runId === undefined
        ? 'Whose receipt? Name the run of a drop.'
        : `The run "${runId}" has no receipt: it is no drop.`,
      'bordereau report',
    );
  }
  const { name, files, arrivedAt, status, reason, rows, totals, late, broken, contract } = receipt;
  output.print(
    `${name}: ${status}${arrivedAt === null ? '' : `, arrived ${arrivedAt.slice(0, 19)}Z`}, contract ${contract.id} ${contract.version}`,
  );
  for (const file of files) output.print(`  ${file.name}, ${file.sizeBytes} bytes, SHA-256 ${file.sha256}`);
  if (reason) output.print(reason);
  output.print();
  output.table(
    ['figure', 'dropped', 'accepted', 'quarantined', 'rejected'],
    [
      ['rows', ...[rows.dropped, rows.accepted, rows.quarantined, rows.rejected].map(String)],
      ...totals.map((total) => [`sum of ${total.column}`, total.dropped, total.accepted, total.quarantined, '']),
    ],
  );
  if (late) {
    const oldest = late.oldestDays === null ? '' : `, the oldest by ${late.oldestDays} days`;
    output.print(`${late.rows} rows came late${oldest}; ${late.beyond} are from before the look-back.`);
  }
  if (broken.length > 0) {
    output.print();
    output.table(
      ['rule', 'column', 'outcome', 'rows'],
      broken.map(({ rule, column, outcome, rows: count }) => [rule, column ?? '', outcome, String(count)]),
    );
  }
  output.document(receipt);
  return exitCodes.ok;
}
