import type { Clock } from '../../src/clock.ts'

/** A clock that is ahead of another, or behind it, and can be set. */
export class ShiftedClock implements Clock {
  /** By how many milliseconds it is ahead. */
  aheadMs = 0
  readonly #clock: Clock

  constructor(clock: Clock, aheadMs = 0) {
    this.#clock = clock
    this.aheadMs = aheadMs
  }

  now(): number {
    return this.#clock.now() + this.aheadMs
  }

  after(ms: number, task: () => void): () => void {
    return this.#clock.after(ms, task)
  }
}
