import type { Clock } from '../../src/clock.ts'

/** The clock of one device: off by some time, and late while the device sleeps. */
export class DeviceClock implements Clock {
  readonly #base: Clock
  readonly #offsetMs: number
  readonly #cancels = new Set<() => void>()
  /** What was due while the device slept. */
  #late: (() => void)[] | undefined
  #isStopped = false

  /** @param offsetMs by how much it is fast; negative: slow */
  constructor(base: Clock, offsetMs: number) {
    this.#base = base
    this.#offsetMs = offsetMs
  }

  now(): number {
    return this.#base.now() + this.#offsetMs
  }

  after(ms: number, task: () => void): () => void {
    if (this.#isStopped) return () => {}
    let isOver = false
    const cancel = (): void => {
      isOver = true
      cancelBase()
      this.#cancels.delete(cancel)
    }
    const ring = (): void => {
      if (isOver) return
      if (this.#late !== undefined) {
        this.#late.push(ring)
        return
      }
      cancel()
      task()
    }
    const cancelBase = this.#base.after(ms, ring)
    this.#cancels.add(cancel)
    return cancel
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#cancels.size
  }

  sleep(): void {
    this.#late ??= []
  }

  /** Rings what was due meanwhile, one after the other. */
  wake(): void {
    const late = this.#late ?? []
    this.#late = undefined
    for (const ring of late) this.#base.after(0, ring)
  }

  /** Nothing rings any more: the device is gone. */
  stop(): void {
    this.#isStopped = true
    for (const cancel of [...this.#cancels]) cancel()
  }
}
