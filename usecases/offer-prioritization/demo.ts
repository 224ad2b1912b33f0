import type { Demo, DemoStep } from '../../src/usecase/synthetic.ts';
import { generate } from './generate.ts';

/** A first delivery with the rosters of two months, what the month after it brought, and what came of that month's offers. */
export const demo: Demo = {
  values: (given): DemoStep[] => {
    const values = { members: 2000, seed: 42, history: 2, ...given };
    return [
      {
        at: '2026-02-01T06:00:00Z',
        headline:
          'February begins: members, claims, benefits and engagement as they were known at the end of two months',
        files: () => generate({ ...values, month: '2026-01' }),
      },
      {
        at: '2026-03-01T06:00:00Z',
        headline: 'March begins: what February brought, with claims that come late',
        files: () => generate({ ...values, month: '2026-02', monthsAfter: 1 }),
      },
      {
        at: '2026-03-07T20:00:00Z',
        headline: 'On Saturday evening the campaign system tells what members did with February’s offers',
        files: async (exported) =>
          generate({ ...values, month: '2026-02', monthsAfter: 1, sent: await exported('crm') }),
      },
    ];
  },
  // past the weekly training on Sunday morning
  until: '2026-03-08T04:00:00Z',
};
