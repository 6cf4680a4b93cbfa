/**
 * Chaos on real libp2p: `npm run chaos -- attack-invalid|attack-sybils [--short]`. Prints a table, and one line of
 * JSON; ends with 1 where something does not hold that has to.
 */
import { buildPackageIfStale } from '../../scripts/build-if-stale.mjs'
import { ATTACKS } from './attacks.ts'

const [name = '', ...flags] = process.argv.slice(2)
const attack = Object.hasOwn(ATTACKS, name) ? ATTACKS[name as keyof typeof ATTACKS] : undefined
if (attack === undefined || flags.some((flag) => flag !== '--short')) {
  console.error(`usage: npm run chaos -- ${Object.keys(ATTACKS).join('|')} [--short]`)
  process.exit(2)
}
buildPackageIfStale()
// Loaded now: it uses the package as it was built.
const { runAttack } = await import('./attack.ts')
const result = await runAttack(flags.includes('--short') ? attack.short : attack.long)
const failures = attack.failures(result)
console.table(Object.fromEntries(Object.entries(result).map(([key, value]) => [key, { [name]: value }])))
console.log(JSON.stringify({ name, passed: failures.length === 0, ...result }))
for (const failure of failures) console.error(`${name}: ${failure}`)
process.exit(failures.length === 0 ? 0 : 1)
