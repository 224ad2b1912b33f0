import { readFile, rm } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { movedClock } from '../adapters/embedded/moved-clock.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Command, type Call, UsageError, exitCodes } from './command.ts';
import { type DemoDocument, type Month, demoDocument, summaryLines } from './demo-summary.ts';
import { generatorOf } from './generate.ts';
import { useCaseOption, useCasesFolder, withRuntime } from './open.ts';

/** Two months of a portfolio; the second one has inflation and an older population. */
const firstDrop = Date.parse('2026-01-05T09:00:00Z');
const secondDrop = Date.parse('2026-02-05T09:00:00Z');
const nextInference = Date.parse('2026-02-06T02:00:00Z');
const secondMonth = { inflation: 1.15, agedBy: 8 };

export const command: Command = {
  summary:
    'The whole way on this machine: a file becomes governed predictions, a month later it drifts and is retrained.',
  usage: '[--data FILE]',
  examples: [
    ['bordereau demo', 'with seeded synthetic policies'],
    ['bordereau demo --data policies.csv', 'with your own file; its second month is made from it'],
    ['bordereau demo --sigma 0.3', 'costs so noisy that the gate R² ≥ .80 refuses every model (exit code 4)'],
  ],
  options: {
    'use-case': useCaseOption,
    data: { type: 'string', value: 'FILE', help: 'a CSV file of your own in place of the synthetic one' },
    rows: { type: 'string', value: 'N', help: 'synthetic rows a month', default: '5000' },
    seed: { type: 'string', value: 'N', help: 'of the synthetic rows', default: '42' },
    sigma: { type: 'string', value: 'N', help: 'noise of the synthetic costs', default: '0.25' },
  },
  positionals: { min: 0, max: 0 },
  async run(call) {
    const startedMs = performance.now();
    const useCase = call.text('use-case')!;
    const [first, second] = await months(call, useCase);
    await clearEarlierDemo(call.directory);
    const clock = movedClock(firstDrop);
    const document = await withRuntime(
      call,
      async (runtime): Promise<DemoDocument> => {
        await markAsDemo(runtime);
        const [source] = Object.keys(declarationOf(runtime, useCase).sources);
        const drop = ({ fileName, bytes }: Month) => runtime.drop({ useCase, source, fileName, bytes });

        headline(call, 'January: the first file arrives');
        const { runId } = await drop(first);
        const january = await runtime.deliver();
        if (!january.some(({ announced }) => announced.includes('ModelPromoted'))) {
          return demoDocument(runtime, { useCase, runId, ended: january, call, startedMs });
        }
        headline(call, 'February: the second file arrives, with inflation and an older population');
        clock.set(secondDrop);
        await drop(second());
        const february = await runtime.deliver();
        headline(call, 'The next morning: daily inference');
        const morning = await runtime.runSchedules(clock.nowMs(), nextInference, clock.set);
        return demoDocument(runtime, { useCase, runId, ended: [...january, ...february, ...morning], call, startedMs });
      },
      { clock },
    );
    for (const line of summaryLines(document, call.output)) call.output.print(line);
    call.output.document(document);
    if (!document.champion) return document.rows.accepted > 0 ? exitCodes.modelGateRefused : exitCodes.dataGateFailed;
    return exitCodes.ok;
  },
};

const declarationOf = (runtime: Runtime, useCase: string) =>
  runtime.ports.catalogue.useCases.find(({ declaration }) => declaration.id === useCase)!.declaration;

function headline({ output }: Call, text: string): void {
  output.note('');
  output.note(output.style('bold', text));
}

/**
 * Both months' files: generated, or the user's own and one made from it. The second is made when the first has passed: a file
 * that is no table of the use case is for ingestion to refuse.
 */
async function months(call: Call, useCase: string): Promise<[Month, () => Month]> {
  const data = call.text('data');
  if (data === undefined) {
    const generate = await generatorOf(useCase);
    const options = { rows: call.number('rows'), seed: call.number('seed'), sigma: call.number('sigma') };
    const month = (given: object): Month => {
      const { fileName, csv } = generate({ ...options, ...given });
      return { fileName, bytes: csv };
    };
    return [month({ month: '2026-01' }), () => month({ month: '2026-02', ...secondMonth })];
  }
  const bytes = await readFile(data).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The file ${data} cannot be read (${error.code}).`);
  });
  const fileName = basename(data);
  const { nextMonth } = (await import(pathToFileURL(join(useCasesFolder, useCase, 'next-month.ts')).href)) as {
    nextMonth: (bytes: Uint8Array, file: string, drift: { inflation: number }) => Uint8Array;
  };
  return [
    { fileName, bytes },
    () => ({
      fileName: fileName.replace(/(\.\w+)?$/, '-next$1'),
      bytes: nextMonth(bytes, fileName, secondMonth),
    }),
  ];
}

const demoMark = 'runtime/demo.json';

/** A demo begins with nothing. What an earlier demo left is cleared; anything else is somebody's, and stays. */
async function clearEarlierDemo(directory: string): Promise<void> {
  if (!existsSync(directory) || readdirSync(directory).length === 0) return;
  if (!existsSync(join(directory, demoMark))) {
    throw new UsageError(
      `${directory} holds state that is not a demo's: the demo would mix with it.`,
      'bordereau demo --dir ANOTHER_DIRECTORY',
    );
  }
  await rm(directory, { recursive: true, force: true });
}

async function markAsDemo({ store }: Runtime): Promise<void> {
  await store.put('demo.json', new TextEncoder().encode('{}\n'));
}
