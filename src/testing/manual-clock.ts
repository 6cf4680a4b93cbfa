import type { Clock } from '../clock.ts'
import { settle } from './settle.ts'
import { type Timer, TimerHeap } from './timer-heap.ts'

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  readonly #timers = new TimerHeap()
  readonly #settle: () => Promise<void>
  #now: number
  #order = 0

  /**
   * @param now milliseconds since the Unix epoch; default the machine's time, once
   * @param options.settle what each step waits for; default {@link settle}. Where nothing leaves the event loop's own
   * thread, {@link turn} does, and is the fastest
   */
  constructor(now: number = Date.now(), options: { settle?: () => Promise<void> } = {}) {
    this.#now = now
    this.#settle = options.settle ?? settle
  }

  now(): number {
    return this.#now
  }

  after(ms: number, task: () => void): () => void {
    this.#order += 1
    const timer: Timer = { at: this.#now + Math.max(0, ms), order: this.#order, task, isSet: true }
    this.#timers.push(timer)
    return () => this.#timers.cancel(timer)
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
    await this.#settle()
    const end = this.#now + ms
    for (let timer = this.#timers.pop(end); timer !== undefined; timer = this.#timers.pop(end)) {
      this.#now = Math.max(this.#now, timer.at)
      timer.task()
      await this.#settle()
    }
    this.#now = end
    await this.#settle()
  }
}
