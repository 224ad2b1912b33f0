import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Turnstile } from '../runtime/turnstile.ts';
import type { DemoDocument } from './demo-summary.ts';
import type { StoryOptions, Told } from './demo-story.ts';
import type { StoryMessage, StoryRecipe } from './demo-thread.ts';

/** Half a gigabyte or more each. */
const mostAtOnce = 4;

/**
 * Tells the stories of use cases in one state directory, each in a thread of its own and as many at once as there are
 * processors: much of a story runs on one. The documents are in the order of the use cases. Where a story fails, those that
 * have begun are told to their end, no other begins, and its error is thrown.
 */
export async function tellSideBySide(
  useCases: readonly string[],
  options: Omit<StoryOptions, 'tell'>,
  tell: (useCase: string, told: Told) => void,
): Promise<DemoDocument[]> {
  const turnstile = new Turnstile(Math.min(mostAtOnce, availableParallelism()));
  const failures: unknown[] = [];
  const told = useCases.map((useCase) =>
    turnstile.run(async () => {
      if (failures.length > 0) return undefined;
      const recipe = { useCase, ...options };
      return inThread(recipe, (one) => tell(useCase, one)).catch((error: unknown) => void failures.push(error));
    }),
  );
  const documents = await Promise.all(told);
  if (failures.length > 0) throw failures[0];
  return documents as DemoDocument[];
}

function inThread(recipe: StoryRecipe, tell: (told: Told) => void): Promise<DemoDocument> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./demo-thread.ts', import.meta.url), { workerData: recipe });
    let document: DemoDocument | undefined;
    worker.on('message', (message: StoryMessage) => {
      if ('document' in message) ({ document } = message);
      else tell(message);
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      if (document) resolve(document);
      else reject(new Error(`The thread of ${recipe.useCase} ended with code ${code} before its story did.`));
    });
  });
}
