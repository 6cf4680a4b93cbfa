/**
 * Measures: every part, or those that are named. Prints tables, writes `bench/results/<part>.json`, and from all results
 * there are `docs/benchmarks.md` and its plots.
 *
 * - `--quick`: to try it; fewer runs, and nothing is written.
 * - `--only=peer,peer`: only some of those that are compared; nothing is written either.
 */
import { PARTS } from './parts.mjs'
import { writeReport } from './report.mjs'
import { saveResults } from './support/results.mjs'
import { table } from './support/stats.mjs'

const ONLY = '--only='

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'))
const isQuick = flags.includes('--quick')
const only = flags
  .find((flag) => flag.startsWith(ONLY))
  ?.slice(ONLY.length)
  .split(',')
const unknown = [
  ...names.filter((name) => !PARTS.some((part) => part.name === name)),
  ...flags.filter((flag) => flag !== '--quick' && !flag.startsWith(ONLY)),
]
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; there are --quick, ${ONLY}peer,peer and these parts:`)
  for (const { name, question } of PARTS) console.error(`  ${name.padEnd(14)} ${question}`)
  process.exit(2)
}

for (const part of PARTS.filter(({ name }) => names.length === 0 || names.includes(name))) {
  console.log(`\n${part.name}: ${part.question}`)
  const progress = (text) => console.error(`  ${new Date().toLocaleTimeString('en-GB')} ${text}`)
  const results = await part.measure({ isQuick, only, progress })
  // What was only tried does not take the place of a measurement.
  if (!isQuick && only === undefined) {
    saveResults(part.name, { command: `npm run bench -- ${part.name}`, results })
    writeReport()
  }
  for (const { caption, rows } of part.tables(results)) {
    console.log(`\n${caption === undefined ? '' : `${caption}\n\n`}${table(rows)}`)
  }
}
process.exit()
