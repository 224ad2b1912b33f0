import { basename } from 'node:path';
import { contractChanges } from '../data/contract/compare.ts';
import { parseContract } from '../data/contract/parse.ts';
import { cleanCsv, isPadded } from '../data/inspect/clean.ts';
import { type Inspection, inspectFile } from '../data/inspect/inspect.ts';
import type { InferredColumn } from '../data/inspect/infer.ts';
import type { Json } from '../data/json.ts';
import { openSql } from '../data/sql.ts';
import { list } from './arguments.ts';
import { type Call, type Command, type ExitCode, UsageError, exitCodes } from './command.ts';
import { readGiven, writeGiven } from './files.ts';

/** Rejected rows that are shown without --rows. */
const firstRows = 10;

export const command: Command = {
  summary: 'Says what a file holds and which rows are broken, and proposes a data contract; or compares two contracts.',
  usage: 'FILE | --contract OLD NEW',
  examples: [
    ['bordereau inspect policies.csv', 'dialect, columns, rejected rows, and a contract as a draft'],
    ['bordereau inspect claims.jsonl.gz --rows', 'every rejected row with its line, byte and reason'],
    ['bordereau inspect policies.parquet --yaml > policies.odcs.yaml', 'the contract alone'],
    [
      'bordereau inspect raw.csv --header age,sex,lapsed --clean lapses.csv',
      'a copy that ingestion takes: with a header, without blanks beside delimiters',
    ],
    [
      'bordereau inspect --contract old.odcs.yaml new.odcs.yaml',
      'what changed, and whether files or tables would break',
    ],
  ],
  options: {
    rows: { type: 'boolean', default: false, help: 'every rejected row, not only the first' },
    yaml: { type: 'boolean', default: false, help: 'print the proposed contract and nothing else' },
    source: { type: 'string', value: 'NAME', help: 'what the contract calls the source; by default after the file' },
    header: { type: 'string', value: 'NAMES', help: 'the columns of a file without a header line, as a,b,c' },
    clean: { type: 'string', value: 'FILE', help: 'where to write the file as ingestion takes it' },
    contract: { type: 'boolean', default: false, help: 'compare two versions of a contract' },
  },
  positionals: { min: 1, max: 2 },
  async run(call) {
    const [file, newer] = call.positionals;
    if (call.flag('contract')) {
      if (newer === undefined) throw new UsageError('--contract takes two files, the old contract and the new one.');
      return compareContracts(call, file, newer);
    }
    if (newer !== undefined)
      throw new UsageError('"inspect" looks at one file at a time.', `bordereau inspect ${file}`);
    const source = call.text('source');
    if (source !== undefined && !/^[A-Za-z][A-Za-z0-9_]{0,89}$/.test(source)) {
      throw new UsageError(`--source takes a name of letters, digits and "_", not "${source}".`);
    }
    const clean = call.text('clean');
    const header = list(call, 'header');
    if (header && clean === undefined)
      throw new UsageError('--header names the columns of the copy that --clean FILE writes; give both.');
    const given = await readGiven(file);
    const bytes = clean === undefined ? given : cleanCsv(given, { file: basename(file), header });
    if (clean !== undefined) await writeGiven(clean, bytes);
    const sql = await openSql();
    try {
      const inspection = await inspectFile({
        sql,
        bytes,
        file: basename(file),
        ...(source !== undefined && { source }),
      });
      if (call.flag('yaml')) call.output.print(inspection.proposal.yaml.trimEnd());
      else print(call, inspection);
      call.output.document(documentOf(inspection, call.flag('rows')));
      return exitCodes.ok;
    } finally {
      await sql.close();
    }
  },
};

function print({ output, flag }: Call, inspection: Inspection): void {
  const { file, sizeBytes, header, columns, rejected, rows, acceptedRows, unreadable, proposal } = inspection;
  output.print(`${file}: ${sizeBytes.toLocaleString('en-US')} bytes, ${formText(inspection)}`);
  output.print(
    `${rows.toLocaleString('en-US')} rows, ${acceptedRows.toLocaleString('en-US')} accepted, ${rejected.length.toLocaleString('en-US')} rejected; ${header.length} columns`,
  );
  if (inspection.headerLooksLikeData)
    output.print(
      'The first line has numbers in it: is it a row, and the header missing? --header with --clean adds one.',
    );
  if (inspection.dialect && isPadded(inspection.dialect))
    output.print(
      'Blanks stand beside its delimiters, which ingestion never trims: --clean writes a copy without them.',
    );
  output.print();
  output.table(
    ['column', 'type', 'missing', 'distinct', 'remarks'],
    columns.map((column) => [
      column.header,
      column.type,
      String(column.missing),
      String(column.distinct),
      remarks(column, unreadable.find(({ name }) => name === column.header)?.type),
    ]),
  );
  const shown = flag('rows') ? rejected : rejected.slice(0, firstRows);
  if (shown.length > 0) {
    output.print();
    output.table(
      ['line', 'byte', 'column', 'reason'],
      shown.map(({ line, byteOffset, column, reason }) => [
        String(line),
        String(byteOffset ?? '–'),
        column ?? '',
        reason,
      ]),
    );
    if (shown.length < rejected.length)
      output.print(`… and ${rejected.length - shown.length} more: --rows shows them.`);
  }
  output.print();
  output.print(proposal.yaml.trimEnd());
}

function formText({ gzip, format, encoding, dialect }: Inspection): string {
  const names = { csv: 'CSV', jsonl: 'JSON lines', parquet: 'Parquet' };
  const delimiterNames = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'vertical bar' };
  return [
    `${names[format]}${gzip ? ' in gzip' : ''}`,
    encoding && `${encoding.name}${encoding.certain ? '' : ' (a guess)'}`,
    dialect && `delimiter ${delimiterNames[dialect.delimiter]}`,
    dialect && `line ends ${dialect.lineEnds}`,
    dialect?.quoted && 'quoted fields',
    dialect?.byteOrderMark && 'byte-order mark',
  ]
    .filter(Boolean)
    .join(', ');
}

function remarks({ unique, misfits, levels, booleans }: InferredColumn, unreadableType: string | undefined): string {
  if (unreadableType !== undefined) return `cannot be read: ${unreadableType}`;
  return [
    unique && 'unique',
    misfits > 0 && `${misfits} of another type`,
    levels && `${levels.length} values`,
    booleans && Object.keys(booleans).join('/'),
  ]
    .filter(Boolean)
    .join(', ');
}

function documentOf({ proposal, rejected, ...found }: Inspection, all: boolean): Json {
  const { yaml, key, eventTime } = proposal;
  return JSON.parse(
    JSON.stringify({
      ...found,
      rejectedRows: rejected.length,
      rejected: all ? rejected : rejected.slice(0, firstRows),
      contract: { yaml, key, eventTime },
    }),
  ) as Json;
}

async function compareContracts({ output }: Call, older: string, newer: string): Promise<ExitCode> {
  const [before, after] = await Promise.all(
    [older, newer].map(async (file) => parseContract(new TextDecoder().decode(await readGiven(file)), basename(file))),
  );
  const changes = contractChanges(before, after);
  if (changes.length === 0) output.print('The contracts ask for the same.');
  else {
    output.table(
      ['effect', 'what', 'why'],
      changes.map(({ effect, what, why }) => [effect, what, why]),
    );
  }
  const breaking = changes.some(({ effect }) => effect === 'breaking');
  output.document({ compatible: !breaking, changes });
  return breaking ? exitCodes.dataGateFailed : exitCodes.ok;
}
