import { defineConfig, devices } from '@playwright/test'
import { chromiumLaunch, firefoxLaunch } from './e2e/support/browsers.ts'

const reports = process.env['GHOSTCHAT_REPORT_DIR']
/** Tests that launch both browsers themselves. */
const cross = '**/*.cross.spec.ts'
/** Tests in networks of their own, which need root on Linux. */
const matrix = '**/matrix/*.spec.ts'

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  globalSetup: './e2e/support/global-setup.ts',
  workers: 1,
  retries: 0,
  forbidOnly: process.env['CI'] !== undefined,
  timeout: 60_000,
  reporter:
    reports === undefined ? 'list' : [['list'], ['json', { outputFile: `${reports}/playwright.json` }]],
  projects: [
    {
      name: 'chromium',
      testIgnore: [cross, matrix],
      use: { ...devices['Desktop Chrome'], launchOptions: chromiumLaunch },
    },
    {
      name: 'firefox',
      testIgnore: [cross, matrix],
      use: { ...devices['Desktop Firefox'], launchOptions: firefoxLaunch },
    },
    { name: 'cross', testMatch: cross },
    { name: 'matrix', testMatch: matrix },
  ],
})
