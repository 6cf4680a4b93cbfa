import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url))
const reports = process.env['GHOSTCHAT_REPORT_DIR']

export default defineConfig({
  resolve: {
    // Longest first: an alias also matches what begins with it and a slash.
    alias: {
      '#runtime': source('runtime/node.ts'),
      '#webrtc': source('runtime/webrtc-node.ts'),
      'ghostchat/node': source('node/index.ts'),
      'ghostchat/testing': source('testing/index.ts'),
      ghostchat: source('index.ts'),
    },
  },
  test: {
    dangerouslyIgnoreUnhandledErrors: false,
    allowOnly: process.env['CI'] === undefined,
    // What is polled for comes in milliseconds; on a machine with other work, seconds. The default is one.
    expect: { poll: { timeout: 10_000 } },
    reporters:
      reports === undefined ? ['default'] : ['default', ['json', { outputFile: `${reports}/vitest.json` }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          // Half of the cores is the default: on two that is one worker, and twice the time.
          maxWorkers: 2,
          // What they do takes milliseconds; on a machine with other work, seconds.
          testTimeout: 20_000,
          include: ['test/{unit,property,conformance,simulation,fuzz}/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          // Real sockets and real time: tests that share two cores with each other measure each other.
          fileParallelism: false,
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
    ],
  },
})
