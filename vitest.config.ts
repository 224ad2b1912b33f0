import { defineConfig } from 'vitest/config';

/** Tests that start threads, processes or servers of their own: a native crash there must not take others along. */
const apart = ['runtime', 'cli', 'e2e', 'infra', 'contract', 'adapters', 'simulation', 'serving', 'usecases'].map(
  (folder) => `test/${folder}/**/*.test.ts`,
);

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
      // one process for many files: most of a short file's time is the start of its process
      { test: { ...common, name: 'together', include: ['test/**/*.test.ts'], exclude: apart, isolate: false } },
      { test: { ...common, name: 'apart', include: apart } },
    ],
  },
});
