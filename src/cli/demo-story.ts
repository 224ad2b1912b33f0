import { type MovedClock, movedClock } from '../adapters/embedded/moved-clock.ts';
import { SeededIds } from '../adapters/embedded/seeded-ids.ts';
import type { Progress } from '../runtime/progress.ts';
import { type Ended, type Runtime, openRuntime } from '../runtime/runtime.ts';
import type { Demo, DemoStep } from '../usecase/synthetic.ts';
import { demoMark } from './demo-mark.ts';
import { type DemoDocument, demoDocument } from './demo-summary.ts';
import { newestExports } from './exported.ts';

/** The demo of a use case: what arrives when, and until when the schedules run. */
export type Story = { useCase: string; steps: readonly DemoStep[]; until: Demo['until'] };

/** What an onlooker is told while a story goes on. */
export type Told = { headline: string } | { progress: Progress };

export type StoryOptions = {
  /** Where its state lies; stories of other use cases may lie there too, and be told at the same time. */
  directory: string;
  useCases: string;
  /**
   * The test set follows the surrogates: invented people get the same ones in every demo. @default - random ones, for a
   * file's own people
   */
  seed?: string;
  tell: (told: Told) => void;
};

/** Tells a story from its beginning, in a state directory that is a demo's from then on. */
export async function tellStory(
  story: Story,
  { directory, useCases, seed, tell }: StoryOptions,
): Promise<DemoDocument> {
  const clock = movedClock(Date.parse(story.steps[0].at));
  const runtime = await openRuntime({
    directory,
    useCases,
    useCase: story.useCase,
    clock,
    ...(seed !== undefined && { surrogates: new SeededIds(seed) }),
    onProgress: (progress) => tell({ progress }),
  });
  try {
    await runtime.store.put(demoMark, new TextEncoder().encode('{}\n'));
    const { document } = await happen(runtime, clock, story, { directory, headline: (headline) => tell({ headline }) });
    return document;
  } finally {
    await runtime.close();
  }
}

/**
 * Lets a story happen at the times of its own calendar: drops the files of each step and delivers what they cause, then lets the
 * schedules fire.
 */
export async function happen(
  runtime: Runtime,
  clock: MovedClock,
  { useCase, steps, until }: Story,
  { directory, headline }: { directory: string; headline: (text: string) => void },
): Promise<{ document: DemoDocument; ended: Ended[] }> {
  const exported = newestExports(runtime.ports, useCase);
  const startedMs = performance.now();
  const ended: Ended[] = [];
  const runIds: string[] = [];
  const told = async () => ({
    document: await demoDocument(runtime, { useCase, runIds, ended, directory, startedMs }),
    ended,
  });
  for (const [i, { at, headline: text, files, until: night }] of steps.entries()) {
    headline(text);
    clock.set(Date.parse(at));
    for (const { source, fileName, bytes } of await files(exported)) {
      const { runId } = await runtime.drop({ useCase, source, fileName, bytes });
      if (i === 0) runIds.push(runId);
    }
    ended.push(...(await runtime.deliver()));
    // without a champion there is nothing for later files to be scored with
    if (i === 0 && !ended.some(({ announced }) => announced.includes('ModelPromoted'))) return told();
    if (night) ended.push(...(await runtime.runSchedules(clock.nowMs(), Date.parse(night), clock.set)));
  }
  headline('The next morning: daily inference');
  ended.push(...(await runtime.runSchedules(clock.nowMs(), Date.parse(until), clock.set)));
  return told();
}
