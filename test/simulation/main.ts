/**
 * `npm run simulate -- [--seeds 1000] [--seed N] [--first N] [--peers 30] [--workers N] [--eclipse]`
 *
 * Runs many seeds, or one in detail. `--eclipse`: only those in which malicious devices that pass nothing on may be all
 * that is between honest ones. Exit code 1 when an invariant did not hold, with what is needed to see it again.
 */
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { drawScenario } from './draw.ts'
import { INVARIANTS } from './invariants.ts'
import { describeScenario, timeOf } from './scenario.ts'
import { type Report, simulate } from './simulation.ts'
import type { Outcome } from './worker.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    first: { type: 'string', default: '1' },
    peers: { type: 'string', default: '30' },
    eclipse: { type: 'boolean', default: false },
    workers: { type: 'string', default: String(availableParallelism()) },
  },
})
/** A run that takes this long, also on a machine that is busy with other things, does not end. */
const HANGS_MS = 900_000
const FAILURES_SHOWN = 5
/** Then another one takes over: what a run leaves behind is collected late. */
const SEEDS_A_PROCESS = 20

const peers = numberOf('peers', values.peers, 2)
process.exitCode =
  values.seed === undefined ? await runMany() : await runOne(numberOf('seed', values.seed, 0))

async function runOne(seed: number): Promise<number> {
  const scenario = drawScenario(seed, { peers })
  console.log(describeScenario(scenario).join('\n'))
  const report = await simulate(scenario)
  console.log(
    `trace ${report.trace}, ${report.deliveries} deliveries, ${report.tellings} messages and ${report.changes} changes told`,
  )
  show(report)
  return report.violations.length > 0 ? 1 : 0
}

async function runMany(): Promise<number> {
  const count = numberOf('seeds', values.seeds, 1)
  const first = numberOf('first', values.first, 0)
  const seeds: number[] = []
  for (let seed = first; seeds.length < count; seed += 1) {
    if (!values.eclipse || isEclipse(seed)) seeds.push(seed)
  }
  const began = performance.now()
  const reports: Report[] = []
  let cpuMs = 0
  const failed: Report[] = []
  const workers = Array.from({ length: numberOf('workers', values.workers, 1) }, () => work(take))
  await Promise.all(workers)
  console.log(summaryOf(reports, failed.length, performance.now() - began, cpuMs))
  return failed.length === 0 ? 0 : 1

  function take(outcome: Outcome | undefined): number | undefined {
    if (outcome !== undefined) {
      const { report } = outcome
      reports.push(report)
      cpuMs += outcome.cpuMs
      if (report.violations.length > 0) {
        failed.push(report)
        if (failed.length <= FAILURES_SHOWN) show(report)
      }
      progress(reports.length, count, failed.length, began)
    }
    return seeds.shift()
  }
}

function isEclipse(seed: number): boolean {
  const { eclipse, devices } = drawScenario(seed, { peers })
  return eclipse && devices.some(({ malice }) => malice?.forwards === false)
}

async function work(take: (outcome: Outcome | undefined) => number | undefined): Promise<void> {
  let seed = take(undefined)
  while (seed !== undefined) seed = await workInProcess(seed, take)
}

/**
 * One process: runs a seed, says what came of it, and is given the next one. One that does not end, or takes the
 * process with it, has failed. Answers the seed that is left for another process.
 */
function workInProcess(
  first: number,
  take: (outcome: Outcome) => number | undefined,
): Promise<number | undefined> {
  const worker = fork(new URL('./worker.ts', import.meta.url))
  let left = SEEDS_A_PROCESS
  return new Promise((resolve) => {
    let timeout: NodeJS.Timeout | undefined
    let running: number | undefined
    const fail = (detail: string): void => {
      clearTimeout(timeout)
      worker.kill('SIGKILL')
      if (running === undefined) return
      const report = lost(running, detail)
      running = undefined
      resolve(take({ report, cpuMs: 0 }))
    }
    const run = (seed: number): void => {
      running = seed
      timeout = setTimeout(() => fail('it does not end'), HANGS_MS)
      worker.send({ seed, peers })
    }
    worker.on('message', (outcome) => {
      clearTimeout(timeout)
      running = undefined
      left -= 1
      const next = take(outcome as Outcome)
      if (next !== undefined && left > 0) {
        run(next)
        return
      }
      worker.disconnect()
      resolve(next)
    })
    worker.on('error', (thrown) => fail(String(thrown)))
    worker.on('exit', (code) => fail(`its process ended with ${code}`))
    run(first)
  })
}

/** What is said of a run that nothing came of. */
function lost(seed: number, detail: string): Report {
  const violations = [{ invariant: 'no-failure' as const, atMs: 0, detail }]
  return { seed, violations, trace: '', deliveries: 0, tellings: 0, changes: 0 }
}

function show({ seed, violations }: Report): void {
  for (const { invariant, atMs, detail } of violations) {
    console.log(`seed ${seed}: ${invariant} at ${timeOf(atMs)}: ${detail}`)
  }
  if (violations.length > 0) console.log(`  again: ${commandFor(seed)}`)
}

function commandFor(seed: number): string {
  return `npm run simulate -- --seed ${seed} --peers ${peers}`
}

/** A line in place on a terminal, a line at each tenth elsewhere. */
function progress(done: number, count: number, failed: number, began: number): void {
  const line = `${done} of ${count} seeds, ${failed} failed, ${((performance.now() - began) / 1000).toFixed(0)} s`
  if (process.stdout.isTTY) process.stdout.write(`\r${line}${done === count ? '\n' : ''}`)
  else if (done % Math.ceil(count / 10) === 0) console.log(line)
}

function summaryOf(reports: readonly Report[], failed: number, ms: number, cpuMs: number): string {
  const sum = (of: (report: Report) => number): number =>
    reports.reduce((total, report) => total + of(report), 0)
  const broken = INVARIANTS.flatMap((name) => {
    const seeds = reports
      .filter(({ violations }) => violations.some(({ invariant }) => invariant === name))
      .map(({ seed }) => seed)
      .sort((a, b) => a - b)
    if (seeds.length === 0) return []
    return [`  ${name}: ${seeds.length} seeds, ${seeds.slice(0, 8).join(' ')}${seeds.length > 8 ? ' …' : ''}`]
  })
  return [
    `${reports.length} seeds × ${peers} peers: ${failed} failed`,
    `${sum(({ deliveries }) => deliveries)} deliveries, ${sum(({ tellings }) => tellings)} messages and ${sum(({ changes }) => changes)} changes told`,
    `${(ms / 1000).toFixed(0)} s, ${(cpuMs / 1000).toFixed(0)} s of CPU`,
    ...(broken.length > 0 ? ['did not hold:', ...broken] : []),
  ].join('\n')
}

function numberOf(name: string, text: string, min: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < min) {
    console.error(`--${name} must be a whole number from ${min} on`)
    process.exit(2)
  }
  return value
}
