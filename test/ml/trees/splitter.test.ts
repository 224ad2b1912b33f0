import { describe, expect, test } from 'vitest';
import { random } from '../../../src/ml/random.ts';
import { binMatrix } from '../../../src/ml/trees/binning.ts';
import { featureSums, readFeatureOfRows } from '../../../src/ml/trees/histogram.ts';
import { quantise } from '../../../src/ml/trees/quantise.ts';
import { type SplitRules, bestCategoricalSplit, bestNumericSplit } from '../../../src/ml/trees/splitter.ts';
import { allRows, normals } from './example-data.ts';

const rules: SplitRules = {
  minChildSamples: 4,
  minChildWeight: 1e-3,
  lambdaL1: 0,
  lambdaL2: 0.5,
  minSplitGain: 0,
  extraTrees: false,
  categoricalSmoothing: 0,
  categoricalL2: 0,
  maxCategoriesPerSplit: 32,
};
const free = { low: -Infinity, high: Infinity };
const rows = 60;

/** Twice the fall of the loss when the rows are parted, from unrounded gradients; −∞ when a side is too small. */
function gainOf(
  goesLeft: (row: number) => boolean,
  gradient: Float64Array,
  hessian: Float64Array,
  given: SplitRules,
): number {
  const sums = [0, 0, 0, 0, 0, 0];
  for (let row = 0; row < rows; row++) {
    const side = goesLeft(row) ? 0 : 3;
    sums[side] += gradient[row];
    sums[side + 1] += hessian[row];
    sums[side + 2]++;
  }
  const [gl, hl, nl, gr, hr, nr] = sums;
  if (nl < given.minChildSamples || nr < given.minChildSamples) return -Infinity;
  const term = (g: number, h: number) => Math.max(0, Math.abs(g) - given.lambdaL1) ** 2 / (h + given.lambdaL2);
  return term(gl, hl) + term(gr, hr) - term(gl + gr, hl + hr);
}

function example(seed: number, categories = 0) {
  const r = random(`splitter ${seed}`);
  const draw = () =>
    r.uniform() < 0.15 ? NaN : categories > 0 ? r.integer(categories) : Math.round(r.normal() * 8) / 4;
  const values = Float64Array.from({ length: rows }, draw);
  const matrix = { rows, columns: 1, names: ['x'], values, categorical: categories > 0 ? [0] : [] };
  const gradient = normals(rows, r);
  const hessian = Float64Array.from({ length: rows }, () => 0.2 + r.uniform());
  const binned = binMatrix(matrix, { maxBin: 255, minDataInBin: 1 });
  const gradients = quantise(gradient, hessian, rows);
  const sums = featureSums();
  readFeatureOfRows(sums, new Float64Array(514), binned, gradients, 0, allRows(rows), 0, rows);
  const total = {
    gradient: gradient.reduce((a, b) => a + b),
    hessian: hessian.reduce((a, b) => a + b),
    count: rows,
  };
  return { values, gradient, hessian, binned, sums, total, random: r };
}

describe('the best split of a feature', () => {
  test.each([0, 0.8])(
    'numeric: no threshold and no way for the missing values does better (lambdaL1 %d)',
    (lambdaL1) => {
      const given = { ...rules, lambdaL1 };
      for (let seed = 0; seed < 30; seed++) {
        const { values, gradient, hessian, binned, sums, total } = example(seed);
        let best = 0;
        for (const threshold of new Set(values)) {
          for (const missingLeft of [false, true]) {
            if (Number.isNaN(threshold)) {
              best = Math.max(
                best,
                gainOf((row) => !Number.isNaN(values[row]), gradient, hessian, given),
              );
              continue;
            }
            const goesLeft = (row: number) => (Number.isNaN(values[row]) ? missingLeft : values[row] <= threshold);
            best = Math.max(best, gainOf(goesLeft, gradient, hessian, given));
          }
        }
        const split = bestNumericSplit(sums, 0, total, free, 0, given, 0, null)!;
        const bins = binned.byColumn;
        const goesLeft = (row: number) =>
          bins[row] === binned.slots[0].bins ? split.missingLeft : bins[row] <= split.bin;
        expect(split.gain).toBeCloseTo(best, 6);
        expect(gainOf(goesLeft, gradient, hessian, given)).toBeCloseTo(best, 6);
      }
    },
  );

  test('categorical: no set of categories does better, missing values going right', () => {
    for (let seed = 0; seed < 20; seed++) {
      const categories = 2 + (seed % 6);
      const { values, gradient, hessian, binned, sums, total } = example(seed, categories);
      let best = 0;
      for (let set = 1; set < 1 << categories; set++) {
        const goesLeft = (row: number) => !Number.isNaN(values[row]) && ((set >> values[row]) & 1) === 1;
        best = Math.max(best, gainOf(goesLeft, gradient, hessian, { ...rules, lambdaL2: 0 }));
      }
      const { bins } = binned.slots[0];
      // without L2 the sorted order is provably enough
      const split = bestCategoricalSplit(sums, 0, bins, total, free, { ...rules, lambdaL2: 0 }, 0, null);
      expect(split?.gain ?? 0).toBeCloseTo(best, 6);
      if (split === null) continue;
      const assigned = binned.byColumn;
      expect(
        gainOf((row) => split.leftBins![assigned[row]] === 1, gradient, hessian, { ...rules, lambdaL2: 0 }),
      ).toBeCloseTo(best, 6);
      expect(split.leftBins![bins]).toBe(0);
    }
  });

  test('a monotone constraint lets through only splits in its direction', () => {
    for (let seed = 0; seed < 30; seed++) {
      const { sums, total } = example(seed);
      for (const direction of [-1, 1]) {
        const split = bestNumericSplit(sums, 0, total, free, direction, rules, 0, null);
        if (split === null) continue;
        const value = (side: typeof split.left) => -side.gradient / (side.hessian + rules.lambdaL2);
        expect(direction * (value(split.right) - value(split.left))).toBeGreaterThanOrEqual(0);
      }
    }
  });

  test('extra-random tries one threshold only, so it rarely finds the best and never a better one', () => {
    let worse = 0;
    for (let seed = 0; seed < 30; seed++) {
      const { sums, total, random } = example(seed);
      const best = bestNumericSplit(sums, 0, total, free, 0, rules, 0, null)!.gain;
      const tried = bestNumericSplit(sums, 0, total, free, 0, { ...rules, extraTrees: true }, 0, random)?.gain ?? 0;
      expect(tried).toBeLessThanOrEqual(best);
      if (tried < best) worse++;
    }
    expect(worse).toBeGreaterThan(20);
  });

  test('both sides add up to the leaf', () => {
    const { sums, total } = example(1);
    const { left, right } = bestNumericSplit(sums, 0, total, free, 0, rules, 0, null)!;
    expect(left.count + right.count).toBe(total.count);
    expect(left.gradient + right.gradient).toBeCloseTo(total.gradient, 12);
    expect(left.hessian + right.hessian).toBeCloseTo(total.hessian, 12);
  });
});
