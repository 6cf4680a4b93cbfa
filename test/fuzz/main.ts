/**
 * `npm run fuzz -- [TARGET …] [--runs N] [--seed N] [--jobs N] [--keep]`, `npm run fuzz -- TARGET --replay FILE`
 *
 * Fuzzes all targets, or some, guided by coverage. Exit code 1 when a promise was broken, with the input kept and the
 * command that shows it again. `--keep` replaces the kept corpus by the fewest inputs that reach what was reached.
 */
import { parseArgs } from 'node:util'
import { campaign, type Report } from './campaign.ts'
import { keepInputs, readInputs } from './corpus.ts'
import { keepFinding } from './finding.ts'
import { ensureJazzer } from './jazzer.ts'
import { PlainFuzzer } from './plain.ts'
import type { Target } from './target.ts'
import { targetOf, targets } from './targets/index.ts'

/** Fewer would be over before coverage leads anywhere. */
const RUNS_MIN = 1_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string' },
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1e9)) },
    jobs: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
    replay: { type: 'string' },
  },
})

const chosen = positionals.length === 0 ? targets : positionals.map(named)
process.exitCode = values.replay === undefined ? await fuzzAll() : await showAgain(values.replay)

async function fuzzAll(): Promise<number> {
  ensureJazzer()
  const runs = values.runs === undefined ? undefined : numberOf('runs', values.runs, RUNS_MIN)
  const seed = numberOf('seed', values.seed, 1)
  console.log(`seed ${seed}; the same seed tries other inputs when the code or the corpus is another`)
  const waiting = [...chosen]
  const reports: Report[] = []
  const work = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      reports.push(await fuzzOne(target, runs ?? target.runs, seed))
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: numberOf('jobs', values.jobs, 1) }, work))
  console.log(tableOf(reports, performance.now() - startedAt))
  return reports.every(({ finding }) => finding === undefined) ? 0 : 1
}

async function fuzzOne(target: Target, runs: number, seed: number): Promise<Report> {
  const { name } = target
  const onProgress = (inputs: number): void => {
    if (process.stdout.isTTY) process.stdout.write(`\r${name}: ${inputs} of ${runs} inputs `)
  }
  const report = await campaign(target, { runs, seed, keeps: values.keep, onProgress })
  if (process.stdout.isTTY) process.stdout.write('\r')
  const { inputs, ms, finding, kept } = report
  console.log(
    `${name}: ${inputs} inputs in ${(ms / 1_000).toFixed(0)} s${finding === undefined ? '' : ', FAILED'}`,
  )
  if (finding !== undefined) {
    console.log(keepFinding(name, finding))
  } else if (values.keep) {
    keepInputs(
      name,
      kept.map((each) => Uint8Array.from(each)),
    )
  }
  return report
}

async function showAgain(file: string): Promise<number> {
  const [target, ...others] = chosen
  if (target === undefined || others.length > 0) return misused('--replay takes one target')
  const inputs = readInputs(file)
  for (const input of inputs)
    console.log(`${input.length} bytes: ${JSON.stringify(Buffer.from(input).toString('latin1'))}`)
  const fuzzer = new PlainFuzzer()
  const failure = await fuzzer.replay(target.name, inputs)
  await fuzzer.close()
  console.log(failure === undefined ? 'every promise holds' : failure.thrown)
  return failure === undefined ? 0 : 1
}

function named(name: string): Target {
  const target = targetOf(name)
  if (target !== undefined) return target
  process.exit(
    misused(`there is no target ${name}; there are ${targets.map((each) => each.name).join(', ')}`),
  )
}

function tableOf(reports: readonly Report[], ms: number): string {
  const rows = reports.map(({ name, inputs, cpuMs, branches, features, corpus, finding }) => [
    name,
    inputs.toLocaleString('en'),
    (cpuMs / 1_000).toFixed(0),
    cpuMs === 0 ? '' : Math.round(inputs / (cpuMs / 1_000)).toLocaleString('en'),
    String(branches),
    String(features),
    String(corpus),
    finding === undefined ? '' : 'FAILED',
  ])
  const all = reports.reduce((sum, { inputs }) => sum + inputs, 0)
  const head = ['target', 'inputs', 'CPU s', 'a CPU s', 'branches', 'features', 'corpus', '']
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  return [
    '',
    ...[head, ...rows].map(line),
    `${all.toLocaleString('en')} inputs in ${(ms / 60_000).toFixed(1)} min`,
  ].join('\n')
}

function numberOf(name: string, text: string, min: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= min) return value
  process.exit(misused(`--${name} must be a whole number from ${min} on`))
}

function misused(message: string): number {
  console.error(message)
  return 2
}
