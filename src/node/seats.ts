import { Crowd, type Place } from './rendezvous/crowd.ts'

/**
 * Places for so many. When all are taken, whoever comes from a quiet address gets
 * one of the most crowded: nobody keeps the others out by being many.
 */
export class Seats<T> {
  readonly #max: number
  readonly #maxPerAddress: number
  readonly #onUnseated: (item: T) => void
  readonly #crowd = new Crowd<T>()
  readonly #places = new Map<T, Place<T>>()
  #sequence = 0

  /**
   * @param options.maxPerAddress how many one address has at the most, also while there are others; default all
   * @param options.onUnseated somebody had to give its place up
   */
  constructor(options: { max: number; maxPerAddress?: number; onUnseated: (item: T) => void }) {
    this.#max = options.max
    this.#maxPerAddress = options.maxPerAddress ?? options.max
    this.#onUnseated = options.onUnseated
  }

  /** Whether there was a place for it. @param owner the address it comes from */
  take(item: T, owner: string): boolean {
    if (this.#crowd.countOf(owner) >= this.#maxPerAddress) return false
    if (this.#crowd.size >= this.#max) {
      const donor = this.#crowd.donorFor(owner)?.places.at(-1)
      if (donor === undefined) return false
      this.leave(donor.item)
      this.#onUnseated(donor.item)
    }
    this.#sequence += 1
    this.#places.set(item, this.#crowd.add(item, owner, this.#sequence))
    return true
  }

  /** Gives a place back. Without effect where it has none. */
  leave(item: T): void {
    const place = this.#places.get(item)
    if (place === undefined) return
    this.#places.delete(item)
    this.#crowd.remove(place)
  }
}
