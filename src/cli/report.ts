import { join, resolve } from 'node:path';
import { UsageError, type Command, exitCodes } from './command.ts';
import { localPorts, useCaseOption } from './open.ts';

export const command: Command = {
  summary: 'Lists the reports of the runs, newest first, or gives the path of one.',
  usage: '[RUN]',
  examples: [
    ['bordereau report', 'every run of the use case with the path of its page'],
    ['bordereau report retrain-2026-02-01', 'the path of that run’s page'],
  ],
  options: { 'use-case': useCaseOption },
  positionals: { min: 0, max: 1 },
  async run(call) {
    const ports = await localPorts(call);
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
