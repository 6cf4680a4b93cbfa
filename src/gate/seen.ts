import { LEASE_MS, SEEN_MAX } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import type { SignedEvent } from '../wire/event.ts'

/**
 * By event id: when it expires, in seconds since the Unix epoch, and below zero where it has travelled on. There are many,
 * and a number takes least.
 */
type Seen = Map<string, number>

/**
 * The events a gate has admitted, remembered by their ids until they expire: at
 * most `max` of those that live as long as a presence, and `max` of those that live
 * for hours, the first ones out first. Together the latter would keep the former
 * from being forgotten in time.
 */
export class SeenEvents {
  readonly #max: number
  readonly #short: Seen = new Map()
  readonly #long: Seen = new Map()

  constructor(max = SEEN_MAX) {
    this.#max = max
  }

  get size(): number {
    return this.#short.size + this.#long.size
  }

  /** Whether this event was admitted. */
  has({ id }: SignedEvent): boolean {
    return this.#short.has(id) || this.#long.has(id)
  }

  /** Notes that an admitted event travels on. Answers whether it had not yet. */
  passOn({ id }: SignedEvent): boolean {
    const events = this.#short.has(id) ? this.#short : this.#long
    const expires = events.get(id)
    if (expires === undefined || expires < 0) return false
    events.set(id, -expires)
    return true
  }

  add({ id, claims }: SignedEvent, now: number): void {
    const isShort = toMilliseconds(claims.exp) - now <= LEASE_MS
    const events = isShort ? this.#short : this.#long
    events.set(id, claims.exp)
    this.#forget(this.#short, now)
    this.#forget(this.#long, now)
  }

  #forget(events: Seen, now: number): void {
    for (const [oldest, expires] of events) {
      if (events.size <= this.#max && toMilliseconds(Math.abs(expires)) > now) break
      events.delete(oldest)
    }
  }
}
