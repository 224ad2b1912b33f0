import { mountTable, withSql } from '../stages/common/sql.ts';
import { type Command, UsageError, exitCodes } from './command.ts';
import { tablesOf } from './lake.ts';
import { localPorts, useCaseOption } from './open.ts';

export const command: Command = {
  summary: 'Shows the rows in quarantine: which file and line, which rule, why.',
  usage: 'list',
  examples: [
    ['bordereau quarantine list', 'counts by file and rule'],
    ['bordereau quarantine list --rows', 'every row’s place and reason, without its content'],
    ['bordereau quarantine list --raw', 'with the raw text too, which holds what the insurer sent'],
  ],
  options: {
    'use-case': useCaseOption,
    rows: { type: 'boolean', default: false, help: 'one line per row' },
    raw: { type: 'boolean', default: false, help: 'one line per row with its raw text: it may name persons' },
  },
  positionals: { min: 1, max: 1 },
  async run(call) {
    const [verb] = call.positionals;
    if (verb !== 'list') throw new UsageError(`"quarantine" knows list, not "${verb}".`, 'bordereau quarantine list');
    const ports = await localPorts(call);
    return withSql(ports, async (sql) => {
      const listed = [];
      for (const { name, table } of tablesOf(ports, call.text('use-case')!, sql)) {
        if (!name.startsWith('quarantine') || !(await mountTable(table, sql, name))) continue;
        const query = call.flag('rows') || call.flag('raw')
          ? `SELECT source_file, line, byte_offset, rule, column_name, reason, contract_version, quarantined_at${call.flag('raw') ? ', raw' : ''} FROM ${name} ORDER BY ALL`
          : `SELECT source_file, rule, column_name, any_value(reason) AS reason, count(*) AS rows FROM ${name} GROUP BY ALL ORDER BY source_file, rows DESC, rule`;
        listed.push(...(await sql.rows(query)));
      }
      if (listed.length === 0) call.output.print('The quarantine is empty.');
      else {
        const columns = Object.keys(listed[0]);
        call.output.table(
          columns,
          listed.map((row) => columns.map((column) => String(row[column] ?? ''))),
        );
      }
      call.output.document({ quarantine: listed });
      return exitCodes.ok;
    });
  },
};
