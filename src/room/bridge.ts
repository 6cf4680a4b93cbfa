import type { Clock } from '../clock.ts'
import { BRIDGE_MAX_EVENTS, BRIDGE_PENDING_MAX, BRIDGE_WAIT_MS } from '../limits.ts'
import type { Random } from '../random.ts'
import type { SignedEvent } from '../wire/event.ts'

/**
 * Passes on what came in a comparison although gossip should have brought it:
 * between whoever wrote it and this device nobody passes messages on, and all on
 * this side are without it.
 *
 * It waits a moment, of another length on each device. What gossip has brought
 * by then, from whoever came first or because it was only late, is not sent again.
 */
export class Bridge {
  readonly #clock: Clock
  readonly #random: Random
  readonly #passOn: (event: SignedEvent) => boolean
  readonly #publish: (event: SignedEvent) => void
  readonly #waiting: SignedEvent[] = []
  #cancel: (() => void) | undefined
  #isClosed = false

  constructor(options: {
    clock: Clock
    random: Random
    /** Whether an event is still of use and did not travel on from here yet; from now on it did. */
    passOn: (event: SignedEvent) => boolean
    /** Sends an event by itself: the same bytes from everybody, so that gossip carries them once. */
    publish: (event: SignedEvent) => void
  }) {
    this.#clock = options.clock
    this.#random = options.random
    this.#passOn = options.passOn
    this.#publish = options.publish
  }

  /** These came in a comparison. Of too many the oldest are left to comparisons. */
  add(events: readonly SignedEvent[]): void {
    if (this.#isClosed || events.length === 0) return
    this.#waiting.push(...events)
    this.#waiting.splice(0, this.#waiting.length - BRIDGE_PENDING_MAX)
    this.#wait()
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
    this.#waiting.length = 0
  }

  #wait(): void {
    this.#cancel ??= this.#clock.after(BRIDGE_WAIT_MS * (0.5 + this.#random.fraction()), () => {
      this.#cancel = undefined
      for (let sent = 0; sent < BRIDGE_MAX_EVENTS; ) {
        const next = this.#take()
        if (next === undefined) return
        if (!this.#passOn(next)) continue
        this.#publish(next)
        sent += 1
      }
      if (this.#waiting.length > 0) this.#wait()
    })
  }

  /** Any of those that wait: where several devices pass them on, each begins with others. */
  #take(): SignedEvent | undefined {
    const [taken] = this.#waiting.splice(Math.floor(this.#random.fraction() * this.#waiting.length), 1)
    return taken
  }
}
