/**
 * Chaos on real libp2p: `npm run chaos -- NAME [--short] [--keep]`. Prints what happens, a table, and one line of JSON, which
 * `--keep` writes to docs/reliability/ too; ends with 1 where something does not hold that has to.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildPackageIfStale } from '../../scripts/build-if-stale.mjs'

const RESULTS = fileURLToPath(new URL('../../docs/reliability/', import.meta.url))

buildPackageIfStale()
// Loaded now: they use the package as it was built.
const { TRIALS } = await import('./trials.ts')

const { name, isShort, isKept } = readArguments()
const trial = TRIALS[name]
if (trial === undefined) throw new Error(name)
const began = Date.now()
const { result, failures } = await trial.run(isShort, (line) =>
  console.log(`${Math.round((Date.now() - began) / 1_000)} s: ${line}`),
)
const passed = failures.length === 0
for (const [key, value] of Object.entries(result)) console.log(`${key.padEnd(26)} ${JSON.stringify(value)}`)
for (const failure of failures) console.error(`${name}: ${failure}`)
const report = {
  name,
  form: isShort ? 'short' : 'long',
  passed,
  failures,
  date: new Date(began).toISOString(),
  machine: {
    processors: cpus().length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    node: process.versions.node,
  },
  ...result,
}
console.log(JSON.stringify(report))
if (isKept) {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(`${RESULTS}${name}.json`, `${JSON.stringify(report, undefined, 2)}\n`)
}
process.exit(passed ? 0 : 1)

function readArguments(): { name: string; isShort: boolean; isKept: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        short: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
      },
    })
    const [name = ''] = positionals
    if (positionals.length !== 1 || !Object.hasOwn(TRIALS, name)) throw new Error('which one?')
    return { name, isShort: values.short, isKept: values.keep }
  } catch {
    console.error(`usage: npm run chaos -- ${Object.keys(TRIALS).join('|')} [--short] [--keep]`)
    process.exit(2)
  }
}
