import type { EventId } from '../wire/event-id.ts'

/** Where in an id the bits of the hash begin that are random in all of them, and how many characters make a number: 30 bits. */
const KEY_AT = 8
const KEY_LENGTH = 6
/**
 * How many numbers are kept of an id: 120 bits of a SHA-256. Of 60 somebody could make two events of its own that look
 * alike, with a thousand million attempts: everybody would take one of them for the other that came first.
 */
const KEY_NUMBERS = 4

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
 * A number for each of the newest ids, at most `max`, the oldest first out. All of it is numbers in arrays, 32 bytes for
 * an id: as the keys of a map they would be ten times that, and the garbage collector would walk through them.
 */
export class SeenTable {
  readonly #max: number
  /** Where the oldest one is. */
  #first = 0
  #size = 0
  /** In turn: the numbers of an id, and its value. */
  #keys = new Int32Array()
  #values = new Float64Array()
  /** The numbers of the id that is looked for. */
  readonly #key = new Int32Array(KEY_NUMBERS)
  /** By the first number of an id: where in those it is, plus one. What finds its place taken has the next free one. */
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
    const place = this.#places[this.#placeOf(this.#read(id), 0)] ?? 0
    return place === 0 ? undefined : this.#values[place - 1]
  }

  set(id: EventId, value: number): void {
    const key = this.#read(id)
    const known = this.#places[this.#placeOf(key, 0)] ?? 0
    if (known > 0) {
      this.#values[known - 1] = value
      return
    }
    if (this.#size === this.#max) this.dropFirst()
    else if (this.#size === this.#values.length) this.#makeRoom(Math.min(this.#max, 2 * this.#size))
    const at = (this.#first + this.#size) % this.#values.length
    const place = this.#placeOf(key, 0)
    this.#keys.set(key, at * KEY_NUMBERS)
    this.#values[at] = value
    this.#places[place] = at + 1
    this.#size += 1
  }

  /** Forgets the oldest id. */
  dropFirst(): void {
    if (this.#size === 0) return
    this.#empty(this.#placeOf(this.#keys, this.#first * KEY_NUMBERS))
    this.#first = (this.#first + 1) % this.#values.length
    this.#size -= 1
  }

  /** The place of an id, or the free one it would have. There always is one: at most half of them are taken. */
  #placeOf(keys: Int32Array, from: number): number {
    const mask = this.#places.length - 1
    for (let place = (keys[from] ?? 0) & mask; ; place = (place + 1) & mask) {
      const at = (this.#places[place] ?? 0) - 1
      if (at < 0 || this.#isAt(at, keys, from)) return place
    }
  }

  #isAt(at: number, keys: Int32Array, from: number): boolean {
    for (let index = 0; index < KEY_NUMBERS; index += 1) {
      if (this.#keys[at * KEY_NUMBERS + index] !== keys[from + index]) return false
    }
    return true
  }

  #read(id: EventId): Int32Array {
    for (let index = 0; index < KEY_NUMBERS; index += 1) {
      this.#key[index] = keyAt(id, KEY_AT + index * KEY_LENGTH)
    }
    return this.#key
  }

  /** Frees a place, and moves up those behind it that would otherwise not be found any more. */
  #empty(free: number): void {
    const mask = this.#places.length - 1
    this.#places[free] = 0
    for (let place = (free + 1) & mask, gap = free; ; place = (place + 1) & mask) {
      const at = (this.#places[place] ?? 0) - 1
      if (at < 0) return
      const home = (this.#keys[at * KEY_NUMBERS] ?? 0) & mask
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
    const [keys, values] = [this.#keys, this.#values]
    this.#keys = new Int32Array(room * KEY_NUMBERS)
    this.#values = new Float64Array(room)
    this.#places = new Int32Array(2 ** Math.ceil(Math.log2(2 * room)))
    this.#first = 0
    for (const [at, from] of order.entries()) {
      this.#places[this.#placeOf(keys, from * KEY_NUMBERS)] = at + 1
      this.#keys.set(keys.subarray(from * KEY_NUMBERS, (from + 1) * KEY_NUMBERS), at * KEY_NUMBERS)
      this.#values[at] = values[from] ?? 0
    }
  }
}
