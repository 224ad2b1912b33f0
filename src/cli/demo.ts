import { readFile, rm } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Command, type Call, type ExitCode, UsageError, exitCodes } from './command.ts';
import { demoMark } from './demo-mark.ts';
import type { Story, Told } from './demo-story.ts';
import { type DemoDocument, overviewLines, summaryLines } from './demo-summary.ts';
import { localCatalogue, useCaseOption, useCasesFolder } from './open.ts';
import { progressView } from './progress.ts';
import { demoOf, generatorOf, generatorOptions, generatorValues, storyOf } from './synthetic.ts';

export const command: Command = {
  summary:
    'The whole way on this machine: files become governed predictions, a month later they drift and the model is retrained.',
  usage: '[--use-case ID | --all | --data FILE]',
  examples: [
    ['bordereau demo', 'insurance-cost with seeded synthetic policies'],
    ['bordereau demo --use-case claim-propensity', 'another use case'],
    ['bordereau demo --all', 'all of them, as many at once as there are processors'],
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
    const startedMs = performance.now();
    const documents = call.flag('all') ? await tellAll(call) : [await tellOne(call)];
    for (const document of documents) for (const line of summaryLines(document, call.output)) call.output.print(line);
    if (call.flag('all')) {
      const seconds = (performance.now() - startedMs) / 1000;
      for (const line of overviewLines(documents, seconds, call.output)) call.output.print(line);
      call.output.document({ format: 1, useCases: documents, seconds });
    } else call.output.document(documents[0]);
    return Math.max(...documents.map(exitCodeOf)) as ExitCode;
  },
};

async function tellOne(call: Call): Promise<DemoDocument> {
  const story = await storyAsked(call);
  const seed = call.text('data') === undefined ? seedOf(call) : undefined;
  await clearEarlierDemo(call.directory);
  const { tellStory } = await import('./demo-story.ts');
  return watched(call, (show) =>
    tellStory(story, { directory: call.directory, useCases: useCasesFolder, seed, tell: (told) => show(told) }),
  );
}

async function tellAll(call: Call): Promise<DemoDocument[]> {
  if (call.text('data') !== undefined) throw new UsageError('--data is a file of one use case: leave --all out.');
  const { useCases } = await localCatalogue();
  const ids = useCases.map(({ declaration }) => declaration.id);
  await Promise.all(ids.map(demoOf));
  await clearEarlierDemo(call.directory);
  const { tellSideBySide } = await import('./demo-side-by-side.ts');
  const options = { directory: call.directory, useCases: useCasesFolder, seed: seedOf(call) };
  const widest = Math.max(...ids.map(({ length }) => length));
  return watched(call, (show) => tellSideBySide(ids, options, (id, told) => show(told, id.padEnd(widest))));
}

/** The story that a command line names. Throws `UsageError`. */
async function storyAsked(call: Call): Promise<Story> {
  const useCase = call.text('use-case')!;
  const data = call.text('data');
  if (data === undefined) return storyOf(useCase, generatorValues(call, (await generatorOf(useCase)).options));
  const { ownFile, until } = await demoOf(useCase);
  if (!ownFile) throw new UsageError(`The demo of ${useCase} takes no file of one's own; drop it instead.`);
  const bytes = await readFile(data).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`The file ${data} cannot be read (${error.code}).`);
  });
  return { useCase, steps: ownFile({ fileName: basename(data), bytes }), until };
}

/** The use case that a command line names. */
function useCaseIn(args: readonly string[]): string {
  const at = args.findIndex((arg) => arg === '--use-case' || arg.startsWith('--use-case='));
  if (at < 0) return useCaseOption.default;
  return args[at].split('=')[1] ?? args[at + 1] ?? useCaseOption.default;
}

const seedOf = (call: Call) => call.text('seed') ?? '42';

/** Does work whose progress is shown, with the use case before it where there are several. */
async function watched<T>(
  { output }: Call,
  work: (show: (told: Told, useCase?: string) => void) => Promise<T>,
): Promise<T> {
  const view = progressView(output);
  try {
    return await work((told, useCase) => {
      if ('headline' in told) view.headline(told.headline, useCase);
      else view.show(told.progress, useCase);
    });
  } finally {
    view.close();
  }
}

function exitCodeOf({ champion, rows }: DemoDocument): ExitCode {
  if (champion) return exitCodes.ok;
  return rows.accepted > 0 ? exitCodes.modelGateRefused : exitCodes.dataGateFailed;
}

/** A demo begins with nothing. What an earlier demo left is cleared; anything else is somebody's, and stays. */
async function clearEarlierDemo(directory: string): Promise<void> {
  if (!existsSync(directory) || readdirSync(directory).length === 0) return;
  if (!existsSync(join(directory, 'runtime', demoMark))) {
    throw new UsageError(
      `${directory} holds state that is not a demo's: the demo would mix with it.`,
      'bordereau demo --dir ANOTHER_DIRECTORY',
    );
  }
  await rm(directory, { recursive: true, force: true });
}
