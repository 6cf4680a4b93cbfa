const utf8 = new TextEncoder()
const decoder = new TextDecoder()

/** The text of an input; what is no UTF-8 becomes U+FFFD. */
export function textOf(input: Uint8Array): string {
  return decoder.decode(input)
}

/** The bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return utf8.encode(text)
}

/** Takes an input apart from its beginning. At its end there are zeros. */
export class InputReader {
  #rest: Uint8Array

  constructor(input: Uint8Array) {
    this.#rest = input
  }

  get isAtEnd(): boolean {
    return this.#rest.length === 0
  }

  byte(): number {
    const [byte = 0] = this.#rest
    this.#rest = this.#rest.subarray(1)
    return byte
  }

  below(end: number): number {
    return this.byte() % end
  }

  /** A piece that is preceded by its length in two bytes; the rest where that is shorter. */
  piece(): Uint8Array {
    const length = this.byte() + 256 * this.byte()
    const piece = this.#rest.slice(0, length)
    this.#rest = this.#rest.subarray(length)
    return piece
  }

  /** All pieces there are. */
  pieces(): Uint8Array[] {
    const pieces: Uint8Array[] = []
    while (!this.isAtEnd) pieces.push(this.piece())
    return pieces
  }

  rest(): Uint8Array {
    return this.#rest
  }
}

/** What {@link InputReader} reads as these pieces, after some bytes. */
export function inputOf(head: readonly number[], pieces: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([
    Uint8Array.from(head),
    ...pieces.flatMap((piece) => [Uint8Array.of(piece.length & 255, piece.length >> 8), piece]),
  ])
}

export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
