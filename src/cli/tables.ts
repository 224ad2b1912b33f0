import { rowCount } from '../lake/snapshot.ts';
import { vacuum } from '../lake/vacuum.ts';
import { withSql } from '../stages/common/sql.ts';
import { type Call, type Command, type ExitCode, UsageError, exitCodes } from './command.ts';
import { tablesOf } from './lake.ts';
import { localPorts, useCaseOption } from './open.ts';

export const command: Command = {
  summary: 'Lists the lake’s tables with their versions, rows and columns; tidies them up.',
  usage: '[vacuum]',
  examples: [
    ['bordereau tables', 'what `bordereau sql` can ask'],
    ['bordereau tables --history', 'every version of every table'],
    ['bordereau tables vacuum --dry-run', 'which files no version of the last seven days needs'],
    ['bordereau tables vacuum --retention 30d', 'deletes those that no version of the last 30 days needs'],
  ],
  options: {
    'use-case': useCaseOption,
    history: { type: 'boolean', default: false, help: 'one line per version' },
    retention: {
      type: 'string',
      value: 'TIME',
      help: 'vacuum: how far back versions stay readable, as 7d or 72h; 7d unless given',
    },
    'dry-run': { type: 'boolean', default: false, help: 'vacuum: delete nothing' },
  },
  positionals: { min: 0, max: 1 },
  async run(call) {
    const [verb] = call.positionals;
    if (verb === undefined) return list(call);
    if (verb === 'vacuum') return tidy(call);
    throw new UsageError(`"tables" knows vacuum, not "${verb}".`, 'bordereau tables --help');
  },
};

async function list(call: Call): Promise<ExitCode> {
  for (const option of ['retention', 'dry-run']) {
    if (!call.text(option)) continue;
    throw new UsageError(`--${option} belongs to vacuum.`, 'bordereau tables vacuum --dry-run');
  }
  const ports = await localPorts(call);
  return withSql(ports, async (sql) => {
    const rows = [];
    for (const { name, zone, path, table } of tablesOf(ports, call.text('use-case')!, sql)) {
      if (!(await table.latest())) continue;
      const versions = call.flag('history') ? await table.history() : (await table.history()).slice(0, 1);
      for (const { version, timestampMs, operation } of versions) {
        const snapshot = await table.snapshot({ version });
        rows.push({
          table: name,
          version,
          committedAt: new Date(timestampMs).toISOString(),
          operation: operation ?? '',
          rows: rowCount(snapshot) ?? null,
          columns: snapshot.schema.fields.map((field) => field.name),
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
        row.rows?.toLocaleString('en-US') ?? '',
        String(row.columns.length),
        row.location,
      ]),
    );
    call.output.document({ tables: rows });
    return exitCodes.ok;
  });
}

async function tidy(call: Call): Promise<ExitCode> {
  const [dryRun, retention] = [call.flag('dry-run'), call.text('retention') ?? '7d'];
  const retentionMs = durationMs(retention);
  const ports = await localPorts(call);
  return withSql(ports, async (sql) => {
    const rows = [];
    for (const { name, zone, path, table } of tablesOf(ports, call.text('use-case')!, sql)) {
      if (!(await table.latest())) continue;
      const { files, sizeBytes } = await vacuum(table, { retentionMs, dryRun }).catch(refusal);
      rows.push({
        table: name,
        files: files.map(({ key }) => `${zone}/${key}`),
        sizeBytes,
        location: `${zone}/${path}`,
      });
    }
    call.output.table(
      ['table', dryRun ? 'files to delete' : 'files deleted', 'MB', 'location'],
      rows.map((row) => [row.table, String(row.files.length), (row.sizeBytes / 1e6).toFixed(1), row.location]),
    );
    call.output.document({ dryRun, retention, tables: rows });
    return exitCodes.ok;
  });
}

/** What the caller can put right is the command line’s matter; all else is an error as it is. */
function refusal(error: Error): never {
  if (error.name === 'UnsafeRetention') throw new UsageError(error.message, 'bordereau tables vacuum --retention 7d');
  throw error;
}

function durationMs(text: string): number {
  const [, count, unit] = /^(\d{1,6})([dh])$/.exec(text) ?? [];
  if (count === undefined) throw new UsageError(`--retention takes days or hours, as 7d or 72h, not "${text}".`);
  return Number(count) * (unit === 'd' ? 24 : 1) * 3_600_000;
}
