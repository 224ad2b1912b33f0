import { readFile, rm } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { movedClock } from '../adapters/embedded/moved-clock.ts';
import { SeededIds } from '../adapters/embedded/seeded-ids.ts';
import type { Ended, Runtime } from '../runtime/runtime.ts';
import type { DemoStep } from '../usecase/synthetic.ts';
import { type Command, type Call, type ExitCode, UsageError, exitCodes } from './command.ts';
import { type DemoDocument, demoDocument, overviewLines, summaryLines } from './demo-summary.ts';
import { newestExports } from './exported.ts';
import { localCatalogue, useCaseOption, withRuntime } from './open.ts';
import { demoOf, generatorOf, generatorOptions, generatorValues } from './synthetic.ts';

export const command: Command = {
  summary:
    'The whole way on this machine: files become governed predictions, a month later they drift and the model is retrained.',
  usage: '[--use-case ID | --all | --data FILE]',
  examples: [
    ['bordereau demo', 'insurance-cost with seeded synthetic policies'],
    ['bordereau demo --use-case claim-propensity', 'another use case'],
    ['bordereau demo --all', 'all of them, one after the other'],
    ['bordereau demo --data policies.csv', 'with your own file; its second month is made from it'],
    ['bordereau demo --sigma 0.3', 'costs so noisy that the gate R² ≥ .80 refuses every model (exit code 4)'],
  ],
  options: {
    'use-case': useCaseOption,
    all: { type: 'boolean', help: 'every use case that has a demo' },
    data: { type: 'string', value: 'FILE', help: 'a CSV file of your own in place of the synthetic one' },
  },
  moreOptions: (args) => generatorOptions(args.includes('--all') ? undefined : useCaseIn(args), { files: false }),
  positionals: { min: 0, max: 0 },
  async run(call) {
    const stories = await storiesOf(call);
    await clearEarlierDemo(call.directory);
    const clock = movedClock(Date.parse(stories[0].steps[0].at));
    const documents = await withRuntime(
      call,
      async (runtime) => {
        await markAsDemo(runtime);
        const told: DemoDocument[] = [];
        for (const story of stories) told.push(await tell(runtime, story, { call, clock }));
        return told;
      },
      // the test set follows the surrogates: invented people get the same ones in every demo, a file's own people random ones
      { clock, ...(call.text('data') === undefined && { surrogates: new SeededIds(call.text('seed') ?? '42') }) },
    );
    for (const document of documents) for (const line of summaryLines(document, call.output)) call.output.print(line);
    if (documents.length > 1) for (const line of overviewLines(documents, call.output)) call.output.print(line);
    call.output.document(documents.length === 1 ? documents[0] : { format: 1, useCases: documents });
    return Math.max(...documents.map(exitCodeOf)) as ExitCode;
  },
};

type Story = { useCase: string; steps: readonly DemoStep[]; until: string };

/** The use case that a command line names. */
function useCaseIn(args: readonly string[]): string {
  const at = args.findIndex((arg) => arg === '--use-case' || arg.startsWith('--use-case='));
  if (at < 0) return useCaseOption.default;
  return args[at].split('=')[1] ?? args[at + 1] ?? useCaseOption.default;
}

async function storiesOf(call: Call): Promise<Story[]> {
  if (call.flag('all')) {
    if (call.text('data') !== undefined) throw new UsageError('--data is a file of one use case: leave --all out.');
    const { useCases } = await localCatalogue();
    return Promise.all(useCases.map(async ({ declaration: { id } }) => storyOf(id, (await demoOf(id)).values({}))));
  }
  const useCase = call.text('use-case')!;
  const demo = await demoOf(useCase);
  const data = call.text('data');
  if (data === undefined) {
    return [await storyOf(useCase, demo.values(generatorValues(call, (await generatorOf(useCase)).options)))];
  }
  if (!demo.ownFile) throw new UsageError(`The demo of ${useCase} takes no file of one's own; drop it instead.`);
  const bytes = await readFile(data).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The file ${data} cannot be read (${error.code}).`);
  });
  return [await storyOf(useCase, demo.ownFile({ fileName: basename(data), bytes }))];
}

const storyOf = async (useCase: string, steps: readonly DemoStep[]): Promise<Story> => ({
  useCase,
  steps,
  until: (await demoOf(useCase)).until,
});

/** Drops the files of each step at its time and delivers what they cause, then lets the schedules fire. */
async function tell(
  runtime: Runtime,
  { useCase, steps, until }: Story,
  { call, clock }: { call: Call; clock: ReturnType<typeof movedClock> },
): Promise<DemoDocument> {
  const { directory } = call;
  const exported = newestExports(runtime.ports, useCase);
  const startedMs = performance.now();
  const ended: Ended[] = [];
  const runIds: string[] = [];
  for (const [i, { at, headline: text, files, until: night }] of steps.entries()) {
    headline(call, text);
    clock.set(Date.parse(at));
    for (const { source, fileName, bytes } of await files(exported)) {
      const { runId } = await runtime.drop({ useCase, source, fileName, bytes });
      if (i === 0) runIds.push(runId);
    }
    ended.push(...(await runtime.deliver()));
    // without a champion there is nothing for later files to be scored with
    if (i === 0 && !ended.some(({ announced }) => announced.includes('ModelPromoted'))) {
      return demoDocument(runtime, { useCase, runIds, ended, directory, startedMs });
    }
    if (night) ended.push(...(await runtime.runSchedules(clock.nowMs(), Date.parse(night), clock.set, useCase)));
  }
  headline(call, 'The next morning: daily inference');
  ended.push(...(await runtime.runSchedules(clock.nowMs(), Date.parse(until), clock.set, useCase)));
  return demoDocument(runtime, { useCase, runIds, ended, directory, startedMs });
}

function exitCodeOf({ champion, rows }: DemoDocument): ExitCode {
  if (champion) return exitCodes.ok;
  return rows.accepted > 0 ? exitCodes.modelGateRefused : exitCodes.dataGateFailed;
}

function headline({ output }: Call, text: string): void {
  output.note('');
  output.note(output.style('bold', text));
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
