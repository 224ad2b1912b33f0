import type { Json } from '../data/json.ts';
import { quoteName } from '../data/quote.ts';
import type { SqlEngine } from '../data/sql.ts';
import { mount } from '../lake/mount.ts';
import { type Reference, timeTravels } from '../lake/time-travel.ts';
import { mountTable, withSql } from '../stages/common/sql.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { cellText } from './output.ts';
import { type NamedTable, tablesOf } from './lake.ts';
import { localPorts, useCaseOption } from './open.ts';

export const command: Command = {
  summary: 'Asks the lake’s tables in SQL (DuckDB), as they are or as they were.',
  usage: '"SELECT …"',
  examples: [
    ['bordereau sql "SELECT category, count(*) FROM predictions GROUP BY ALL"', 'as a table'],
    ['bordereau sql "FROM drift WHERE severity <> \'NONE\'" --json', 'as JSON'],
    [
      'bordereau sql "SELECT count(*) FROM features AT (VERSION => 0)"',
      'as of a version of `bordereau tables --history`',
    ],
    ['bordereau sql "FROM predictions AT (TIMESTAMP => \'2026-02-01\')"', 'as of a time, in UTC'],
  ],
  options: { 'use-case': useCaseOption },
  positionals: { min: 1, max: 1 },
  async run(call) {
    const ports = await localPorts(call);
    const { query, references } = asked(call.positionals[0]);
    return withSql(ports, async (sql) => {
      const tables = tablesOf(ports, call.text('use-case')!, sql);
      const mounted: string[] = [];
      for (const { name, table } of tables) if (await mountTable(table, sql, name)) mounted.push(name);
      for (const reference of references) await mountAsOf(sql, tables, mounted, reference);
      let rows: Record<string, Json>[];
      try {
        rows = await sql.rows(query);
      } catch (error) {
        throw new UsageError(`${(error as Error).message}\n  The tables are: ${listed(mounted)}.`);
      }
      const columns = Object.keys(rows[0] ?? {});
      call.output.table(
        columns,
        rows.map((row) => columns.map((column) => cellText(row[column]))),
      );
      call.output.document({ rows });
      return exitCodes.ok;
    });
  },
};

function asked(query: string): ReturnType<typeof timeTravels> {
  try {
    return timeTravels(query);
  } catch (error) {
    throw new UsageError((error as Error).message, 'bordereau tables --history');
  }
}

/** Makes the relation that a query asks for: one table as of a version or a time. */
async function mountAsOf(
  sql: SqlEngine,
  tables: readonly NamedTable[],
  mounted: readonly string[],
  { table: name, asOf, schema }: Reference,
): Promise<void> {
  const known = tables.find((candidate) => candidate.name.toLowerCase() === name.toLowerCase());
  if (!known || !mounted.includes(known.name)) {
    throw new UsageError(
      `There is no table ${name} to go back in. The tables are: ${listed(mounted)}.`,
      'bordereau tables',
    );
  }
  const view = `${name} ${schema}`;
  try {
    await mount(sql, await known.table.snapshot(asOf), view);
  } catch (error) {
    const { name: kind, message } = error as Error;
    if (kind === 'VersionNotFound') throw new UsageError(message, 'bordereau tables --history');
    if (kind !== 'ObjectNotFound') throw error;
    throw new UsageError(
      `Rows of ${name} as of then are gone: a vacuum has taken files that only older versions had.`,
      'bordereau tables --history',
    );
  }
  await sql.run(`CREATE SCHEMA IF NOT EXISTS ${quoteName(schema)}`);
  await sql.run(`CREATE OR REPLACE VIEW ${quoteName(schema)}.${quoteName(name)} AS FROM ${quoteName(view)}`);
}

const listed = (names: readonly string[]) => names.join(', ') || 'none yet';
