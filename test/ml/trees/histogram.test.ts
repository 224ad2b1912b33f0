import { describe, expect, test } from 'vitest';
import { random } from '../../../src/ml/random.ts';
import { binMatrix } from '../../../src/ml/trees/binning.ts';
import { type FeatureSums, featureSums, readFeatureOfRows } from '../../../src/ml/trees/histogram.ts';
import type { KernelChoice } from '../../../src/ml/trees/kernel/operations.ts';
import { quantise } from '../../../src/ml/trees/quantise.ts';
import { type SplitRules, bestNumericSplit, reductionAtBest, splitAt } from '../../../src/ml/trees/splitter.ts';
import { histogramWorkspace } from '../../../src/ml/trees/workspace.ts';
import { allRows, mixedExample, normals } from './example-data.ts';

const { data } = mixedExample(500, 'histogram');
const binned = binMatrix(data, { maxBin: 255, minDataInBin: 3 });
const slots = allRows(binned.slots.length);
const r = random('gradients');
const gradient = normals(data.rows, r);
const hessian = Float64Array.from({ length: data.rows }, () => r.uniform());
const order = r.shuffle(allRows(data.rows));

/** The naive twin: sums per bin, of unrounded gradients. */
function naiveSums(slot: number, start: number, end: number, hessians: Float64Array | null) {
  const sums = new Map<number, { gradient: number; hessian: number; count: number }>();
  for (const row of order.slice(start, end)) {
    const bin = binned.byColumn[slot * binned.rows + row];
    const sum = sums.get(bin) ?? { gradient: 0, hessian: 0, count: 0 };
    sum.gradient += gradient[row];
    sum.hessian += hessians === null ? 1 : hessians[row];
    sum.count++;
    sums.set(bin, sum);
  }
  return sums;
}

/** What a decoded feature holds, as plain lists. */
function contents({ length, bin, gradient, hessian, count, missing }: FeatureSums) {
  return [...[bin, gradient, hessian, count].map((values) => Array.from(values.subarray(0, length))), { ...missing }];
}

const kernels: KernelChoice[] = ['webassembly', 'typescript'];
const hessianCases = [null, hessian];
const cases = kernels.flatMap((kernel) =>
  hessianCases.map((hessians) => ({ kernel, hessians, lanes: hessians ? 2 : 1 })),
);

describe.each(cases)('the $kernel kernel on $lanes lanes', ({ kernel, hessians }) => {
  const gradients = quantise(gradient, hessians, data.rows);
  const workspace = histogramWorkspace(binned, gradients.lanes, data.rows, 4, kernel);
  const built = (start: number, end: number, used = slots) => {
    workspace.order.set(order);
    workspace.load(gradients, used);
    return workspace.build(start, end)!;
  };
  const read = (histogram: number) =>
    binned.slots.map((_, slot) => {
      const sums = featureSums();
      workspace.read(sums, histogram, slot);
      return contents(sums);
    });

  test('each bin holds what the naive sums hold, but for the rounding of each row', () => {
    const histogram = built(100, 400);
    const sums = featureSums();
    binned.slots.forEach(({ bins }, slot) => {
      const expected = naiveSums(slot, 100, 400, hessians);
      workspace.read(sums, histogram, slot);
      const missing = expected.get(bins);
      expect(sums.missing.count).toBe(missing?.count ?? 0);
      expected.delete(bins);
      expect(sums.length).toBe(expected.size);
      for (let i = 0; i < sums.length; i++) {
        const sum = expected.get(sums.bin[i])!;
        expect(sums.count[i]).toBe(sum.count);
        expect(Math.abs(sums.gradient[i] - sum.gradient)).toBeLessThanOrEqual(sum.count * gradients.gradientUnit);
        expect(Math.abs(sums.hessian[i] - sum.hessian)).toBeLessThanOrEqual(sum.count * gradients.hessianUnit);
      }
    });
    workspace.release(histogram);
  });

  test('parent minus child is the other child, to the last bit', () => {
    const parent = built(0, 500);
    const child = built(0, 180);
    const other = built(180, 500);
    workspace.subtract(parent, child);
    expect(read(parent)).toEqual(read(other));
    for (const histogram of [parent, child, other]) workspace.release(histogram);
  });

  test('only the slots listed are built', () => {
    const all = built(0, 500);
    const some = built(0, 500, Int32Array.of(1, 3));
    const [expected, listed] = [read(all), read(some)];
    listed.forEach((sums, slot) => expect(sums).toEqual(slot === 1 || slot === 3 ? expected[slot] : listed[0]));
    for (const histogram of [all, some]) workspace.release(histogram);
  });

  test.each([
    [0, 500],
    [40, 49],
  ])('the sums straight from rows %i to %i are those of the histogram', (start, end) => {
    const histogram = built(start, end);
    const expected = read(histogram);
    const sums = featureSums();
    const scratch = new Float64Array(2 * 257);
    binned.slots.forEach((_, slot) => {
      readFeatureOfRows(sums, scratch, binned, gradients, slot, order, start, end);
      expect(contents(sums)).toEqual(expected[slot]);
      expect(scratch.every((value) => value === 0)).toBe(true);
    });
    workspace.release(histogram);
  });

  test('the best boundary is the one that the splitter finds', () => {
    const rules: SplitRules = {
      minChildSamples: 7,
      minChildWeight: 5,
      lambdaL1: 0,
      lambdaL2: 0.3,
      minSplitGain: 0,
      extraTrees: false,
      categoricalSmoothing: 0,
      categoricalL2: 0,
      maxCategoriesPerSplit: 32,
    };
    const bounds = { low: -Infinity, high: Infinity };
    for (const [start, end] of [
      [0, 500],
      [20, 300],
      [0, 60],
    ]) {
      const histogram = built(start, end);
      const rows = order.slice(start, end);
      binned.slots.forEach((_, slot) => {
        const sums = featureSums();
        workspace.read(sums, histogram, slot);
        const whole = (values: Float64Array, missing: number) =>
          values.subarray(0, sums.length).reduce((a, b) => a + b, missing);
        const total = {
          gradient: whole(sums.gradient, sums.missing.gradient),
          hessian: whole(sums.hessian, sums.missing.hessian),
          count: rows.length,
        };
        const unsplit = reductionAtBest(total, rules, bounds);
        const boundary = workspace.bestBoundary(histogram, slot, total, unsplit, 0, rules);
        const expected = bestNumericSplit(sums, slot, total, bounds, 0, rules, 0, null);
        const found = boundary === null ? null : splitAt(sums, slot, boundary, total);
        expect({ ...found, gain: 0 }).toEqual({ ...expected, gain: 0 });
        expect(found?.gain ?? 0).toBeCloseTo(expected?.gain ?? 0, 9);
      });
      workspace.release(histogram);
    }
  });

  test('when all histograms are in use there is no further one', () => {
    const taken = Array.from({ length: 4 }, () => built(0, 10));
    expect(workspace.build(0, 10)).toBeNull();
    for (const histogram of taken) workspace.release(histogram);
  });
});

