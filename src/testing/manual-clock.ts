import type { Clock } from '../clock.ts'

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #now: number
  #order = 0
  readonly #timers = new Set<{ at: number; order: number; task: () => void }>()

  /** @param now milliseconds since the Unix epoch; default the machine's time, once */
  constructor(now: number = Date.now()) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, task: () => void): () => void {
    this.#order += 1
    const timer = { at: this.#now + Math.max(0, ms), order: this.#order, task }
    this.#timers.add(timer)
    return () => {
      this.#timers.delete(timer)
    }
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.size
  }

  /**
   * Moves the clock by `ms` and runs the timers on the way in their order. After
   * each one, what it started (signing, delivering) is given the time to settle.
   */
  async advance(ms: number): Promise<void> {
    await settle()
    const end = this.#now + ms
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer)
      this.#now = Math.max(this.#now, timer.at)
      timer.task()
      await settle()
    }
    this.#now = end
    await settle()
  }

  #next(end: number): { at: number; order: number; task: () => void } | undefined {
    let next: { at: number; order: number; task: () => void } | undefined
    for (const timer of this.#timers) {
      if (timer.at > end) continue
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order))
        next = timer
    }
    return next
  }
}

/** Real turns of the event loop that a step gets: WebCrypto answers from another thread. */
const TURNS = 12

/** Gives what is under way (signatures, verifications, deliveries) the time to come to rest. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0))
}
