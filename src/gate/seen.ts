import { SEEN_MAX } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import type { SignedEvent } from '../wire/event.ts'

/**
 * The events a gate has admitted, remembered by their ids until they expire: at
 * most `max` of them, the first ones out first.
 */
export class SeenEvents {
  readonly #max: number
  readonly #events = new Map<string, { expires: number; isPassedOn: boolean }>()

  constructor(max = SEEN_MAX) {
    this.#max = max
  }

  get size(): number {
    return this.#events.size
  }

  /** Whether this event was admitted. */
  has({ id }: SignedEvent): boolean {
    return this.#events.has(id)
  }

  /** Notes that an admitted event travels on. Answers whether it had not yet. */
  passOn({ id }: SignedEvent): boolean {
    const known = this.#events.get(id)
    if (known === undefined || known.isPassedOn) return false
    known.isPassedOn = true
    return true
  }

  add({ id, claims }: SignedEvent, now: number): void {
    this.#events.set(id, { expires: toMilliseconds(claims.exp), isPassedOn: false })
    for (const [oldest, { expires }] of this.#events) {
      if (this.#events.size <= this.#max && expires > now) break
      this.#events.delete(oldest)
    }
  }
}
