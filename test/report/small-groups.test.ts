import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hideSmall, poolNeighbours } from '../../src/report/small-groups.ts';

describe('parts of a total', () => {
  test('small ones are hidden, nothing and many are told', () => {
    expect(hideSmall([0, 1, 10, 11, 500])).toEqual([0, undefined, undefined, 11, 500]);
  });

  test('a single hidden one takes the next smallest with it', () => {
    expect(hideSmall([300, 7, 40, 120])).toEqual([300, undefined, undefined, 120]);
    expect(hideSmall([7])).toEqual([undefined]);
  });

  test('what is told never gives a small one away', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { minLength: 2, maxLength: 8 }), (counts) => {
        const shown = hideSmall(counts);
        const told = counts.filter((_, i) => shown[i] !== undefined);
        const hidden = counts.filter((_, i) => shown[i] === undefined);
        const small = counts.filter((rows) => rows > 0 && rows < 11);
        expect(told.filter((rows) => rows > 0 && rows < 11)).toEqual([]);
        // a single hidden count is the total less the told ones: allowed only where nothing else could be hidden with it
        const exposed = hidden.length === 1 && small.length === 1 && told.some((rows) => rows > 0);
        expect(exposed).toBe(false);
      }),
    );
  });
});

describe('ordered bins', () => {
  const counts = (rows: number[]) => rows;
  const merge = (left: number[], right: number[]) => left.map((rows, i) => rows + right[i]);

  test('tails gather inward', () => {
    expect(poolNeighbours([[2], [5], [9], [40], [60], [8], [3]], counts, merge)).toEqual([[16], [40], [60], [11]]);
  });

  test('no row is lost and no bin stays small, in any sample', () => {
    const bins = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(bins, (bins) => {
        const pooled = poolNeighbours<number[]>(bins, counts, merge);
        const sums = (list: readonly number[][]) => [0, 1].map((s) => list.reduce((sum, rows) => sum + rows[s], 0));
        const tooFew = sums(bins).some((rows) => rows > 0 && rows < 11);
        expect(sums(pooled)).toEqual(tooFew ? [0, 0] : sums(bins));
        for (const rows of pooled.flat()) expect(rows === 0 || rows >= 11).toBe(true);
      }),
    );
  });
});
