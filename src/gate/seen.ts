import { LEASE_MS, SEEN_MAX } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import type { SignedEvent } from '../wire/event.ts'
import { SeenTable } from './seen-table.ts'

/**
 * The events a gate has admitted, remembered by their ids until they expire: at
 * most `max` of those that live as long as a presence, and `max` of those that live
 * for hours, the first ones out first. Together the latter would keep the former
 * from being forgotten in time.
 */
export class SeenEvents {
  /** When each expires, in seconds since the Unix epoch, and below zero where it has travelled on. */
  readonly #short: SeenTable
  readonly #long: SeenTable

  /** @param options.isWhole all the memory it may take is taken at once, so that it does not grow for hours */
  constructor(max = SEEN_MAX, options: { isWhole?: boolean } = {}) {
    this.#short = new SeenTable(max)
    this.#long = new SeenTable(max, options.isWhole ? max : undefined)
  }

  get size(): number {
    return this.#short.size + this.#long.size
  }

  /** Whether this event was admitted. */
  has({ id }: SignedEvent): boolean {
    return this.#short.get(id) !== undefined || this.#long.get(id) !== undefined
  }

  /** Notes that an admitted event travels on. Answers whether it had not yet. */
  passOn({ id }: SignedEvent): boolean {
    const events = this.#short.get(id) === undefined ? this.#long : this.#short
    const expires = events.get(id)
    if (expires === undefined || expires < 0) return false
    events.set(id, -expires)
    return true
  }

  add({ id, claims }: SignedEvent, now: number): void {
    const isShort = toMilliseconds(claims.exp) - now <= LEASE_MS
    const events = isShort ? this.#short : this.#long
    events.set(id, claims.exp)
    forget(this.#short, now)
    forget(this.#long, now)
  }
}

/** Drops what has expired, as long as it is the oldest. */
function forget(events: SeenTable, now: number): void {
  while (events.firstValue !== undefined && toMilliseconds(Math.abs(events.firstValue)) <= now)
    events.dropFirst()
}
