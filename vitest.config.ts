import { defineConfig } from 'vitest/config';
import { long } from './test/long.ts';

/** Tests that start threads, processes or servers of their own: a native crash there must not take others along. */
const apart = [
  ...['runtime', 'infra', 'contract', 'adapters', 'simulation', 'serving'].map(
    (folder) => `test/${folder}/**/*.test.ts`,
  ),
  'test/ml/trees/threads.test.ts',
  'test/ml/shap/kernel.test.ts',
  'test/data/sql.test.ts',
  'test/cli/serve.test.ts',
];
const commands = 'test/cli/**/*.test.ts';

/** What takes so long that `npm test` leaves it to `npm run test:long`: whole stories, real processes, every cut. */
const stories = [
  'test/e2e/**/*.test.ts',
  'test/usecases/**/*.test.ts',
  'test/lake/{atomicity,properties,prune,vacuum,sigkill}.test.ts',
  'test/privacy/{canary,demo-canary}.test.ts',
  'test/simulation/{events,mutants}.test.ts',
  'test/runtime/workers.test.ts',
  'test/cli/{quarantine,registry,bad-input,init}.test.ts',
];
/** Files that have some such tests. */
const partly = ['test/runtime/runtime.test.ts', 'test/infra/artifacts.test.ts'];

const common = {
  setupFiles: ['test/setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 180_000,
  pool: 'forks' as const,
};
/** One process for many files: most of a short file's time is the start of its process. */
const inOneProcess = { ...common, isolate: false };

export default defineConfig({
  test: {
    maxWorkers: 2,
    globalSetup: 'test/memory-disk.ts',
    projects: long
      ? [{ test: { ...common, name: 'long', include: [...stories, ...partly] } }]
      : [
          {
            test: {
              ...inOneProcess,
              name: 'together',
              include: ['test/**/*.test.ts'],
              exclude: [...apart, commands, ...stories],
              setupFiles: [...common.setupFiles, 'test/share-duckdb.ts'],
            },
          },
          { test: { ...inOneProcess, name: 'commands', include: [commands], exclude: [...apart, ...stories] } },
          { test: { ...common, name: 'apart', include: apart, exclude: stories } },
        ],
  },
});
