import type { Random } from '../../src/random.ts'

/** How many changes are made to an input at the most. */
const CHANGES_MAX = 6
/** The longest piece that is moved at once. */
const PIECE_MAX = 64

const utf8 = new TextEncoder()

/** Makes new inputs out of known ones: no feedback, but from a corpus that reaches everything it need not search long. */
export class Mutator {
  readonly #random: Random
  readonly #inputs: readonly Uint8Array[]
  readonly #words: readonly Uint8Array[]
  readonly #maxBytes: number

  constructor(options: {
    random: Random
    inputs: readonly Uint8Array[]
    words: readonly string[]
    maxBytes: number
  }) {
    this.#random = options.random
    this.#inputs = options.inputs
    this.#words = options.words.map((word) => utf8.encode(word))
    this.#maxBytes = options.maxBytes
  }

  /** One of the inputs, changed. */
  next(): Uint8Array {
    let input = this.#oneOf(this.#inputs) ?? new Uint8Array()
    for (let changes = 1 + this.#below(CHANGES_MAX); changes > 0; changes -= 1) input = this.#changed(input)
    // A copy of its own, as what comes from a network is.
    return input.slice(0, this.#maxBytes)
  }

  #changed(input: Uint8Array): Uint8Array {
    const at = this.#below(input.length + 1)
    const piece = this.#below(Math.min(PIECE_MAX, input.length - at) + 1)
    switch (this.#below(8)) {
      case 0:
        return this.#withByte(input, at, (byte) => byte ^ (1 << this.#below(8)))
      case 1:
        return this.#withByte(input, at, () => this.#below(256))
      case 2:
        return this.#withByte(input, at, (byte) => byte + this.#below(3) - 1)
      case 3:
        // Gone.
        return spliced(input, at, piece)
      case 4:
        // Somewhere else as well.
        return spliced(input, this.#below(input.length + 1), 0, input.subarray(at, at + piece))
      case 5:
        return spliced(input, at, 0, this.#random.bytes(this.#below(8)))
      case 6:
        return spliced(input, at, this.#below(2) * piece, this.#oneOf(this.#words))
      default: {
        const other = this.#oneOf(this.#inputs) ?? input
        return spliced(input, at, input.length - at, other.subarray(this.#below(other.length + 1)))
      }
    }
  }

  #withByte(input: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
    const changed = input.slice()
    if (at < changed.length) changed[at] = change(changed[at] ?? 0)
    return changed
  }

  #oneOf<T>(items: readonly T[]): T | undefined {
    return items[this.#below(items.length)]
  }

  #below(end: number): number {
    return Math.floor(this.#random.fraction() * end)
  }
}

/** An input with something else in the place of a piece of it. */
function spliced(
  input: Uint8Array,
  at: number,
  removed: number,
  inserted: Uint8Array = new Uint8Array(),
): Uint8Array {
  const changed = new Uint8Array(input.length - removed + inserted.length)
  changed.set(input.subarray(0, at))
  changed.set(inserted, at)
  changed.set(input.subarray(at + removed), at + inserted.length)
  return changed
}
