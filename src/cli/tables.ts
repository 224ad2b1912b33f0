import { type Command, exitCodes } from './command.ts';
import { tablesOf } from './lake.ts';
import { localPorts, useCaseOption } from './open.ts';

export const command: Command = {
  summary: 'Lists the lake’s tables with their versions, rows and columns.',
  usage: '',
  examples: [
    ['bordereau tables', 'what `bordereau sql` can ask'],
    ['bordereau tables --history', 'every version of every table'],
  ],
  options: {
    'use-case': useCaseOption,
    history: { type: 'boolean', default: false, help: 'one line per version' },
  },
  positionals: { min: 0, max: 0 },
  async run(call) {
    const ports = await localPorts(call);
    const rows: {
      table: string;
      version: number;
      committedAt: string;
      operation: string;
      rows: number;
      columns: string[];
      location: string;
    }[] = [];
    for (const { name, zone, path, table } of tablesOf(ports, call.text('use-case')!)) {
      if (!(await table.latest())) continue;
      const versions = call.flag('history') ? await table.history() : (await table.history()).slice(0, 1);
      for (const { version, timestampMs, operation } of versions) {
        const { files, schema } = await table.snapshot({ version });
        rows.push({
          table: name,
          version,
          committedAt: new Date(timestampMs).toISOString(),
          operation: operation ?? '',
          rows: [...files.values()].reduce((sum, { stats }) => sum + rowsIn(stats), 0),
          columns: schema.fields.map((field) => field.name),
          location: `${zone}/${path}`,
        });
      }
    }
    call.output.table(
      ['table', 'version', 'committed', 'operation', 'rows', 'columns', 'location'],
      rows.map((row) => [
        row.table,
        String(row.version),
        row.committedAt.slice(0, 19),
        row.operation,
        row.rows.toLocaleString('en-US'),
        String(row.columns.length),
        row.location,
      ]),
    );
    call.output.document({ tables: rows });
    return exitCodes.ok;
  },
};

const rowsIn = (stats: string | undefined) =>
  stats === undefined ? 0 : (JSON.parse(stats) as { numRecords: number }).numRecords;
