import { defineConfig } from 'vitest/config';
import { long } from './test/long.ts';

/** Tests that start threads, processes or servers of their own: a native crash there must not take others along. */
const apart = [
  ...['runtime', 'cli', 'infra', 'contract', 'adapters', 'simulation', 'serving'].map(
    (folder) => `test/${folder}/**/*.test.ts`,
  ),
  'test/ml/trees/threads.test.ts',
];

/** What takes so long that `npm test` leaves it to `npm run test:long`: whole stories, real processes, every cut. */
const stories = [
  'test/e2e/**/*.test.ts',
  'test/usecases/**/*.test.ts',
  'test/lake/{atomicity,properties,prune,vacuum,sigkill}.test.ts',
  'test/privacy/{canary,demo-canary}.test.ts',
  'test/cli/{quarantine,registry,bad-input}.test.ts',
];
/** Files that have some such tests. */
const partly = ['test/cli/init.test.ts', 'test/runtime/runtime.test.ts', 'test/infra/artifacts.test.ts'];

const common = {
  setupFiles: ['test/setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 180_000,
  pool: 'forks' as const,
};

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: long
      ? [{ test: { ...common, name: 'long', include: [...stories, ...partly] } }]
      : [
          {
            test: {
              ...common,
              name: 'together',
              include: ['test/**/*.test.ts'],
              exclude: [...apart, ...stories],
              // one process for many files: most of a short file's time is the start of its process
              isolate: false,
            },
          },
          { test: { ...common, name: 'apart', include: apart, exclude: stories } },
        ],
  },
});
