import { writeFile } from 'node:fs/promises'
import { test as base } from '@playwright/test'
import { Laboratory } from './lab/laboratory.ts'
import { whyNoLaboratory } from './lab/requirements.ts'

/**
 * Tests in a laboratory that is built once; each test has pages and servers of
 * its own. Where there can be no laboratory they are marked as skipped, with the
 * reason; for root on CI that is a failure.
 */
export const test = base.extend<{ lab: Laboratory }, { laboratory: Laboratory | string }>({
  laboratory: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from the pattern
    async ({}, use) => {
      const reason = await whyNoLaboratory()
      if (reason !== undefined) {
        if (process.env['CI'] !== undefined && process.getuid?.() === 0) throw new Error(reason)
        return use(reason)
      }
      const laboratory = await Laboratory.build()
      await use(laboratory)
      await laboratory.close()
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  lab: async ({ laboratory }, use, testInfo) => {
    if (typeof laboratory === 'string') return testInfo.skip(true, laboratory)
    await use(laboratory)
    const log = await laboratory.clear()
    if (testInfo.status !== testInfo.expectedStatus) {
      const path = testInfo.outputPath('laboratory.log')
      await writeFile(path, log.join('\n'))
      await testInfo.attach('laboratory.log', { path, contentType: 'text/plain' })
    }
  },
})
