import type { Demo, DemoStep } from '../../src/usecase/synthetic.ts';
import { generate } from './generate.ts';
import { nextMonth } from './next-month.ts';

/** Two months of a portfolio; the second one has inflation and an older population. */
const january = { at: '2026-01-05T09:00:00Z', headline: 'January: the first file arrives' };
const february = {
  at: '2026-02-05T09:00:00Z',
  headline: 'February: the second file arrives, with inflation and an older population',
};
const drift = { inflation: 1.15, agedBy: 8 };

export const demo: Demo = {
  values: (given): DemoStep[] => {
    const options = { rows: 5000, seed: 42, ...given };
    return [
      { ...january, files: () => generate({ ...options, month: '2026-01' }) },
      { ...february, files: () => generate({ ...options, month: '2026-02', ...drift }) },
    ];
  },
  // the second month of a file of one's own is made when the first has passed: one that is no table is for ingestion to refuse
  ownFile: ({ fileName, bytes }): DemoStep[] => {
    const file = { source: 'policies', rows: 0, dirt: {} };
    const next = () => ({
      ...file,
      fileName: fileName.replace(/(\.\w+)?$/, '-next$1'),
      bytes: nextMonth(bytes, fileName, drift),
    });
    return [
      { ...january, files: () => [{ ...file, fileName, bytes }] },
      { ...february, files: () => [next()] },
    ];
  },
  until: '2026-02-06T02:00:00Z',
};
