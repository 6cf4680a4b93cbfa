import type { Clock } from '../clock.ts'
import { ipBytes } from '../wire/ip-address.ts'

/** Sums of fractions are off by less than this. */
const ROUNDING_MS = 0.001

/**
 * Token buckets, one a key: `burst` at once, and `perSecond` more each second.
 *
 * It remembers `maxKeys` keys; the one used longest ago makes room, and starts
 * again with a full bucket. So a flood of keys costs memory of a known size and
 * never locks anybody out; whoever can make up keys (forged sources, many
 * addresses) is held by a second limit over all of them.
 */
export class RateLimit {
  readonly #clock: Clock
  /** How long one token takes to come, and a whole burst. */
  readonly #tokenMs: number
  readonly #burstMs: number
  readonly #maxKeys: number
  /** Times count from here: fractions of a millisecond would be lost beside those of the epoch. */
  readonly #start: number
  /** When the bucket of a key will be full again: all there is to know of it. The key used longest ago is first. */
  readonly #fullAt = new Map<string, number>()

  constructor(options: { clock: Clock; burst: number; perSecond: number; maxKeys: number }) {
    this.#clock = options.clock
    this.#start = options.clock.now()
    this.#tokenMs = 1_000 / options.perSecond
    this.#burstMs = options.burst * this.#tokenMs
    this.#maxKeys = options.maxKeys
  }

  /** How many keys it remembers. */
  get size(): number {
    return this.#fullAt.size
  }

  /** Takes a token. Answers 0, or after how many milliseconds there will be one. */
  take(key: string): number {
    const now = this.#clock.now() - this.#start
    // Not emptier than empty, where the clock was set back.
    const fullAt = Math.min(Math.max(this.#fullAt.get(key) ?? now, now), now + this.#burstMs)
    const waitMs = fullAt + this.#tokenMs - (now + this.#burstMs)
    const isGranted = waitMs < ROUNDING_MS
    this.#fullAt.delete(key)
    this.#fullAt.set(key, isGranted ? fullAt + this.#tokenMs : fullAt)
    this.#makeRoom()
    return isGranted ? 0 : Math.ceil(waitMs - ROUNDING_MS)
  }

  #makeRoom(): void {
    for (const key of this.#fullAt.keys()) {
      if (this.#fullAt.size <= this.#maxKeys) break
      this.#fullAt.delete(key)
    }
  }
}

/**
 * The key of an IP address: IPv4 as it is, IPv6 by its /64, which is what one
 * household or server gets and can choose addresses from.
 */
export function rateKeyOf(ip: string): string {
  const bytes = ipBytes(ip)
  return bytes === undefined ? ip : bytes.subarray(0, 8).join('.')
}
