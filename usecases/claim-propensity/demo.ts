import type { Demo, DemoStep } from '../../src/usecase/synthetic.ts';
import { generate } from './generate.ts';

/**
 * A month whose outcomes are known trains the first model. A month later new applications come in, which nobody knows the outcome of,
 * and the outcomes of the month between: other people by now, older, and more of them of the kind that claims.
 */
export const demo: Demo = {
  values: (given): DemoStep[] => [
    {
      at: '2026-02-27T09:00:00Z',
      headline: 'January: applications with their outcome arrive, and the first model learns them',
      files: () => generate({ ...given, month: '2026-01' }),
    },
    {
      at: '2026-03-29T09:00:00Z',
      headline: 'March: new applications, whose outcome nobody knows yet',
      files: () => generate({ ...given, month: '2026-03', rows: 300, labelled: 0 }),
    },
    {
      at: '2026-03-30T09:00:00Z',
      headline: "February's outcomes are known: older applicants, and more who claim",
      files: () => generate({ ...given, month: '2026-02', agedBy: 8, claims: 0.25 }),
    },
  ],
  // 19:00 in London, where the clocks went forward on the day before
  until: '2026-03-30T18:00:00Z',
};
