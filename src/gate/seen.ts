import { SEEN_MAX } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import type { SignedEvent } from '../wire/event.ts'

/**
 * The events a gate has admitted, remembered until they expire: at most
 * `max` of them, the first ones out first.
 */
export class SeenEvents {
  readonly #max: number
  /** By author and `jti`, so that an author cannot use one `jti` for two events. */
  readonly #events = new Map<string, { id: string; expires: number; isPassedOn: boolean }>()

  constructor(max = SEEN_MAX) {
    this.#max = max
  }

  get size(): number {
    return this.#events.size
  }

  /** Whether this very event, or another of this author with this `jti`, was admitted. */
  find(event: SignedEvent): 'duplicate' | 'reused-jti' | undefined {
    const known = this.#events.get(keyOf(event))
    if (known === undefined) return undefined
    return known.id === event.id ? 'duplicate' : 'reused-jti'
  }

  /** Notes that an admitted event travels on. Answers whether it had not yet. */
  passOn(event: SignedEvent): boolean {
    const known = this.#events.get(keyOf(event))
    if (known === undefined || known.id !== event.id || known.isPassedOn) return false
    known.isPassedOn = true
    return true
  }

  add(event: SignedEvent, now: number): void {
    this.#events.set(keyOf(event), {
      id: event.id,
      expires: toMilliseconds(event.claims.exp),
      isPassedOn: false,
    })
    for (const [key, { expires }] of this.#events) {
      if (this.#events.size <= this.#max && expires > now) break
      this.#events.delete(key)
    }
  }
}

function keyOf(event: SignedEvent): string {
  return `${event.claims.iss} ${event.claims.jti}`
}
