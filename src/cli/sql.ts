import type { Json } from '../data/json.ts';
import { mountTable, withSql } from '../stages/common/sql.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { tablesOf } from './lake.ts';
import { localPorts, useCaseOption } from './open.ts';

export const command: Command = {
  summary: 'Asks the lake’s tables in SQL (DuckDB).',
  usage: '"SELECT …"',
  examples: [
    ['bordereau sql "SELECT category, count(*) FROM predictions GROUP BY ALL"', 'as a table'],
    ['bordereau sql "FROM drift WHERE severity <> \'NONE\'" --json', 'as JSON'],
  ],
  options: { 'use-case': useCaseOption },
  positionals: { min: 1, max: 1 },
  async run(call) {
    const ports = await localPorts(call);
    const [query] = call.positionals;
    return withSql(ports, async (sql) => {
      const mounted: string[] = [];
      for (const { name, table } of tablesOf(ports, call.text('use-case')!, sql)) {
        if (await mountTable(table, sql, name)) mounted.push(name);
      }
      let rows: Record<string, Json>[];
      try {
        rows = await sql.rows(query);
      } catch (error) {
        throw new UsageError(`${(error as Error).message}\n  The tables are: ${mounted.join(', ') || 'none yet'}.`);
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

function cellText(value: Json): string {
  if (value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
