import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// The CI script counts tests from these reports, one a run.
const reports = process.env.CARILLON_TEST_REPORTS

/**
 * `unit` needs nothing outside its package, `system` runs several parties over loopback, `repository` checks
 * the tree itself, `services` needs a database server and is run by the CI script.
 */
export default defineConfig({
  test: {
    // Most tests wait for processes and sockets: one file for each core, where vitest would leave one core free.
    maxWorkers: '100%',
    reporters: reports
      ? ['default', ['json', { outputFile: join(reports, `${process.pid}.json`) }]]
      : ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/test/**/*.test.ts'],
          exclude: ['**/*.service.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts', 'examples/testing/vitest.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { test: { name: 'repository', include: ['test/repository/**/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'services',
          include: ['packages/*/test/**/*.service.test.ts', 'test/services/**/*.test.ts'],
          testTimeout: 120_000,
        },
      },
    ],
  },
})
