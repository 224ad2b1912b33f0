import { quoteText } from '../data/quote.ts';
import { lakeTable, mountTable, predictionsPath, withSql } from '../stages/common/sql.ts';
import { type Command, UsageError } from './command.ts';
import { useCaseOption, withRuntime } from './open.ts';
import { followUp } from './outcome.ts';

export const command: Command = {
  summary: 'Looks again at what was scored last, or by a run: drift, performance, one verdict.',
  usage: '[RUN]',
  examples: [
    ['bordereau monitor', 'the last scoring run; exit code 5 where drift is found'],
    ['bordereau monitor score-2026-02-06', 'that run'],
  ],
  options: { 'use-case': useCaseOption },
  positionals: { min: 0, max: 1 },
  run: (call) =>
    withRuntime(call, async (runtime) => {
      const useCase = call.text('use-case')!;
      const [wanted] = call.positionals;
      const { ports } = runtime;
      const scored = await withSql(ports, async (sql) => {
        const table = lakeTable(ports, ports.gold, predictionsPath(useCase), sql);
        const mounted = await mountTable(table, sql, 'predictions');
        if (!mounted) return undefined;
        const which = wanted === undefined ? '' : `WHERE run_id = ${quoteText(wanted)}`;
        const [row] = await sql.rows(
          `SELECT run_id, model_version FROM predictions ${which} ORDER BY predicted_at DESC LIMIT 1`,
        );
        return (
          row && {
            runId: row['run_id'] as string,
            version: Number(row['model_version']),
            predictionsVersion: mounted.version,
          }
        );
      });
      if (!scored) throw new UsageError(`${wanted ?? 'Nothing'} has not been scored yet.`, 'bordereau score');
      const first = await runtime.start('monitor', { useCase, ...scored });
      const outcome = followUp(call, [first, ...(await runtime.deliver())]);
      call.output.document(outcome.document);
      return outcome.exitCode;
    }),
};
