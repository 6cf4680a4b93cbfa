import type { Random } from '../random.ts'

/** What SplitMix32 adds at each step: 2^32 divided by the golden ratio. */
const GOLDEN = 0x9e3779b9
const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

/**
 * Randomness that is the same for the same seed, on every platform: for tests
 * that can be repeated. **Not for keys**: whoever sees a few of its numbers can
 * tell all others.
 *
 * The generator is xoshiro128** (Blackman and Vigna, 2018) with a period of
 * 2^128 - 1, its state filled by SplitMix32 from a hash of the seed.
 *
 * @param seed any number or text; `1` and `'1'` are the same
 *
 * @example
 * ```ts
 * const random = seededRandom(42)
 * const network = new MemoryNetwork({ random, loss: 0.1 })
 * ```
 */
export function seededRandom(seed: number | string): Random {
  let filler = hash(String(seed))
  const fill = (): number => {
    filler = (filler + GOLDEN) | 0
    let word = Math.imul(filler ^ (filler >>> 16), 0x85ebca6b)
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
    return word ^ (word >>> 16)
  }
  let [a, b, c, d] = [fill(), fill(), fill(), fill()]

  function next(): number {
    const mixed = Math.imul(rotate(Math.imul(b, 5), 7), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return mixed >>> 0
  }

  return {
    bytes: (length) => Uint8Array.from({ length }, () => next() >>> 24),
    fraction: () => next() / 2 ** 32,
  }
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

/** FNV-1a. */
function hash(text: string): number {
  let value = OFFSET
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), PRIME)
  }
  return value
}
