/**
 * Prints `N passed, N failed` over the reports of vitest, playwright and the checks, and exits 1 unless all is well.
 * A command that failed without a failing test in its reports (a build, an unhandled error) counts as one failure.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [directory, testStatus, checkStatus] = process.argv.slice(2)

const vitest = read('vitest.json', (report) => [report.numPassedTests, report.numFailedTests])
const playwright = read('playwright.json', ({ stats }) => [stats.expected, stats.unexpected + stats.flaky])
const checks = read('check.json', (report) => [report.passed, report.failed])

const tests = { passed: vitest.passed + playwright.passed, failed: vitest.failed + playwright.failed }
if (tests.failed === 0 && (testStatus !== '0' || tests.passed === 0)) tests.failed = 1
if (checks.failed === 0 && (checkStatus !== '0' || checks.passed === 0)) checks.failed = 1

const failed = tests.failed + checks.failed
console.log(`${tests.passed + checks.passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

function read(name, count) {
  const path = join(directory, name)
  if (!existsSync(path)) return { passed: 0, failed: 0 }
  const [passed, failed] = count(JSON.parse(readFileSync(path, 'utf8')))
  return { passed, failed }
}
