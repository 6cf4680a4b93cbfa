/**
 * `npm run check`: every `check:*` script of package.json, all of them even when one fails, and a summary.
 * With `GHOSTCHAT_REPORT_DIR` set the result is also written there as `check.json`.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ensureDependencies } from './setup.mjs'

ensureDependencies()

const { scripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const steps = Object.keys(scripts).filter((name) => name.startsWith('check:'))

const results = steps.map((name) => {
  console.log(`\n── ${name}`)
  const started = performance.now()
  const { status } = spawnSync('npm', ['run', '--silent', name], {
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  return { name, passed: status === 0, seconds: (performance.now() - started) / 1000 }
})

console.log('\n── summary')
for (const { name, passed, seconds } of results) {
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name} (${seconds.toFixed(1)} s)`)
}
const passed = results.filter((result) => result.passed).length
const failed = results.length - passed
const reports = process.env.GHOSTCHAT_REPORT_DIR
if (reports) writeFileSync(join(reports, 'check.json'), JSON.stringify({ passed, failed }))
process.exit(failed === 0 ? 0 : 1)
