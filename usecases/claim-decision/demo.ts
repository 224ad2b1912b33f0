import type { Demo, DemoStep } from '../../src/usecase/synthetic.ts';
import { generate } from './generate.ts';

/**
 * December's claims come with what was decided about them, and the first model learns it. January's come undecided, are scored the
 * next night, and are held against their decisions when those arrive; by then charges have risen by a third.
 */
export const demo: Demo = {
  values: (given): DemoStep[] => {
    const files = (sources: string[], month: string, more: object = {}) => {
      const all = generate({ rows: 4000, ...given, month, ...more });
      return () => all.filter(({ source }) => sources.includes(source));
    };
    const january = { rows: 1500 };
    return [
      {
        at: '2026-01-20T09:00:00Z',
        headline: "December: claims, their lines, and the adjudicators' decisions arrive",
        files: files(['rvus', 'claims', 'lines', 'decisions'], '2025-12'),
      },
      {
        at: '2026-02-02T09:00:00Z',
        headline: 'January: new claims, which nobody has decided yet',
        files: files(['claims', 'lines'], '2026-01', january),
        until: '2026-02-03T04:00:00Z',
      },
      {
        at: '2026-03-10T09:00:00Z',
        headline: "January's decisions arrive, and February's claims, a third dearer",
        files: () => [
          ...files(['decisions'], '2026-01', january)(),
          ...files(['claims', 'lines'], '2026-02', { rows: 1500, inflation: 1.35 })(),
        ],
      },
    ];
  },
  until: '2026-03-11T04:00:00Z',
};
