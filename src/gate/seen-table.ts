import type { EventId } from '../wire/event-id.ts'

/** Where in an id the bits of the hash begin that are random in all of them, and how many characters make a number: 30 bits. */
const KEY_AT = 8
const KEY_LENGTH = 6

/** How much is kept of an id: 60 bits of a SHA-256. Nobody makes an event that takes the place of somebody else's. */
function keyAt(id: EventId, at: number): number {
  let key = 0
  for (let index = at; index < at + KEY_LENGTH; index += 1) {
    const code = id.charCodeAt(index)
    // RFC 4648 §6, in lower case: a to z are 0 to 25, 2 to 7 are 26 to 31.
    key = (key << 5) | ((code >= 97 ? code - 97 : code - 24) & 31)
  }
  return key
}

/**
 * A number for each of the newest ids, at most `max`, the oldest first out. All of it is numbers in arrays, 24 bytes for
 * an id: as the keys of a map they would be ten times that, and the garbage collector would walk through them.
 */
export class SeenTable {
  readonly #max: number
  /** Where the oldest one is. */
  #first = 0
  #size = 0
  /** In turn: the two numbers of an id, and its value. */
  #high = new Int32Array()
  #low = new Int32Array()
  #values = new Float64Array()
  /** By the second number of an id: where in those it is, plus one. What finds its place taken has the next free one. */
  #places = new Int32Array()

  /** @param room for how many there is room from the beginning */
  constructor(max: number, room = 64) {
    this.#max = max
    this.#makeRoom(Math.min(room, max))
  }

  get size(): number {
    return this.#size
  }

  /** Of the oldest id. */
  get firstValue(): number | undefined {
    return this.#size === 0 ? undefined : this.#values[this.#first]
  }

  get(id: EventId): number | undefined {
    const place = this.#places[this.#placeOf(keyAt(id, KEY_AT), keyAt(id, KEY_AT + KEY_LENGTH))] ?? 0
    return place === 0 ? undefined : this.#values[place - 1]
  }

  set(id: EventId, value: number): void {
    const [high, low] = [keyAt(id, KEY_AT), keyAt(id, KEY_AT + KEY_LENGTH)]
    const known = this.#places[this.#placeOf(high, low)] ?? 0
    if (known > 0) {
      this.#values[known - 1] = value
      return
    }
    if (this.#size === this.#max) this.dropFirst()
    else if (this.#size === this.#values.length) this.#makeRoom(Math.min(this.#max, 2 * this.#size))
    const at = (this.#first + this.#size) % this.#values.length
    this.#high[at] = high
    this.#low[at] = low
    this.#values[at] = value
    this.#places[this.#placeOf(high, low)] = at + 1
    this.#size += 1
  }

  /** Forgets the oldest id. */
  dropFirst(): void {
    if (this.#size === 0) return
    this.#empty(this.#placeOf(this.#high[this.#first] ?? 0, this.#low[this.#first] ?? 0))
    this.#first = (this.#first + 1) % this.#values.length
    this.#size -= 1
  }

  /** The place of an id, or the free one it would have. There always is one: at most half of them are taken. */
  #placeOf(high: number, low: number): number {
    const mask = this.#places.length - 1
    for (let place = low & mask; ; place = (place + 1) & mask) {
      const at = (this.#places[place] ?? 0) - 1
      if (at < 0 || (this.#low[at] === low && this.#high[at] === high)) return place
    }
  }

  /** Frees a place, and moves up those behind it that would otherwise not be found any more. */
  #empty(free: number): void {
    const mask = this.#places.length - 1
    this.#places[free] = 0
    for (let place = (free + 1) & mask, gap = free; ; place = (place + 1) & mask) {
      const at = (this.#places[place] ?? 0) - 1
      if (at < 0) return
      const home = (this.#low[at] ?? 0) & mask
      // Its home lies behind the gap, the way round.
      if (((place - home) & mask) < ((place - gap) & mask)) continue
      this.#places[gap] = at + 1
      this.#places[place] = 0
      gap = place
    }
  }

  #makeRoom(room: number): void {
    const order = Array.from(
      { length: this.#size },
      (_, index) => (this.#first + index) % this.#values.length,
    )
    const [high, low, values] = [this.#high, this.#low, this.#values]
    this.#high = new Int32Array(room)
    this.#low = new Int32Array(room)
    this.#values = new Float64Array(room)
    this.#places = new Int32Array(2 ** Math.ceil(Math.log2(2 * room)))
    this.#first = 0
    for (const [at, from] of order.entries()) {
      this.#high[at] = high[from] ?? 0
      this.#low[at] = low[from] ?? 0
      this.#values[at] = values[from] ?? 0
      this.#places[this.#placeOf(this.#high[at] ?? 0, this.#low[at] ?? 0)] = at + 1
    }
  }
}
