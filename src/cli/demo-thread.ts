/** A thread that tells the story of one use case and ends: what happens and then the document go to whoever started it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { DemoDocument } from './demo-summary.ts';
import { type StoryOptions, type Told, tellStory } from './demo-story.ts';
import { chooseUseCases } from './open.ts';
import { storyOf } from './synthetic.ts';

export type StoryRecipe = { useCase: string } & Omit<StoryOptions, 'tell'>;
export type StoryMessage = Told | { document: DemoDocument };

const { useCase, ...options } = workerData as StoryRecipe;
const tell = (message: StoryMessage) => parentPort?.postMessage(message);

chooseUseCases(options.useCases);
tell({ document: await tellStory(await storyOf(useCase), { ...options, tell }) });
