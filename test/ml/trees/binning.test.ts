import { describe, expect, test } from 'vitest';
import { type Matrix, column } from '../../../src/ml/matrix.ts';
import { random } from '../../../src/ml/random.ts';
import { type FeatureBins, binMatrix } from '../../../src/ml/trees/binning.ts';
import { InvalidTrainingData } from '../../../src/ml/trees/parameters.ts';
import { mixedExample } from './example-data.ts';

function single(values: number[], categorical: number[] = []): Matrix {
  return { rows: values.length, columns: 1, names: ['x'], values: Float64Array.from(values), categorical };
}

/** Whether a bin is the one that a value belongs to. */
function belongsTo({ bins, codes, upperBounds }: FeatureBins, bin: number, value: number): boolean {
  if (codes !== null) return codes.includes(value) ? codes[bin] === value : bin === bins;
  if (Number.isNaN(value)) return bin === bins;
  return value <= upperBounds[bin] && (bin === 0 || value > upperBounds[bin - 1]);
}

const options = { maxBin: 255, minDataInBin: 1 };

describe('binning', () => {
  test('few distinct values get a bin each, with bounds half-way between', () => {
    const [slot] = binMatrix(single([3, 1, 1, -0, 0, NaN]), options).slots;
    expect([...slot.upperBounds]).toEqual([0.5, 2, Number.MAX_VALUE]);
    expect([...binMatrix(single([3, 1, 1, -0, 0, NaN]), options).byColumn]).toEqual([2, 1, 1, 0, 0, 3]);
  });

  test('neighbouring doubles are still told apart', () => {
    const low = 1;
    const high = 1 + Number.EPSILON;
    const { slots, byColumn } = binMatrix(single([low, high]), options);
    expect(slots[0].upperBounds[0]).toBe(low);
    expect([...byColumn]).toEqual([0, 1]);
  });

  test('every row falls into the bin whose bounds enclose it', () => {
    const { data } = mixedExample(600, 'binning');
    const binned = binMatrix(data, { maxBin: 20, minDataInBin: 3 });
    expect(binned.slots.map((slot) => slot.column)).toEqual([0, 1, 2, 4, 5]); // the constant has nothing to split
    binned.slots.forEach((slot, s) => {
      const values = column(data, slot.column);
      for (let row = 0; row < data.rows; row++) {
        const bin = binned.byColumn[s * data.rows + row];
        expect(belongsTo(slot, bin, values[row])).toBe(true);
      }
      expect(slot.bins).toBeLessThanOrEqual(20);
    });
  });

  test('many distinct values share the bins evenly, and a frequent value stands alone', () => {
    const r = random(3);
    const values = Array.from({ length: 20_000 }, (_, i) => (i < 8000 ? 0 : r.normal()));
    const { slots, byColumn } = binMatrix(single(values), { maxBin: 64, minDataInBin: 3 });
    const counts = new Int32Array(slots[0].bins);
    for (const bin of byColumn) counts[bin]++;
    const sorted = [...counts].sort((a, b) => b - a);
    expect(sorted[0] - 8000).toBeLessThan(12_000 / 63 / 2); // only a rest too small for a bin of its own joins it
    expect(slots[0].bins).toBeGreaterThan(60);
    expect(sorted[1]).toBeLessThan((2 * 12_000) / 63);
  });

  test('bounds from a sample of many rows still enclose every row, and nearly share them evenly', () => {
    const r = random('sampled');
    const rows = 150_000;
    for (const draw of [() => r.normal(), () => Math.exp(4 * r.normal()), () => r.integer(7)]) {
      const values = Float64Array.from({ length: rows }, () => (r.uniform() < 0.1 ? NaN : draw()));
      const { slots, byColumn } = binMatrix(
        { rows, columns: 1, names: ['x'], values },
        { maxBin: 255, minDataInBin: 3 },
      );
      const counts = new Int32Array(256);
      byColumn.forEach((bin) => counts[bin]++);
      expect(byColumn.every((bin, row) => belongsTo(slots[0], bin, values[row]))).toBe(true);
      expect(Math.max(...counts.subarray(0, slots[0].bins)) / (rows / slots[0].bins)).toBeLessThan(1.5);
    }
  });

  test('the most frequent categories get the bins, the rest counts as missing', () => {
    const { slots, byColumn } = binMatrix(single([7, 7, 7, 2, 2, 9, -1, NaN], [0]), { maxBin: 2, minDataInBin: 1 });
    expect([...slots[0].codes!]).toEqual([7, 2]);
    expect([...byColumn]).toEqual([0, 0, 0, 1, 1, 2, 2, 2]);
  });

  test('infinite values and codes that are not whole are refused with the column', () => {
    expect(() => binMatrix(single([1, Infinity]), options)).toThrow(InvalidTrainingData);
    expect(() => binMatrix(single([1, -Infinity]), options)).toThrow('"x" holds an infinite value');
    expect(() => binMatrix(single([1, 2.5], [0]), options)).toThrow('"x" is categorical');
  });
});
