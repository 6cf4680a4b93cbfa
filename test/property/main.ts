/**
 * `npm run properties [-- --runs N] [--seed=S [--path=P]] [what …]`: every property with 100,000 inputs at least, from
 * a seed that is new each time and printed. `what` are parts of file names; `-t text` chooses tests by their title.
 */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'

/** What is asked of each codec and each state machine. */
const RUNS = 100_000
/** How long one property may take: several times what the slowest one did. */
const TIMEOUT_MS = 30 * 60_000
/** Where there are properties. */
const FILES = ['test/property/', 'test/unit/gate/pace.test.ts', 'test/unit/network/score.test.ts']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: String(RUNS) },
    seed: { type: 'string' },
    path: { type: 'string' },
    title: { type: 'string', short: 't' },
  },
})
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31))
const chosen = positionals.length > 0 ? positionals : FILES
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')

const what = values.path === undefined ? `${values.runs} inputs each` : 'one input again'
console.log(`properties: ${what}, seed ${seed}`)
const run = spawn(
  process.execPath,
  [
    vitest,
    'run',
    '--project=unit',
    '--reporter=verbose',
    `--testTimeout=${TIMEOUT_MS}`,
    `--maxWorkers=${availableParallelism()}`,
    ...(values.title === undefined ? [] : ['-t', values.title]),
    ...chosen,
  ],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      GHOSTCHAT_PROPERTY_RUNS: values.path === undefined ? values.runs : '0',
      GHOSTCHAT_PROPERTY_SEED: seed,
      ...(values.path !== undefined && { GHOSTCHAT_PROPERTY_PATH: values.path }),
    },
  },
)
run.on('exit', (code) => {
  if (code !== 0) {
    console.log(
      '\nproperties: a failure names its seed and its path. That input again:\n' +
        `  npm run properties -- --seed=${seed} --path=<path> -t '<title>' <file>`,
    )
  }
  process.exitCode = code ?? 1
})
