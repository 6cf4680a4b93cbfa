import { type Clock, steady } from '../clock.ts'
import { GAP_REST_MS, GAP_RETRY_MAX_MS, GAP_WAIT_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { SignedEvent } from '../wire/event.ts'
import type { Gaps } from './gaps.ts'

/** How many are remembered that were asked in vain. */
const ASKED_MAX = 1_024

/** Looks for what events name and what is not here, after pauses that grow as long as nothing comes of it. */
export class Repair {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #gaps: Gaps
  readonly #isSaidMissing: () => boolean
  readonly #look: (holders: string[], onAsk: (peerId: string) => void) => Promise<unknown>
  #cancel: (() => void) | undefined
  #dueAt = 0
  #pauseMs = GAP_WAIT_MS
  /** Who was asked in vain, until all that named something were, or nothing is open: the others come first. */
  readonly #asked = new Set<string>()
  #triedAt = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(options: {
    clock: Clock
    logger: Logger
    gaps: Gaps
    /** The application was told last that something is missing. */
    isSaidMissing: () => boolean
    /**
     * Compares with one member, with any of these if one can be asked. All at once are without the same, and ask.
     * `onAsk`: told who is asked.
     */
    look: (holders: string[], onAsk: (peerId: string) => void) => Promise<unknown>
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
    const now = this.#clock.now()
    if (this.#cancel === undefined && now - this.#triedAt > GAP_RETRY_MAX_MS) this.#pauseMs = GAP_WAIT_MS
    // Whoever names what does not exist is not worth a comparison each time, and keeps nobody else's waiting.
    const isUnasked = from.length === 0 || from.some((peer) => !this.#asked.has(peer))
    const isOther = this.#asked.size > 0 && isUnasked
    const restMs = Math.max(GAP_WAIT_MS, this.#triedAt + GAP_REST_MS - now)
    this.#tryIn(isOther ? Math.min(restMs, this.#pauseMs) : this.#pauseMs)
  }

  /** Something may be missing that nobody named live. */
  later(): void {
    if (!this.#isClosed && this.#gaps.open().length > 0) this.#tryIn(this.#pauseMs)
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  #tryIn(ms: number): void {
    const dueAt = this.#clock.now() + ms
    if (this.#cancel !== undefined && this.#dueAt <= dueAt) return
    this.#cancel?.()
    this.#dueAt = dueAt
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = undefined
      const missing = this.#gaps.open().length
      // What came meanwhile by another way nobody has said to be all.
      if (missing === 0 && !this.#isSaidMissing()) return
      this.#triedAt = this.#clock.now()
      this.#pauseMs = Math.min(GAP_RETRY_MAX_MS, 2 * this.#pauseMs)
      const holders = this.#gaps.holders()
      const others = holders.filter((peer) => !this.#asked.has(peer))
      if (others.length === 0 || this.#asked.size > ASKED_MAX) this.#asked.clear()
      this.#look(others.length > 0 ? others : holders, (peerId) => this.#asked.add(peerId))
        .catch((thrown) => this.#logger.debug('a gap could not be closed', thrown))
        .finally(() => {
          const left = this.#gaps.open().length
          if (left === 0) this.#asked.clear()
          if (left < missing) this.#pauseMs = GAP_WAIT_MS
          if (!this.#isClosed && left > 0) this.#tryIn(this.#pauseMs)
        })
    })
  }
}
