import { assert, boolean, integer, property, record } from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Matrix } from '../../../src/ml/matrix.ts';
import { random } from '../../../src/ml/random.ts';
import { explainTasks } from '../../../src/ml/shap/tasks.ts';
import { treeShap } from '../../../src/ml/shap/tree-shap.ts';
import { trainBoosting } from '../../../src/ml/trees/boosting.ts';
import { type TreeModel, categoricalBit, missing } from '../../../src/ml/trees/model.ts';
import { predict } from '../../../src/ml/trees/predictor.ts';
import { mixedExample } from '../trees/example-data.ts';
import { exampleModels } from './example-models.ts';

/** What becomes of the worker that is asked for. */
const worker = vi.hoisted(() => ({ starts: 'well' as 'well' | 'not at all' | 'only to fail', asked: 0 }));

vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>();
  return {
    ...real,
    Worker: class extends real.Worker {
      constructor(code: string, options: object) {
        worker.asked++;
        if (worker.starts === 'not at all') throw new Error('No threads here.');
        super(worker.starts === 'only to fail' ? 'throw new Error("out of order")' : code, options);
      }
    },
  };
});

beforeEach(() => Object.assign(worker, { starts: 'well', asked: 0 }));

/** So many rows that the kernel is worth its while, with values that training has not seen: other codes, halves, infinities. */
function strangeRows(rows: number, seed: number): Matrix {
  const { data } = mixedExample(rows, `strange ${seed}`);
  const r = random(seed);
  const strange = [NaN, Infinity, -Infinity, -0.5, -1, 0.5, 31.9, 32, 1e12, -0];
  return { ...data, values: data.values.map((value) => (r.uniform() < 0.05 ? strange[r.integer(10)] : value)) };
}

describe.each(exampleModels)('SHAP values of %s', (_, model) => {
  test.each([500, 1037, 5000])(
    'are in WebAssembly what they are in TypeScript, to the last bit, for %i rows',
    (rows) => {
      const matrix = strangeRows(rows, rows);
      expect(treeShap(model, matrix, { kernel: 'webassembly' }).values).toEqual(
        treeShap(model, matrix, { kernel: 'typescript' }).values,
      );
    },
  );
});

test('the kernels agree on trees of any shape', () => {
  const shapes = record({
    rows: integer({ min: 200, max: 900 }),
    columns: integer({ min: 1, max: 40 }),
    numLeaves: integer({ min: 2, max: 60 }),
    seed: integer(),
    hasMissing: boolean(),
    outputs: integer({ min: 1, max: 3 }),
  });
  assert(
    property(shapes, ({ rows, columns, numLeaves, seed, hasMissing, outputs }) => {
      const r = random(seed);
      const values = Float64Array.from({ length: rows * columns }, () =>
        hasMissing && r.uniform() < 0.1 ? NaN : Math.round(r.normal() * 20),
      );
      const names = Array.from({ length: columns }, (_, c) => `x${c}`);
      const matrix: Matrix = { rows, columns, names, values };
      const target = Float64Array.from({ length: rows * outputs }, () => r.normal());
      const model = trainBoosting(matrix, target, { iterations: 5, numLeaves, minChildSamples: 1, seed });
      expect(treeShap(model, matrix).values).toEqual(treeShap(model, matrix, { kernel: 'typescript' }).values);
    }),
    { numRuns: 12 },
  );
});

test('two threads score as one does, to the last bit', () => {
  // more than the kernel takes at a time, and no whole number of its blocks
  const { data } = mixedExample(17_003, 'scored');
  const { data: learnt, target } = mixedExample(1000, 'learnt');
  const model = trainBoosting(learnt, target, { iterations: 130, numLeaves: 8 });
  const expected = predict(model, data, { kernel: 'typescript' });
  expect(predict(model, data)).toEqual(expected);
  expect(predict(model, data, { threads: 2 })).toEqual(expected);
  expect(worker.asked).toBe(1);
});

test('two threads explain as one does, to the last bit', () => {
  const { data } = mixedExample(3000, 'threads');
  const target = Float64Array.from({ length: 9000 }, (_, i) => data.values[i] || i % 7);
  const model = trainBoosting(data, target, { iterations: 15, numLeaves: 20 });
  expect(treeShap(model, data, { threads: 2 }).values).toEqual(treeShap(model, data, { threads: 1 }).values);
  expect(worker.asked).toBe(1);
});

test.each(['not at all', 'only to fail'] as const)('when a thread starts %s, one thread explains all', (start) => {
  const { data } = mixedExample(3000, 'alone');
  const target = Float64Array.from({ length: 9000 }, (_, i) => data.values[i] || i % 7);
  const model = trainBoosting(data, target, { iterations: 15, numLeaves: 20 });
  const expected = treeShap(model, data, { threads: 1 }).values;
  worker.starts = start;
  expect(treeShap(model, data, { threads: 2 }).values).toEqual(expected);
  expect(worker.asked).toBe(1);
});

test('tasks of different sizes are explained each for its own rows, whatever the number of threads', () => {
  const { data, target } = mixedExample(4000, 'tasks');
  const model = trainBoosting(data, target, { iterations: 20, numLeaves: 31 });
  const whole = treeShap(model, data, { kernel: 'typescript' }).values;
  const run = data.columns + 1;
  const r = random('rows');
  // all rows but some, because how leaves are taken together depends on how many rows there are
  const tasks = [3800, 3000, 2500].map((count) => ({
    model,
    matrix: data,
    rows: Int32Array.from(r.sample(4000, count)),
  }));
  for (const threads of [1, 2] as const) {
    const taken = new Set<number>();
    explainTasks(
      tasks,
      (values, task) => {
        taken.add(task);
        const expected = tasks[task].rows;
        expect(values).toHaveLength(expected.length * run);
        let furthest = 0;
        expected.forEach((row, i) => {
          for (let c = 0; c < run; c++) {
            furthest = Math.max(furthest, Math.abs(values[i * run + c] - whole[row * run + c]));
          }
        });
        expect(furthest).toBeLessThan(1e-9);
      },
      { threads },
    );
    expect(taken.size).toBe(tasks.length);
  }
});

test('a tree that takes zero for missing is explained without the kernel', () => {
  const [, model] = exampleModels[0];
  const zero: TreeModel = {
    ...model,
    trees: model.trees.map((tree) => ({
      ...tree,
      decision: tree.decision.map((bits) =>
        (bits & categoricalBit) === 0 ? (bits & ~missing.mask) | missing.zero : bits,
      ),
    })),
  };
  const matrix = strangeRows(1000, 3);
  const { values } = treeShap(zero, matrix);
  expect(values).toEqual(treeShap(zero, matrix, { kernel: 'typescript' }).values);
  expect(values).not.toEqual(treeShap(model, matrix).values);
});
