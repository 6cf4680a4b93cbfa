/** Randomness, injected so that the simulator can repeat a run. */
export interface Random {
  /** `length` random bytes. */
  bytes(length: number): Uint8Array
  /** A number in [0, 1), for jitter and for choosing among peers. */
  fraction(): number
}

/** The platform's cryptographic randomness. */
export const systemRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32,
}

/** Up to `count` of `items`, chosen at random, in random order. */
export function sample<T>(random: Random, items: readonly T[], count: number): T[] {
  const pool = [...items]
  const chosen: T[] = []
  while (chosen.length < count && pool.length > 0) {
    chosen.push(...pool.splice(Math.floor(random.fraction() * pool.length), 1))
  }
  return chosen
}
