import type { Random } from '../../random.ts'

/** How many numbers are fetched at once: a call of the platform's randomness takes as long as a hundred throws. */
const POOL = 1_024

/** Whole numbers of the same randomness, for those who need very many. */
export class Dice {
  readonly #random: Random
  readonly #pool = new DataView(new ArrayBuffer(4 * POOL))
  #at = 4 * POOL

  constructor(random: Random) {
    this.#random = random
  }

  /** A whole number in [0, `end`). @param end 2^32 at the most */
  below(end: number): number {
    if (this.#at === this.#pool.byteLength) {
      new Uint8Array(this.#pool.buffer).set(this.#random.bytes(4 * POOL))
      this.#at = 0
    }
    const number = this.#pool.getUint32(this.#at)
    this.#at += 4
    return Math.floor((number / 2 ** 32) * end)
  }
}
