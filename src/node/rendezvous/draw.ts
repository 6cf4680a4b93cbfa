import type { Dice } from './dice.ts'

/**
 * Draws from a list without putting back, in random order. A draw costs the
 * same however long the list is: only what was drawn is remembered. The list
 * must stay as it is meanwhile.
 */
export class Draw<T> {
  readonly #dice: Dice
  readonly #items: readonly T[]
  /** What lies at a place that was drawn from: the shuffle of Fisher and Yates, written down where it differs. */
  readonly #moved = new Map<number, T>()
  #drawn = 0

  constructor(dice: Dice, items: readonly T[]) {
    this.#dice = dice
    this.#items = items
  }

  next(): T | undefined {
    const left = this.#items.length - this.#drawn
    if (left <= 0) return undefined
    const place = this.#drawn + this.#dice.below(left)
    const drawn = this.#at(place)
    const first = this.#at(this.#drawn)
    if (first !== undefined) this.#moved.set(place, first)
    this.#moved.delete(this.#drawn)
    this.#drawn += 1
    return drawn
  }

  get isEmpty(): boolean {
    return this.#drawn >= this.#items.length
  }

  #at(place: number): T | undefined {
    return this.#moved.get(place) ?? this.#items[place]
  }
}
