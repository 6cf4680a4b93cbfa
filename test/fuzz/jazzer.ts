import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import Module, { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { forOldGlibc } from './old-glibc.ts'

const wanted = fileURLToPath(new URL('./jazzer', import.meta.url))
/** Beside our dependencies and not among them: 31 MB that only whoever fuzzes needs. Goes with `node_modules`. */
export const CACHE = fileURLToPath(new URL('../../node_modules/.cache/ghostchat-fuzz', import.meta.url))

/** As much of Jazzer.js as is used here. */
export interface Jazzer {
  OptionsManager: new (source: number) => JazzerOptions
  OptionSource: { DefaultCLIOptions: number; CommandLineArguments: number }
  registerGlobals(options: JazzerOptions): void
  initFuzzing(options: JazzerOptions): Promise<unknown>
  asFindingAwareFuzzFn(run: (data: Buffer) => unknown): unknown
  startFuzzingNoInit(run: unknown, options: JazzerOptions): Promise<{ returnCode: number; error?: unknown }>
}

interface JazzerOptions {
  merge(values: object, source: number): void
}

/** Installs Jazzer.js where it is missing or was installed from another lockfile. @throws Error where that fails */
export function ensureJazzer(): void {
  const lockfile = readFileSync(join(wanted, 'package-lock.json'))
  const stamp = join(CACHE, '.lockfile')
  const version = createHash('sha256').update(lockfile).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === version) return
  console.log('fuzz: installing Jazzer.js (npm ci)')
  mkdirSync(CACHE, { recursive: true })
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(wanted, file), join(CACHE, file))
  const options = { cwd: CACHE, stdio: 'inherit', shell: process.platform === 'win32' } as const
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts']
  if (spawnSync('npm', args, options).status !== 0) throw new Error('Jazzer.js could not be installed')
  writeFileSync(stamp, version)
}

/** Loads it into this process; its native part in the form that this system can load. */
export function loadJazzer(): Jazzer {
  const extensions = (
    Module as unknown as { _extensions: Record<string, (module: object, file: string) => void> }
  )._extensions
  const load = extensions['.node']
  extensions['.node'] = (module, file) => {
    try {
      load?.(module, file)
    } catch (thrown) {
      if (!(thrown instanceof Error) || !/GLIBC(?:XX)?_\S+' not found/.test(thrown.message)) throw thrown
      process.dlopen(module, copyForOldGlibc(file))
    }
  }
  return createRequire(join(CACHE, 'package.json'))('@jazzer.js/core') as Jazzer
}

/** What Jazzer.js makes global for the code it instruments. */
interface Instruments {
  Fuzzer: {
    coverageTracker: {
      coverageMap: Uint8Array
      currentNumCounters: number
      incrementCounter(branch: number): void
    }
    tracer: { traceNumberCmp(one: number, other: number, operator: string, id: number): boolean }
  }
}

/** How often each branch was taken since somebody set it to 0. */
export function branchCounters(): Uint8Array {
  const { coverageMap, currentNumCounters } = instruments().coverageTracker
  return coverageMap.subarray(0, currentNumCounters)
}

/**
 * Makes instrumented code three times as fast: counts without calling into Buffer,
 * and tells libFuzzer of comparisons only of numbers that are not found by chance.
 */
export function hurry(): void {
  const { coverageTracker, tracer } = instruments()
  const counters = coverageTracker.coverageMap
  coverageTracker.incrementCounter = (branch) => {
    const count = counters[branch] ?? 0
    counters[branch] = count === 255 ? 1 : count + 1
  }
  const told = tracer.traceNumberCmp
  tracer.traceNumberCmp = (one, other, operator, id) => {
    if (one > BYTE_MAX && other > BYTE_MAX) return told(one, other, operator, id)
    const compare = COMPARE[operator]
    return compare === undefined ? told(one, other, operator, id) : compare(one, other)
  }
}

const BYTE_MAX = 255

const COMPARE: Record<string, (one: number, other: number) => boolean> = {
  '===': (one, other) => one === other,
  '!==': (one, other) => one !== other,
  '<': (one, other) => one < other,
  '<=': (one, other) => one <= other,
  '>': (one, other) => one > other,
  '>=': (one, other) => one >= other,
}

function instruments(): Instruments['Fuzzer'] {
  return (globalThis as unknown as Instruments).Fuzzer
}

/** Makes a copy that this system can load, once. */
function copyForOldGlibc(file: string): string {
  const library = readFileSync(file)
  const name = createHash('sha256').update(library).digest('hex').slice(0, 16)
  const copy = join(CACHE, `${name}.node`)
  if (!existsSync(copy)) writeFileSync(copy, forOldGlibc(library))
  return copy
}
