/** A process of `campaign.ts`: fuzzes one target with Jazzer.js and says what came of it. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { BUNDLES } from './bundle.ts'
import type { Order, Outcome } from './campaign.ts'
import { keptInputs } from './corpus.ts'
import { fewest } from './coverage.ts'
import { Examiner } from './examiner.ts'
import { branchCounters, hurry, type Jazzer, loadJazzer } from './jazzer.ts'
import type { Target } from './target.ts'

/** How often memory is weighed. */
const WEIGH_EACH = 50_000
/** An input that takes this long never ends: libFuzzer writes it down and ends the process. */
const ENDLESS_MS = 5_000

process.once('message', (order: Order) => {
  void campaign(order).then(
    (outcome) => process.send?.(outcome, () => process.exit(0)),
    (thrown: unknown) => {
      console.error(thrown)
      process.exit(1)
    },
  )
})

async function campaign(order: Order): Promise<Outcome> {
  const jazzer = loadJazzer()
  const options = optionsOf(jazzer, order)
  jazzer.registerGlobals(options)
  await jazzer.initFuzzing(options)
  hurry()
  const target = Object.values(createRequire(import.meta.url)(order.bundle) as Record<string, Target>).find(
    ({ name }) => name === order.name,
  )
  if (target === undefined) throw new Error(`the bundle has no target ${order.name}`)
  const examiner = new Examiner(target)
  const known = [...(await target.seeds()), ...keptInputs(order.name)]
  let input: Uint8Array = new Uint8Array()
  const note = (next: Uint8Array): void => {
    input = next
  }
  try {
    await examiner.examineAll(known, note)
    examiner.weigh()
    for (const each of known) writeFileSync(join(corpusOf(order), hashOf(each)), each)
    await fuzz(jazzer, options, examiner, note)
    examiner.weigh()
  } catch (thrown) {
    return { finding: { input: [...input], thrown: textOf(thrown) }, kept: [], cpuMs: cpuMs() }
  }
  const outcome = { finding: undefined, kept: [], cpuMs: cpuMs() }
  if (!order.keeps) return outcome
  const kept = await fewest(inputsIn(corpusOf(order)), examiner, branchCounters())
  return { ...outcome, kept: kept.map((each) => [...each]) }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

/** @throws whatever an input was found to do */
async function fuzz(
  jazzer: Jazzer,
  options: ReturnType<typeof optionsOf>,
  examiner: Examiner,
  note: (input: Uint8Array) => void,
): Promise<void> {
  let count = 0
  let found: { thrown: unknown } | undefined
  const find = (thrown: unknown): never => {
    found ??= { thrown }
    throw thrown
  }
  const examine = (data: Buffer): void | Promise<void> => {
    // A copy: the fuzzer's memory is changed behind our back.
    const input = new Uint8Array(data)
    note(input)
    count += 1
    try {
      if (count % WEIGH_EACH === 0) examiner.weigh()
      return examiner.examine(input)?.catch(find)
    } catch (thrown) {
      return find(thrown)
    }
  }
  // In a task of its own: see `examine`.
  await setImmediate()
  const { returnCode, error } = await inTask(() =>
    jazzer.startFuzzingNoInit(jazzer.asFindingAwareFuzzFn(examine), options),
  )
  if (found !== undefined) throw found.thrown
  if (returnCode !== 0) throw error
}

function inTask<T>(start: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    globalThis.setImmediate(() => {
      start().then(resolve, reject)
    })
  })
}

function optionsOf(jazzer: Jazzer, order: Order) {
  const options = new jazzer.OptionsManager(jazzer.OptionSource.DefaultCLIOptions)
  mkdirSync(corpusOf(order), { recursive: true })
  const words = join(order.folder, 'words')
  writeFileSync(words, order.words.map((word) => `"${escaped(word)}"\n`).join(''))
  const fuzzerOptions = [
    corpusOf(order),
    ...[`-runs=${order.runs}`, `-seed=${order.seed}`, `-max_len=${order.maxBytes}`, `-dict=${words}`],
    ...[`-artifact_prefix=${order.folder}/`, '-rss_limit_mb=4096'],
  ]
  options.merge(
    {
      fuzzerOptions,
      timeout: ENDLESS_MS,
      sync: !order.leavesThread,
      includes: [BUNDLES],
      excludes: ['no file at all'],
      // They look for shells and files, of which we have none, and take two thirds of the time.
      disableBugDetectors: ['.*'],
    },
    jazzer.OptionSource.CommandLineArguments,
  )
  return options
}

function corpusOf({ folder }: Order): string {
  return join(folder, 'corpus')
}

function inputsIn(folder: string): Uint8Array[] {
  return readdirSync(folder).map((name) => new Uint8Array(readFileSync(join(folder, name))))
}

function hashOf(input: Uint8Array): string {
  return createHash('sha1').update(input).digest('hex')
}

/** As a dictionary of libFuzzer writes it. */
function escaped(word: string): string {
  return [...Buffer.from(word)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}

function textOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  return `${thrown.stack}${thrown.cause === undefined ? '' : `\nbecause of ${textOf(thrown.cause)}`}`
}
