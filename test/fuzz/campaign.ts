import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { bundle } from './bundle.ts'
import type { Finding } from './finding.ts'
import { CACHE } from './jazzer.ts'
import type { Target } from './target.ts'

/** What a process is told to do. */
export interface Order {
  name: string
  bundle: string
  /** Where its corpus and whatever else it writes goes. */
  folder: string
  runs: number
  seed: number
  maxBytes: number
  words: readonly string[]
  leavesThread: boolean
  /** Whether it has to say which inputs are worth keeping. */
  keeps: boolean
}

/** What a process answers. */
export interface Outcome {
  finding: Finding | undefined
  kept: number[][]
  /** How long the processor was busy with it: that does not depend on what else the machine does. */
  cpuMs: number
}

/** What came of fuzzing one target. */
export interface Report extends Outcome {
  name: string
  inputs: number
  ms: number
  /** Branches that were taken, and those together with how often, as libFuzzer counts them. */
  branches: number
  features: number
  /** Inputs that each reach something of their own. */
  corpus: number
}

/** What libFuzzer says on the way: `#1024 pulse cov: 12 ft: 34 corp: 5/67b …`. */
const STATUS = /^#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)/
/** What it calls the files with inputs after which there is no process any more. */
const ARTIFACT = /^(timeout|oom|crash|leak)-/
const LINES_SHOWN = 30

/** Fuzzes one target in a process of its own. Never rejects over what an input does. */
export async function campaign(
  target: Target,
  options: { runs: number; seed: number; keeps: boolean; onProgress: (inputs: number) => void },
): Promise<Report> {
  const { name, maxBytes, words = [], leavesThread = false } = target
  const folder = join(CACHE, 'work', name)
  mkdirSync(folder, { recursive: true })
  for (const file of readdirSync(folder)) if (ARTIFACT.test(file)) rmSync(join(folder, file))
  const { runs, seed, keeps } = options
  const order: Order = {
    name,
    bundle: await bundle(target),
    folder,
    runs,
    seed,
    maxBytes,
    words,
    leavesThread,
    keeps,
  }
  const report: Report = {
    name,
    inputs: 0,
    ms: 0,
    branches: 0,
    features: 0,
    corpus: 0,
    finding: undefined,
    kept: [],
    cpuMs: 0,
  }
  const startedAt = performance.now()
  const child = fork(new URL('./campaign-child.ts', import.meta.url), {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const last = follow(child, report, options.onProgress)
  child.send(order)
  const outcome = await outcomeOf(child)
  report.ms = performance.now() - startedAt
  return { ...report, ...(outcome ?? { finding: leftBehind(folder, last), kept: [], cpuMs: 0 }) }
}

/** Reads what the process says. Answers its last lines, which go on to be filled. */
function follow(child: ChildProcess, report: Report, onProgress: (inputs: number) => void): string[] {
  const last: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface(stream).on('line', (line) => {
      const [, inputs, branches, features, corpus] = STATUS.exec(line) ?? []
      if (inputs === undefined) {
        if (!line.startsWith('Skip loading')) last.push(line)
        if (last.length > LINES_SHOWN) last.shift()
        return
      }
      Object.assign(report, {
        inputs: Number(inputs),
        branches: Number(branches),
        features: Number(features),
        corpus: Number(corpus),
      })
      onProgress(report.inputs)
    })
  }
  return last
}

/** What the process answers; nothing where it ends before. */
function outcomeOf(child: ChildProcess): Promise<Outcome | undefined> {
  return new Promise((resolve) => {
    let outcome: Outcome | undefined
    child.on('message', (message) => {
      outcome = message as Outcome
    })
    child.on('error', () => resolve(undefined))
    child.on('close', () => resolve(outcome))
  })
}

/** The input that ended a process, which libFuzzer wrote down. */
function leftBehind(folder: string, last: readonly string[]): Finding {
  const file = readdirSync(folder).find((name) => ARTIFACT.test(name))
  const what = file === undefined ? 'the process ended' : `the process ended: ${file.split('-')[0]}`
  const input = file === undefined ? [] : [...readFileSync(join(folder, file))]
  return { input, thrown: [what, ...last].join('\n') }
}
