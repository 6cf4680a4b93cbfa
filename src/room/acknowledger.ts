import { type Clock, steady } from '../clock.ts'
import { ACKNOWLEDGE_MS, ACKNOWLEDGE_PAUSE_MS } from '../limits.ts'
import { isType, type SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'

/** How many members answer for the room that a message came. */
export const ACKNOWLEDGERS = 2
/** How many messages wait for an answer; one that is given names at the most eight, and so all that those build on. */
const PENDING_MAX = 64

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
  /** The messages that were not answered yet, and their authors. */
  readonly #pending = new Map<EventId, string>()
  #cancel: (() => void) | undefined
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
    const { iss, parents } = event.claims
    const isMessage = isType(event, 'message')
    let isNext = false
    for (const id of parents) {
      const author = this.#pending.get(id)
      if (author === undefined || (author === iss && !isMessage)) continue
      this.#pending.delete(id)
      // Whoever answers an author's later message answers the earlier one, too.
      if (author === iss) isNext = true
    }
    if (isMessage && (isNext || this.#isTurn(event))) this.#add(event)
    else if (this.#pending.size === 0) this.#forget()
  }

  close(): void {
    this.#isClosed = true
    this.#forget()
  }

  #add({ id, claims }: SignedEvent): void {
    this.#pending.set(id, claims.iss)
    const [oldest] = this.#pending.keys()
    if (this.#pending.size > PENDING_MAX && oldest !== undefined) this.#pending.delete(oldest)
    const pauseMs = this.#lastAt + ACKNOWLEDGE_PAUSE_MS - this.#clock.now()
    this.#cancel ??= this.#clock.after(Math.max(ACKNOWLEDGE_MS, pauseMs), () => {
      this.#forget()
      this.#lastAt = this.#clock.now()
      this.#acknowledge()
    })
  }

  #forget(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#pending.clear()
  }
}
