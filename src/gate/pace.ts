import type { Clock } from '../clock.ts'
import {
  AUTHOR_BURST,
  AUTHOR_BURST_MESSAGES,
  AUTHOR_MESSAGES_PER_SECOND,
  AUTHOR_PER_SECOND,
} from '../limits.ts'
import { RateLimit } from './rate-limit.ts'

const OWN = ''

/**
 * How fast a device may send into a room: whoever keeps to it is over no rate of a
 * node or a neighbour, however much of it comes late. 100 gossip messages with 2,000 events
 * at once, then 20 with 100 events a second.
 */
export class Pace {
  readonly #messages: RateLimit
  readonly #events: RateLimit

  constructor(clock: Clock) {
    const one = { clock, maxKeys: 1 }
    this.#messages = new RateLimit({
      ...one,
      burst: AUTHOR_BURST_MESSAGES,
      perSecond: AUTHOR_MESSAGES_PER_SECOND,
    })
    this.#events = new RateLimit({ ...one, burst: AUTHOR_BURST, perSecond: AUTHOR_PER_SECOND })
  }

  /** Takes a place for a gossip message of so many events. Answers 0, or after how many milliseconds there will be one. */
  take(events: number): number {
    if (this.#messages.has(OWN) && this.#events.has(OWN, events)) {
      this.#messages.take(OWN)
      return this.#events.take(OWN, events)
    }
    // Neither grants now, so neither takes.
    const waits = [
      this.#messages.has(OWN) ? 0 : this.#messages.take(OWN),
      this.#events.has(OWN, events) ? 0 : this.#events.take(OWN, events),
    ]
    return Math.max(...waits)
  }
}
