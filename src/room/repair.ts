import { type Clock, steady } from '../clock.ts'
import { GAP_RETRY_MAX_MS, GAP_WAIT_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { SignedEvent } from '../wire/event.ts'
import type { Gaps } from './gaps.ts'

/** Looks for what events name and what is not here, after pauses that grow as long as nothing comes of it. */
export class Repair {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #gaps: Gaps
  readonly #isSaidMissing: () => boolean
  readonly #look: (holders: string[]) => Promise<unknown>
  #cancel: (() => void) | undefined
  #pauseMs = GAP_WAIT_MS
  #triedAt = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(options: {
    clock: Clock
    logger: Logger
    gaps: Gaps
    /** The application was told last that something is missing. */
    isSaidMissing: () => boolean
    /** Compares with one member, with any of these if one can be asked. All at once are without the same, and ask. */
    look: (holders: string[]) => Promise<unknown>
  }) {
    this.#clock = steady(options.clock)
    this.#logger = options.logger
    this.#gaps = options.gaps
    this.#isSaidMissing = options.isSaidMissing
    this.#look = options.look
  }

  /** An event came live. `from`: the devices of its author. What it names and is not here is asked for, unless it comes. */
  arrived(event: SignedEvent, from: readonly string[]): void {
    if (this.#isClosed || !this.#gaps.note(event, from)) return
    // Whoever names what does not exist is not worth a comparison each time.
    const isQuiet = this.#clock.now() - this.#triedAt > GAP_RETRY_MAX_MS
    if (this.#cancel === undefined && isQuiet) this.#pauseMs = GAP_WAIT_MS
    this.#tryLater()
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  #tryLater(): void {
    this.#cancel ??= this.#clock.after(this.#pauseMs, () => {
      this.#cancel = undefined
      const missing = this.#gaps.open().length
      // What came meanwhile by another way nobody has said to be all.
      if (missing === 0 && !this.#isSaidMissing()) return
      this.#triedAt = this.#clock.now()
      this.#pauseMs = Math.min(GAP_RETRY_MAX_MS, 2 * this.#pauseMs)
      this.#look(this.#gaps.holders())
        .catch((thrown) => this.#logger.debug('a gap could not be closed', thrown))
        .finally(() => {
          const left = this.#gaps.open().length
          if (left < missing) this.#pauseMs = GAP_WAIT_MS
          if (!this.#isClosed && left > 0) this.#tryLater()
        })
    })
  }
}
