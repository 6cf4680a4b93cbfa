import type { Clock } from '../clock.ts'
import { QUIET_LOOK_MAX_MS, QUIET_LOOK_MS } from '../limits.ts'
import type { Random } from '../random.ts'

/**
 * Looks now and then, although nothing seems to be missing. What nobody names is
 * not noticed to be missing: an event whose author cannot be asked, or one that the
 * others had given up looking for when it came.
 *
 * The longer nothing is found to be missing, the more rarely it looks: a comparison
 * costs more than it is worth where all is well.
 */
export class QuietLooks {
  readonly #clock: Clock
  readonly #random: Random
  readonly #look: () => void
  #pauseMs = QUIET_LOOK_MS
  #cancel: (() => void) | undefined
  #isClosed = false

  constructor(options: { clock: Clock; random: Random; look: () => void }) {
    this.#clock = options.clock
    this.#random = options.random
    this.#look = options.look
  }

  /** Something was missing, or may be: looks soon, and counts anew. */
  start(): void {
    if (this.#cancel !== undefined && this.#pauseMs === QUIET_LOOK_MS) return
    this.#pauseMs = QUIET_LOOK_MS
    this.#wait()
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  #wait(): void {
    this.#cancel?.()
    if (this.#isClosed) return
    this.#cancel = this.#clock.after(this.#pauseMs * (0.5 + this.#random.fraction()), () => {
      this.#pauseMs = Math.min(QUIET_LOOK_MAX_MS, 2 * this.#pauseMs)
      this.#wait()
      this.#look()
    })
  }
}
