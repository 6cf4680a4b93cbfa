import { type Clock, steady } from '../clock.ts'

/** Sums of fractions are off by less than this. */
const ROUNDING_MS = 0.001

/** What a bucket holds when it is full, and what flows into it each second. */
export interface Allowance {
  burst: number
  perSecond: number
}

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

  constructor(options: Allowance & { clock: Clock; maxKeys: number }) {
    this.#clock = steady(options.clock)
    this.#start = this.#clock.now()
    this.#tokenMs = 1_000 / options.perSecond
    this.#burstMs = options.burst * this.#tokenMs
    this.#maxKeys = options.maxKeys
  }

  /** How many keys it remembers. */
  get size(): number {
    return this.#fullAt.size
  }

  /** Takes tokens, all or none; one unless told. Answers 0, or after how many milliseconds there will be as many. */
  take(key: string, tokens = 1): number {
    const now = this.#clock.now() - this.#start
    const fullAt = this.#fullAtOf(key, now)
    const waitMs = this.#waitMs(fullAt, now, tokens)
    this.#fullAt.delete(key)
    this.#fullAt.set(key, waitMs === 0 ? fullAt + tokens * this.#tokenMs : fullAt)
    this.#makeRoom()
    return waitMs
  }

  /** Whether {@link take} would grant as many. Takes nothing. */
  has(key: string, tokens = 1): boolean {
    const now = this.#clock.now() - this.#start
    return this.#waitMs(this.#fullAtOf(key, now), now, tokens) === 0
  }

  /** Whether a key has taken something, as far back as it remembers. */
  knows(key: string): boolean {
    return this.#fullAt.has(key)
  }

  /** Has a key begin with so many tokens instead of a full bucket. */
  begin(key: string, tokens: number): void {
    const now = this.#clock.now() - this.#start
    this.#fullAt.delete(key)
    this.#fullAt.set(key, now + this.#burstMs - tokens * this.#tokenMs)
    this.#makeRoom()
  }

  #fullAtOf(key: string, now: number): number {
    return Math.max(this.#fullAt.get(key) ?? now, now)
  }

  #waitMs(fullAt: number, now: number, tokens: number): number {
    const waitMs = fullAt + tokens * this.#tokenMs - (now + this.#burstMs)
    return waitMs < ROUNDING_MS ? 0 : Math.ceil(waitMs - ROUNDING_MS)
  }

  #makeRoom(): void {
    for (const key of this.#fullAt.keys()) {
      if (this.#fullAt.size <= this.#maxKeys) break
      this.#fullAt.delete(key)
    }
  }
}
