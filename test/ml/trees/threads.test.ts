import { assert, constantFrom, integer, property, record } from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { writeLightgbmText } from '../../../src/ml/formats/lightgbm-text.ts';
import type { Matrix } from '../../../src/ml/matrix.ts';
import { random } from '../../../src/ml/random.ts';
import { type BoostingOptions, trainBoosting } from '../../../src/ml/trees/boosting.ts';
import type { BoostingParameters } from '../../../src/ml/trees/parameters.ts';
import { roundsOn } from '../../../src/ml/trees/rounds.ts';
import type { ThreadData } from '../../../src/ml/trees/second-thread.ts';

/** What becomes of the workers that are asked for, what each was given, and how those that were started ended. */
const workers = vi.hoisted(() => ({
  start: 'well' as 'well' | 'not at all' | 'only to fail' | 'and fails at work',
  given: [] as ThreadData[],
  ended: [] as Promise<unknown>[],
}));

vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>();
  const code = {
    'only to fail': 'throw new Error("out of order")',
    'and fails at work': 'require("worker_threads").workerData.port.postMessage({ error: new Error("out of memory") })',
  };
  return {
    ...real,
    Worker: class extends real.Worker {
      constructor(file: URL, options: import('node:worker_threads').WorkerOptions) {
        const { start, given, ended } = workers;
        if (start === 'not at all') throw new Error('No threads here.');
        if (start === 'well') super(file, options);
        else super(code[start], { ...options, eval: true });
        given.push(options.workerData as ThreadData);
        ended.push(new Promise((resolve) => this.once('exit', resolve)));
      }
    },
  };
});

afterEach(async () => {
  workers.start = 'well';
  workers.given.length = 0;
  await Promise.all(workers.ended.splice(0));
});

const secondThread = new URL('../../../src/ml/trees/training-thread.ts', import.meta.url);
const outputs = 8;

/** Wide enough for a second thread: two outputs depend on a feature each, the others on both. */
function wideExample(rows: number, columns: number, seed: number) {
  const r = random(seed);
  const values = Float64Array.from({ length: rows * columns }, (_, i) =>
    i % 7 === 0 && r.uniform() < 0.3 ? NaN : Math.round(10 * r.uniform() * (1 + (i % 50))),
  );
  const names = Array.from({ length: columns }, (_, c) => `x${c}`);
  const data: Matrix = { rows, columns, names, values, categorical: [3] };
  for (let i = 3 * rows; i < 4 * rows; i++) values[i] %= 12;
  const target = Float64Array.from({ length: rows * outputs }, (_, i) => {
    const [row, output] = [Math.floor(i / outputs), i % outputs];
    return (values[(output % columns) * rows + row] || 0) + (output > 1 ? values[row] || 0 : 0) + 5 * r.uniform();
  });
  return { data, target, weight: Float64Array.from({ length: rows }, () => 0.5 + r.uniform()) };
}

/** Blocks this thread until the other has grown all trees of a round; throws where that takes longer than a minute. */
function untilGrown(round: number, iterations: number): void {
  const rounds = roundsOn(workers.given.at(-1)!.memory, iterations, outputs);
  for (let waits = 0; rounds.figures(round) === null; waits++) {
    if (waits > 1200) throw new Error('The second thread does nothing.');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
}

test('two threads give the bytes of one, whatever the configuration', () => {
  const configurations = record({
    rows: integer({ min: 8400, max: 8500 }),
    columns: integer({ min: 63, max: 65 }),
    seed: integer(),
    objective: constantFrom('squared_error', 'absolute_error'),
    isWeighted: constantFrom(false, true),
    isWatched: constantFrom(false, true),
    featureFraction: constantFrom(1, 0.8, 0.3),
    baggingFraction: constantFrom(1, 0.8),
    baggingFrequency: constantFrom(1, 3),
    numLeaves: integer({ min: 2, max: 12 }),
  });
  assert(
    property(configurations, ({ rows, columns, isWeighted, isWatched, ...varied }) => {
      const { data, target, weight } = wideExample(rows, columns, varied.seed);
      const watched = wideExample(300, columns, varied.seed + 1);
      const iterations = 8;
      const parameters: BoostingParameters = {
        ...varied,
        iterations,
        learningRate: 0.5,
        earlyStoppingRounds: isWatched ? 2 : 0,
      };
      const seen: (number | null)[][] = [];
      const train = (threads: BoostingOptions) => {
        const losses: (number | null)[] = [];
        seen.push(losses);
        return trainBoosting(data, target, parameters, {
          ...(isWeighted && { weight }),
          ...(isWatched && { validation: watched }),
          onIteration: (iteration, loss) => {
            losses.push(loss);
            // so that the second round is the other thread's
            if (threads.secondThread && iteration === 0) untilGrown(1, iterations);
          },
          ...threads,
        });
      };
      expect(writeLightgbmText(train({ secondThread }))).toBe(writeLightgbmText(train({})));
      expect(seen[0]).toEqual(seen[1]);
    }),
    { numRuns: 4 },
  );
  expect(workers.given).toHaveLength(4);
});

test.each(['not at all', 'only to fail'] as const)('when a thread starts %s, one thread does all', (start) => {
  const { data, target } = wideExample(8400, 63, 4);
  const one = trainBoosting(data, target, { iterations: 3, numLeaves: 7 });
  workers.start = start;
  const two = trainBoosting(data, target, { iterations: 3, numLeaves: 7 }, { secondThread });
  expect(writeLightgbmText(two)).toBe(writeLightgbmText(one));
});

test('what the second thread fails with fails the training', () => {
  const { data, target } = wideExample(8400, 63, 5);
  workers.start = 'and fails at work';
  const onIteration = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  const train = () => trainBoosting(data, target, { iterations: 1000, numLeaves: 2 }, { secondThread, onIteration });
  expect(train).toThrow('out of memory');
});

test('the second thread ends when the training fails', async () => {
  const { data, target } = wideExample(8400, 63, 6);
  const onIteration = () => {
    throw new Error('enough');
  };
  expect(() => trainBoosting(data, target, {}, { secondThread, onIteration })).toThrow('enough');
  expect(workers.ended).toHaveLength(1);
  await expect(workers.ended[0]).resolves.toBeTypeOf('number');
});

test('nothing is started for one output, for few rows, or where there is no second thread', () => {
  const { data, target } = wideExample(8400, 63, 7);
  const one = target.filter((_, i) => i % outputs === 0);
  const few = wideExample(50, 10, 8);
  trainBoosting(data, one, { iterations: 1, numLeaves: 2 }, { secondThread });
  trainBoosting(few.data, few.target, { iterations: 1, numLeaves: 2 }, { secondThread });
  trainBoosting(data, target, { iterations: 1, numLeaves: 2 });
  expect(workers.given).toHaveLength(0);
});
