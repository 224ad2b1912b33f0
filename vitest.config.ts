import { defineConfig } from 'vitest/config';

/** Files that look into modules as they load, and therefore need a process of their own. */
const alone = ['test/ml/trees/threads.test.ts'];

const common = {
  setupFiles: ['test/setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 60_000,
  pool: 'forks' as const,
};

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      // files share a process: loading the product anew for each of them would cost a third of the time
      { test: { ...common, name: 'shared', include: ['test/**/*.test.ts'], exclude: alone, isolate: false } },
      { test: { ...common, name: 'alone', include: alone } },
    ],
  },
});
