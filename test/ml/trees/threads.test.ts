import { assert, constantFrom, integer, property, record } from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { writeLightgbmText } from '../../../src/ml/formats/lightgbm-text.ts';
import type { Matrix } from '../../../src/ml/matrix.ts';
import { random } from '../../../src/ml/random.ts';
import { trainBoosting } from '../../../src/ml/trees/boosting.ts';
import { type BuildArguments, slotEntries } from '../../../src/ml/trees/kernel/operations.ts';
import { withThreads } from '../../../src/ml/trees/kernel/second-thread.ts';
import { gatherBytes, webAssemblyOperations } from '../../../src/ml/trees/kernel/webassembly.ts';
import { allRows } from './example-data.ts';

/** What becomes of the workers that are asked for, and how those that were started ended. */
const workers = vi.hoisted(() => ({
  start: 'well' as 'well' | 'not at all' | 'only to fail',
  ended: [] as Promise<unknown>[],
}));

vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>();
  return {
    ...real,
    Worker: class extends real.Worker {
      constructor(code: string, options: object) {
        if (workers.start === 'not at all') throw new Error('No threads here.');
        super(workers.start === 'only to fail' ? 'throw new Error("out of order")' : code, options);
        workers.ended.push(new Promise((resolve) => this.once('exit', resolve)));
      }
    },
  };
});

afterEach(async () => {
  workers.start = 'well';
  await Promise.all(workers.ended.splice(0));
});

/** Wide enough for the histograms of the first nodes to be shared. */
function wideExample(rows: number, columns: number, seed: number) {
  const r = random(seed);
  const values = Float64Array.from({ length: rows * columns }, (_, i) =>
    i % 7 === 0 && r.uniform() < 0.3 ? NaN : Math.round(r.normal() * (1 + (i % 50))),
  );
  const names = Array.from({ length: columns }, (_, c) => `x${c}`);
  const data: Matrix = { rows, columns, names, values };
  const target = Float64Array.from({ length: rows }, (_, i) => Math.abs(values[i] || 0) + r.uniform());
  return { data, target, weight: Float64Array.from(target, () => 0.5 + r.uniform()) };
}

/** Blocks for a moment, in which a second thread may start. */
const pause = () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30);

test('two threads give the bytes of one, whatever the configuration', () => {
  const configurations = record({
    rows: integer({ min: 6000, max: 6500 }),
    columns: integer({ min: 60, max: 65 }),
    seed: integer(),
    objective: constantFrom('squared_error', 'poisson'),
    isWeighted: constantFrom(false, true),
    featureFraction: constantFrom(1, 0.8),
    baggingFraction: constantFrom(1, 0.95),
    numLeaves: integer({ min: 2, max: 12 }),
  });
  assert(
    property(configurations, ({ rows, columns, seed, isWeighted, ...parameters }) => {
      const { data, target, weight } = wideExample(rows, columns, seed);
      const [one, two] = ([1, 2] as const).map((threads) =>
        trainBoosting(
          data,
          target,
          { ...parameters, seed, iterations: 6 },
          {
            threads,
            weight: isWeighted ? weight : undefined,
            onIteration: (iteration) => (iteration === 0 && threads === 2 ? pause() : undefined),
          },
        ),
      );
      expect(writeLightgbmText(two)).toBe(writeLightgbmText(one));
    }),
    { numRuns: 6 },
  );
  expect(workers.ended).toHaveLength(6);
});

test.each(['not at all', 'only to fail'] as const)('when a thread starts %s, one thread does all', (start) => {
  const { data, target } = wideExample(6000, 60, 4);
  const one = trainBoosting(data, target, { iterations: 3, numLeaves: 7 });
  workers.start = start;
  const two = trainBoosting(data, target, { iterations: 3, numLeaves: 7 }, { threads: 2, onIteration: pause });
  expect(writeLightgbmText(two)).toBe(writeLightgbmText(one));
});

test('the second thread ends when the training fails', async () => {
  const { data, target } = wideExample(6000, 60, 5);
  const onIteration = () => {
    throw new Error('enough');
  };
  expect(() => trainBoosting(data, target, {}, { threads: 2, onIteration })).toThrow('enough');
  expect(workers.ended).toHaveLength(1);
  await expect(workers.ended[0]).resolves.toBeTypeOf('number');
});

test('nothing is started for one thread, nor for the kernel in TypeScript', () => {
  const { data, target } = wideExample(6000, 60, 6);
  trainBoosting(data, target, { iterations: 1, numLeaves: 7 });
  trainBoosting(data, target, { iterations: 1, numLeaves: 7 }, { threads: 2, kernel: 'typescript' });
  expect(workers.ended).toHaveLength(0);
});

test('the second thread builds its share once it has started, and both shares are right', () => {
  const [rows, slots] = [64, 2];
  const [order, values, histogram] = [128, 512, 1024];
  const runBytes = slotEntries * 8;
  const buffer = histogram + slots * runBytes;
  const bufferBytes = gatherBytes(slots, 1);
  const builtHere: number[] = [];
  withThreads(2, (startThread) => {
    const { memory, second } = webAssemblyOperations(buffer + 2 * bufferBytes, (shared, operations) =>
      startThread!(shared, {
        ...operations,
        buildOne: (...share) => {
          builtHere.push(share[0]);
          operations.buildOne(...share);
        },
      }),
    )!;
    const seeded = random('bins');
    const bins = Uint8Array.from({ length: rows * slots }, () => seeded.integer(256));
    new Uint8Array(memory).set(bins);
    new Int32Array(memory, order, rows).set(allRows(rows));
    new Float64Array(memory, values, rows).fill(3);
    const entries = new Float64Array(memory, histogram, slots * slotEntries);
    const expected = new Float64Array(entries.length);
    bins.forEach((bin, i) => (expected[(i % slots) * slotEntries + bin] += 3));
    const share = (slot: number): BuildArguments => [
      ...([slot, 1, slots, order, order + rows * 4, values, histogram + slot * runBytes] as const),
      ...([buffer + slot * bufferBytes, 0, 0] as const),
    ];

    // until the worker has started, both are built here
    do {
      pause();
      builtHere.length = 0;
      entries.fill(0);
      second!.buildBoth('buildOne', share(0), share(1));
      expect(Float64Array.from(entries)).toEqual(expected);
    } while (builtHere.length === 2);
    expect(builtHere).toEqual([0]);
  });
});
