import { type Clock, steady } from '../clock.ts'
import { ACKNOWLEDGE_MS, ACKNOWLEDGE_PAUSE_MS } from '../limits.ts'
import { isType, type SignedEvent } from '../wire/event.ts'

/** How many members answer for the room that a message came. */
export const ACKNOWLEDGERS = 2

/**
 * Sees to it that whoever writes learns that its message came: every event names
 * the last ones its author had seen, so the next one of anybody else is the
 * answer. Where nobody says anything for a second, a few members renew their
 * presence, each of them every three seconds at most.
 */
export class Acknowledger {
  readonly #clock: Clock
  readonly #isTurn: (event: SignedEvent) => boolean
  readonly #acknowledge: () => void
  /** The message that was not answered yet. */
  #pending: { event: SignedEvent; cancel: () => void } | undefined
  #lastAt = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(options: {
    clock: Clock
    /** Whether this device is one of those who answer for a message. */
    isTurn: (event: SignedEvent) => boolean
    acknowledge: () => void
  }) {
    this.#clock = steady(options.clock)
    this.#isTurn = options.isTurn
    this.#acknowledge = options.acknowledge
  }

  /** An event came live, or is our own. */
  arrived(event: SignedEvent): void {
    if (this.#isClosed) return
    const pending = this.#pending
    if (pending !== undefined) {
      const { iss } = pending.event.claims
      if (event.claims.iss === iss || !event.claims.parents.includes(pending.event.id)) return
      this.#forget()
    }
    if (!isType(event, 'message') || !this.#isTurn(event)) return
    const pauseMs = this.#lastAt + ACKNOWLEDGE_PAUSE_MS - this.#clock.now()
    const cancel = this.#clock.after(Math.max(ACKNOWLEDGE_MS, pauseMs), () => {
      this.#pending = undefined
      this.#lastAt = this.#clock.now()
      this.#acknowledge()
    })
    this.#pending = { event, cancel }
  }

  close(): void {
    this.#isClosed = true
    this.#forget()
  }

  #forget(): void {
    this.#pending?.cancel()
    this.#pending = undefined
  }
}
