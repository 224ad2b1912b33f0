import { describe, expect, test } from 'vitest';
import { random } from '../../../src/ml/random.ts';
import { type BinnedMatrix, binMatrix } from '../../../src/ml/trees/binning.ts';
import {
  buildHistogram,
  featureSums,
  histogramLayout,
  readFeature,
  readFeatureOfRows,
  subtractHistogram,
} from '../../../src/ml/trees/histogram.ts';
import { type QuantisedGradients, quantise } from '../../../src/ml/trees/quantise.ts';
import { allRows, mixedExample, normals } from './example-data.ts';

const { data } = mixedExample(500, 'histogram');
const binned = binMatrix(data, { maxBin: 255, minDataInBin: 3 });
const layout = histogramLayout(binned);
const slots = allRows(binned.slots.length);
const r = random('gradients');
const gradient = normals(data.rows, r);
const hessian = Float64Array.from({ length: data.rows }, () => r.uniform());
const order = r.shuffle(allRows(data.rows));

/** The naive twin: sums per bin, of unrounded gradients. */
function naiveSums(from: BinnedMatrix, slot: number, start: number, end: number, hessians: Float64Array | null) {
  const sums = new Map<number, { gradient: number; hessian: number; count: number }>();
  for (const row of order.slice(start, end)) {
    const bin = from.byColumn[slot * from.rows + row];
    const sum = sums.get(bin) ?? { gradient: 0, hessian: 0, count: 0 };
    sum.gradient += gradient[row];
    sum.hessian += hessians === null ? 1 : hessians[row];
    sum.count++;
    sums.set(bin, sum);
  }
  return sums;
}

function built(gradients: QuantisedGradients, start: number, end: number): Float64Array {
  const histogram = new Float64Array(layout.entries * gradients.lanes).fill(9);
  buildHistogram(histogram, binned, layout, gradients, slots, order, start, end);
  return histogram;
}

describe.each([
  ['one lane, constant hessians', null],
  ['two lanes', hessian],
])('histogram of %s', (_, hessians) => {
  const gradients = quantise(gradient, hessians, data.rows);

  test('each bin holds what the naive sums hold, but for the rounding of each row', () => {
    const histogram = built(gradients, 100, 400);
    const sums = featureSums();
    binned.slots.forEach(({ bins }, slot) => {
      const expected = naiveSums(binned, slot, 100, 400, hessians);
      readFeature(sums, histogram, layout.offsets[slot], bins, gradients);
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
  });

  test('parent minus child is the other child, to the last bit', () => {
    const parent = built(gradients, 0, 500);
    subtractHistogram(parent, built(gradients, 0, 180));
    expect(parent).toEqual(built(gradients, 180, 500));
  });

  test.each([
    [0, 500],
    [40, 49],
  ])('the sums straight from rows %i to %i are those of the histogram', (start, end) => {
    const histogram = built(gradients, start, end);
    const fromHistogram = featureSums();
    const fromRows = featureSums();
    const scratch = new Float64Array(2 * 257);
    const prefix = ({ length, bin, gradient, hessian, count, missing }: typeof fromRows) => [
      ...[bin, gradient, hessian, count].map((values) => Array.from(values.subarray(0, length))),
      missing,
    ];
    binned.slots.forEach(({ bins }, slot) => {
      readFeature(fromHistogram, histogram, layout.offsets[slot], bins, gradients);
      readFeatureOfRows(fromRows, scratch, binned, gradients, slot, order, start, end);
      expect(prefix(fromRows)).toEqual(prefix(fromHistogram));
      expect(scratch.every((value) => value === 0)).toBe(true);
    });
  });
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
