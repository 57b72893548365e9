import { defineConfig } from 'vitest/config';
import { stuckTestGuard } from './scripts/stuck-test-reporter.mjs';

// Of each project, as whichever is asked for must have it.
const plugins = [stuckTestGuard()];

const exclude = ['**/node_modules/**', '**/dist/**'];

// Unit tests own no port and no process; the rest share two cores with real services. What waits for
// ever is found by its time limit, which a machine that is ten times slower does not reach.
export default defineConfig({
  test: {
    projects: [
      {
        plugins,
        test: {
          name: 'packages',
          include: [
            'packages/*/test/**/*.test.ts',
            'scripts/test/**/*.test.ts',
            'test/{bench,fuzz}/test/**/*.test.ts',
          ],
          exclude,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        plugins,
        test: {
          name: 'services',
          include: ['services/*/test/**/*.test.ts'],
          exclude,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        plugins,
        test: {
          name: 'e2e',
          include: ['test/e2e/test/**/*.test.ts'],
          exclude,
          testTimeout: 480_000,
          hookTimeout: 480_000,
          fileParallelism: false,
        },
      },
      {
        plugins,
        test: {
          name: 'chaos',
          include: ['test/chaos/test/**/*.test.ts'],
          exclude,
          testTimeout: 480_000,
          hookTimeout: 480_000,
          // Each mostly waits: for leases, for outages, for meetings at real time.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
