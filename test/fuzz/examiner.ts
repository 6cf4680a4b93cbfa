import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BrokenPromise, type Target } from './target.ts'

/** What one input may take, in milliseconds. */
const HANG_MS = 50
/** How often something is looked at again before it counts as slow, or as held on to. */
const ATTEMPTS = 8
/** How much more memory may be in use at the end than after the first inputs: caches that fill, code that is compiled. */
const GROWTH_MAX_BYTES = 24 * 1024 * 1024
/** How many inputs are examined before the event loop has its turn. */
const BATCH = 100

/**
 * Puts inputs through a target, and sees what it does besides: that it comes to an
 * end in time, leaves no rejection unhandled, and changes nothing that all share.
 */
export class Examiner {
  readonly #target: Target
  #stray: { thrown: unknown } | undefined
  #heapBytes: number | undefined

  constructor(target: Target) {
    this.#target = target
    process.on('unhandledRejection', this.#onStray)
    process.on('uncaughtException', this.#onStray)
  }

  /** It looks for stray rejections no longer. */
  end(): void {
    process.off('unhandledRejection', this.#onStray)
    process.off('uncaughtException', this.#onStray)
  }

  /**
   * Examines inputs one after the other.
   *
   * @param onInput is told of each before
   * @throws whatever shows that a promise is broken
   */
  async examineAll(inputs: Iterable<Uint8Array>, onInput: (input: Uint8Array) => void): Promise<void> {
    let batch: Uint8Array[] = []
    for (const input of inputs) {
      batch.push(input)
      if (batch.length < BATCH) continue
      await this.#examineBatch(batch, onInput)
      batch = []
    }
    await this.#examineBatch(batch, onInput)
  }

  /**
   * Examines one input. Where its target does not leave the thread, it has to be called in a task of its own: while a
   * promise is being gone on from, others are not.
   *
   * @throws whatever shows that a promise is broken
   */
  examine(input: Uint8Array): void | Promise<void> {
    return this.#target.leavesThread ? this.#examineInTime(input) : this.#examineNow(input)
  }

  /**
   * Looks how much memory is in use. The first time counts as the beginning.
   *
   * @throws BrokenPromise where it is far more than at the beginning
   */
  weigh(): void {
    let grownBytes = 0
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      collectGarbage()
      const { heapUsed, external } = process.memoryUsage()
      this.#heapBytes ??= heapUsed + external
      grownBytes = heapUsed + external - this.#heapBytes
      // Buffers of what was collected are given back by the next collection only.
      if (grownBytes <= GROWTH_MAX_BYTES) return
    }
    throw new BrokenPromise(`memory in use has grown by ${Math.round(grownBytes / 2 ** 20)} MiB`)
  }

  async #examineBatch(batch: readonly Uint8Array[], onInput: (input: Uint8Array) => void): Promise<void> {
    if (this.#target.leavesThread) {
      for (const input of batch) {
        onInput(input)
        await this.#examineInTime(input)
      }
      return
    }
    await new Promise<void>((resolve, reject) => {
      setImmediate(() => {
        try {
          for (const input of batch) {
            onInput(input)
            this.#examineNow(input)
          }
          resolve()
        } catch (thrown) {
          reject(thrown)
        }
      })
    })
  }

  #examineNow(input: Uint8Array): void {
    const startedAt = performance.now()
    toTheEnd(this.#target, input)
    this.#checkAround()
    if (performance.now() - startedAt <= HANG_MS) return
    const stopwatch = new Stopwatch()
    while (stopwatch.goesOn()) toTheEnd(this.#target, input)
  }

  async #examineInTime(input: Uint8Array): Promise<void> {
    const startedAt = performance.now()
    await this.#target.run(input)
    this.#checkAround()
    if (performance.now() - startedAt <= HANG_MS) return
    const stopwatch = new Stopwatch()
    while (stopwatch.goesOn()) await this.#target.run(input)
  }

  readonly #onStray = (thrown: unknown): void => {
    this.#stray ??= { thrown }
  }

  #checkAround(): void {
    const stray = this.#stray
    this.#stray = undefined
    if (stray !== undefined)
      throw new BrokenPromise('something was thrown where nobody handles it', { cause: stray.thrown })
    for (const key in {}) throw new BrokenPromise(`every object has a property '${key}' now`)
  }
}

/**
 * Times something again that was slow: it may have had to wait for a busy machine,
 * for code to be compiled, or for a collection of garbage. What counts is the least time this thread was busy with it.
 */
class Stopwatch {
  #attempts = 0
  #leastMs = Number.POSITIVE_INFINITY
  #startedMs = 0

  /** Whether to try once more. @throws BrokenPromise when it was slow each time */
  goesOn(): boolean {
    const nowMs = busyMs()
    if (this.#attempts > 0) this.#leastMs = Math.min(this.#leastMs, nowMs - this.#startedMs)
    if (this.#leastMs <= HANG_MS) return false
    if (this.#attempts === ATTEMPTS) throw new BrokenPromise(`it takes ${Math.round(this.#leastMs)} ms`)
    this.#attempts += 1
    this.#startedMs = nowMs
    return true
  }
}

function busyMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** Runs a target, and whatever it does asynchronously, before anything else: it must not need anything from outside. */
function toTheEnd({ run }: Target, input: Uint8Array): void {
  const running = run(input)
  if (running === undefined) return
  let end: { thrown?: unknown } | undefined
  running.then(
    () => (end = {}),
    (thrown: unknown) => (end = { thrown }),
  )
  runMicrotasks()
  if (end === undefined) throw new BrokenPromise('it does not come to an end')
  if ('thrown' in end) throw end.thrown
}

/**
 * What Node does between two tasks: promises go on, and rejections that nobody handles are told. An event loop's turn
 * for each input would take three times as long, and a fuzzer in C++ that calls us has none.
 */
const runMicrotasks = (process as unknown as { _tickCallback(): void })._tickCallback

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