test('both kernels find the same boundaries with the same gains, to the last bit, however many bins and missing values', () => {
  const found = (['webassembly', 'typescript'] as const).map((kernel) =>
    Array.from({ length: 40 }, (_, k) => {
      const rows = 64 - k;
      const { data, target } = mixedExample(rows, `boundaries ${k}`);
      const binned = binMatrix(data, { maxBin: 3 + k, minDataInBin: 1 });
      const weights = k % 2 === 0 ? null : new Float64Array(rows).fill(1.5);
      const gradients = quantise(target, weights, rows);
      const workspace = histogramWorkspace(binned, gradients.lanes, rows, 2, kernel);
      workspace.order.set(allRows(rows));
      workspace.load(gradients, allRows(binned.slots.length));
      const histogram = workspace.build(0, rows)!;
      const gradient = target.reduce((sum, g) => sum + g, 0);
      const total = { gradient, hessian: weights === null ? rows : 1.5 * rows, count: rows };
      const rules = { minChildSamples: 1 + (k % 5), minChildWeight: 1e-3, lambdaL2: k / 10 };
      const unsplit = gradient ** 2 / (total.hessian + rules.lambdaL2);
      return binned.slots.map((_, slot) => workspace.bestBoundary(histogram, slot, total, unsplit, 0, rules));
    }),
  );
  expect(found[0]).toEqual(found[1]);
  expect(found[0].flat().filter((boundary) => boundary !== null).length).toBeGreaterThan(100);
});

describe('quantised gradients', () => {
  test.each([1000, 1 << 16, 1 << 20])('%i rows cannot add up to more than a double holds exactly', (rows) => {
    const values = normals(1000, random('exact'));
    for (const hessians of [null, Float64Array.from(values, Math.abs)]) {
      const gradients = quantise(values, hessians, rows);
      expect(gradients.values.every(Number.isInteger)).toBe(true);
      expect(Math.max(...gradients.values.map(Math.abs)) * rows).toBeLessThanOrEqual(2 ** 53);
      expect(gradients.countRange).toBeGreaterThan(rows);
    }
  });

  test('gradients that are all zero, or one that is far larger than the others, are kept', () => {
    expect([...quantise(new Float64Array(3), null, 3).values]).toEqual([1, 1, 1]);
    const { values, gradientUnit, countRange } = quantise(Float64Array.of(1e6, 1, -1), null, 3);
    expect(((values[1] - 1) / countRange) * gradientUnit).toBeCloseTo(1, 5);
    expect(((values[2] - 1) / countRange) * gradientUnit).toBeCloseTo(-1, 5);
  });
});
