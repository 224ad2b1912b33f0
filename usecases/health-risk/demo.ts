import type { Demo, DemoStep } from '../../src/usecase/synthetic.ts';
import { generate } from './generate.ts';

/** A first month of patients; in the second they are older and dearer, and some of the first month's have changed. */
export const demo: Demo = {
  values: (given): DemoStep[] => [
    {
      at: '2026-02-02T09:00:00Z',
      headline: 'January: the patient dimension arrives, and the first model learns its current records',
      files: () => generate({ ...given, month: '2026-01' }),
    },
    {
      at: '2026-03-02T09:00:00Z',
      headline: "February: older patients, higher charges, and new versions of January's",
      files: () => generate({ ...given, month: '2026-02', agedBy: 9, inflation: 1.3 }),
    },
  ],
  until: '2026-03-03T02:00:00Z',
};
