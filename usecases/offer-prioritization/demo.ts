import type { Demo, DemoStep } from '../../src/usecase/synthetic.ts';
import { generate } from './generate.ts';

/** A first delivery with the rosters of four months, and what the month after it brought. */
export const demo: Demo = {
  values: (given): DemoStep[] => {
    const values = { members: 2000, seed: 42, history: 4, ...given };
    return [
      {
        at: '2026-02-01T06:00:00Z',
        headline:
          'February begins: members, claims, benefits and engagement as they were known at the end of four months',
        files: () => generate({ ...values, month: '2026-01' }),
      },
      {
        at: '2026-03-01T06:00:00Z',
        headline: 'March begins: what February brought, with claims that come late',
        files: () => generate({ ...values, month: '2026-02', monthsAfter: 1 }),
      },
    ];
  },
  until: '2026-03-02T04:00:00Z',
};
