import type { Json } from '../data/json.ts';
import { quoteText } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import type { Ports } from '../ports/stage-ports.ts';
import { buildFeatures } from '../stages/build-features.ts';
import { type DropStatement, mountQuarantine, redrive } from '../stages/common/redrive.ts';
import { withSql } from '../stages/common/sql.ts';
import { contractOf, useCaseOf } from '../usecase/catalogue.ts';
import { type Call, type Command, type ExitCode, UsageError, exitCodes } from './command.ts';
import { cellText } from './output.ts';
import { compactTime, localPorts, useCaseOption } from './open.ts';

export const command: Command = {
  summary: 'Shows the rows in quarantine, and tries them again after their contract was corrected.',
  usage: 'list | show [LINE] | redrive',
  examples: [
    ['bordereau quarantine list', 'counts by file and rule'],
    ['bordereau quarantine list --rows', 'every row’s place and reason, without its content'],
    [
      'bordereau quarantine show 17 --file policies.csv --raw',
      'one row with its raw text, which holds what the insurer sent',
    ],
    ['bordereau quarantine redrive', 'validates all of them again; what passes enters silver, once'],
    ['bordereau quarantine redrive --file policies.csv', 'the rows of one file'],
  ],
  options: {
    'use-case': useCaseOption,
    file: { type: 'string', value: 'NAME', help: 'only rows of this file' },
    source: { type: 'string', value: 'NAME', help: 'only rows of this source' },
    rows: { type: 'boolean', default: false, help: 'one line per row' },
    raw: { type: 'boolean', default: false, help: 'show raw text: it may name persons' },
  },
  positionals: { min: 1, max: 2 },
  async run(call) {
    const [verb, line] = call.positionals;
    if (!['list', 'show', 'redrive'].includes(verb)) {
      throw new UsageError(`"quarantine" knows list, show and redrive, not "${verb}".`, 'bordereau quarantine list');
    }
    if (line !== undefined && (verb !== 'show' || !/^[1-9]\d{0,8}$/.test(line))) {
      throw new UsageError(
        `"quarantine ${verb}" ${verb === 'show' ? `takes a line’s number, not "${line}"` : 'takes no word after it'}.`,
      );
    }
    if (verb === 'show' && line === undefined && call.text('file') === undefined) {
      throw new UsageError('Which rows? Name a line, or a file by --file.', 'bordereau quarantine list --rows');
    }
    const ports = await localPorts(call);
    const sources = sourcesOf(call, ports);
    return withSql(ports, async (sql) => {
      if (verb === 'redrive') return redriveAll(call, ports, sql, sources);
      const listed: { [column: string]: Json }[] = [];
      for (const source of sources) {
        if (!(await mountQuarantine(ports, sql, { useCase: call.text('use-case')!, source }))) continue;
        const query = verb === 'show' ? showQuery(call, line) : listQuery(call);
        listed.push(...(await sql.rows(query)).map((row) => (sources.length > 1 ? { source, ...row } : row)));
      }
      if (verb === 'show') showRows(call, listed);
      else listRows(call, listed);
      call.output.document({ quarantine: listed });
      return exitCodes.ok;
    });
  },
};

function sourcesOf(call: Call, ports: Ports): string[] {
  const useCase = useCaseOf(ports.catalogue, call.text('use-case')!);
  const source = call.text('source');
  if (source === undefined) return Object.keys(useCase.declaration.sources);
  contractOf(useCase, source);
  return [source];
}

const places =
  'source_file, line, byte_offset, rule, column_name, reason, contract_version, quarantined_at, redriven_in';

function listQuery(call: Call): string {
  const from = `FROM quarantine_rows ${where(call)}`;
  if (call.flag('rows')) return `SELECT ${places}${call.flag('raw') ? ', raw' : ''} ${from} ORDER BY ALL`;
  return `SELECT source_file, rule, column_name, any_value(reason) AS reason, count(*) AS rows, count(redriven_in) AS redriven
    ${from} GROUP BY ALL ORDER BY source_file, rows DESC, rule`;
}

function showQuery(call: Call, line: string | undefined): string {
  const rows = `SELECT ${places.replace('rule,', 'rules,')}, drop_id${call.flag('raw') ? ', raw' : ''} FROM quarantine_rows`;
  return `${rows} ${where(call, line && `line = ${line}`)} ORDER BY source_file, line`;
}

function where(call: Call, ...conditions: (string | undefined)[]): string {
  const file = call.text('file');
  const all = [file === undefined ? undefined : `source_file = ${quoteText(file)}`, ...conditions].filter(Boolean);
  return all.length > 0 ? `WHERE ${all.join(' AND ')}` : '';
}

function listRows({ output }: Call, listed: { [column: string]: Json }[]): void {
  if (listed.length === 0) {
    output.print('The quarantine is empty.');
    return;
  }
  const columns = Object.keys(listed[0]);
  output.table(
    columns,
    listed.map((row) => columns.map((column) => cellText(row[column]))),
  );
}

function showRows(call: Call, listed: { [column: string]: Json }[]): void {
  if (listed.length === 0)
    throw new UsageError('There is no such row in quarantine.', 'bordereau quarantine list --rows');
  for (const row of listed) {
    const width = Math.max(...Object.keys(row).map((column) => column.length));
    for (const [column, value] of Object.entries(row)) {
      if (value !== null) call.output.print(`${column.padEnd(width)}  ${cellText(value)}`);
    }
    call.output.print();
  }
  if (!call.flag('raw')) call.output.note('--raw shows their text, which may name persons.');
}

async function redriveAll(call: Call, ports: Ports, sql: SqlEngine, sources: readonly string[]): Promise<ExitCode> {
  const useCase = call.text('use-case')!;
  const file = call.text('file');
  const runId = `redrive-${compactTime(ports.clock)}`;
  const statements: (DropStatement & { source: string })[] = [];
  for (const source of sources) {
    const found = await redrive(ports, sql, { useCase, source, runId, ...(file !== undefined && { file }) });
    statements.push(...found.map((statement) => ({ source, ...statement })));
    // features are made of what silver has now; models see them with the next scoring or training
    if (found.some(({ redriven }) => redriven > 0)) await buildFeatures({ useCase, runId }, ports);
  }
  printStatements(call, statements);
  call.output.document({ runId, statements });
  return statements.every(({ reconciles }) => reconciles) ? exitCodes.ok : exitCodes.dataGateFailed;
}

function printStatements({ output }: Call, statements: readonly DropStatement[]): void {
  if (statements.length === 0) {
    output.print('No row in quarantine waits to be redriven.');
    return;
  }
  output.table(
    ['file', 'figure', 'dropped', '= silver', '+ quarantine', '+ rejected', 'redriven now', 'reconciles'],
    statements.flatMap(({ files: [file], dropped, silver, quarantined, rejected, redriven, totals, reconciles }) => [
      [
        file,
        'rows',
        dropped === null ? '–' : String(dropped),
        String(silver),
        String(quarantined),
        String(rejected),
        String(redriven),
        reconciles ? 'yes' : 'NO',
      ],
      ...totals.map((total) => [
        file,
        `sum of ${total.column}`,
        total.dropped ?? '–',
        total.silver,
        total.quarantined,
        total.rest,
        '',
        '',
      ]),
    ]),
  );
  for (const {
    files: [file],
    stays,
    dropped,
  } of statements) {
    for (const reason of stays) output.print(reason);
    if (dropped === null) output.print(`${file}: it has no receipt, so what was dropped is not known.`);
  }
}
