import { describe, expect, test } from 'vitest';
import { closedBins, safeBins, safeOverlay } from '../../src/report/charts/bins.ts';

const edges = (bins: readonly { from: number; to: number }[] | undefined) => bins?.map(({ from, to }) => [from, to]);

describe('bins of numbers', () => {
  test('open ends are drawn as wide as their neighbours', () => {
    const bins = [
      { label: 'up to 20', to: 20 },
      { label: '20 – 35', from: 20, to: 35 },
      { label: '35 – 40', from: 35, to: 40 },
      { label: 'above 40', from: 40 },
    ];
    expect(edges(closedBins(bins))).toEqual([
      [5, 20],
      [20, 35],
      [35, 40],
      [40, 45],
    ]);
  });

  test('levels, and open ends without a closed bin between, have no edges', () => {
    expect(closedBins([{ label: 'yes' }, { label: 'no' }])).toBeUndefined();
    expect(
      closedBins([
        { label: 'up to 0', to: 0 },
        { label: 'above 0', from: 0 },
      ]),
    ).toBeUndefined();
    expect(closedBins([])).toBeUndefined();
  });
});

describe('nobody is shown in a bin of few', () => {
  test('small bins of numbers join their neighbours and say so', () => {
    const bins = [
      { label: 'up to 20', to: 20, rows: 3 },
      { label: '20 – 30', from: 20, to: 30, rows: 5 },
      { label: '30 – 40', from: 30, to: 40, rows: 60 },
      { label: 'above 40', from: 40, rows: 0 },
    ];
    expect(safeBins(bins)).toEqual([
      { label: 'up to 20 … 30 – 40', from: undefined, to: 40, rows: 68 },
      { label: 'above 40', from: 40, rows: 0 },
    ]);
  });

  test('small levels become one, and take the least other with them where that is small too', () => {
    const bins = [
      { label: 'north', rows: 90 },
      { label: 'east', rows: 4 },
      { label: 'south', rows: 40 },
    ];
    expect(safeBins(bins)).toEqual([
      { label: 'north', rows: 90 },
      { label: 'other (2)', rows: 44 },
    ]);
    expect(safeBins([{ label: 'east', rows: 4 }])).toEqual([]);
  });

  test('a share is judged by the rows that it stands for, in either sample', () => {
    const bins = [
      { label: 'no', referenceShare: 0.8, analysisShare: 0.5 },
      { label: 'yes', referenceShare: 0.15, analysisShare: 0.45 },
      { label: 'maybe', referenceShare: 0.05, analysisShare: 0.05 },
    ];
    const [reference, analysis] = [1000, 100].map((rows) => ({ label: 'sample', rows }));
    const [no, other] = safeOverlay(bins, reference, analysis);
    expect(no).toEqual(bins[0]);
    expect(other.label).toBe('other (2)');
    expect(other.analysisShare).toBeCloseTo(0.5, 12);
    expect(safeOverlay(bins, reference, reference)).toEqual(bins);
  });
});
