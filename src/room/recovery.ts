import type { Clock } from '../clock.ts'
import { GREETING_WAIT_MS, SYNC_PEERS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { type Random, sample } from '../random.ts'
import { SyncRefusal } from './sync-session.ts'

/** How many peers are tried in all before a recovery ends with what it has. */
const ATTEMPTS_MAX = 6

/** Finds out from other members what happened before, or meanwhile. */
export class Recovery {
  readonly #clock: Clock
  readonly #random: Random
  readonly #logger: Logger
  readonly #candidates: () => string[]
  /** Wakes those who wait for somebody to ask. */
  readonly #wakers = new Set<() => void>()

  constructor(options: { clock: Clock; random: Random; logger: Logger; candidates: () => string[] }) {
    this.#clock = options.clock
    this.#random = options.random
    this.#logger = options.logger
    this.#candidates = options.candidates
  }

  /** The members that could be asked. */
  candidates(): string[] {
    return this.#candidates()
  }

  /** Somebody who could be asked may have come. */
  notify(): void {
    for (const wake of [...this.#wakers]) wake()
  }

  /**
   * Asks up to `peers` members (default 3), one first, then the others at once; one of `first` who is a member before anybody else,
   * and then in turn with others: the first answer tells who else there is. A member that fails is replaced by
   * another. One to which only the connection broke is asked a second time where
   * there is no other. Where nobody is known it waits up to 2 s for somebody to
   * show.
   */
  async run<T>(
    ask: (peerId: string) => Promise<T>,
    options: { signal: AbortSignal; peers?: number; first?: readonly string[] },
  ): Promise<T[]> {
    const { signal, peers = SYNC_PEERS, first = [] } = options
    const tried = new Set<string>()
    const broken = new Set<string>()
    const answered = new Map<string, T>()
    if (this.#candidates().length === 0) await this.#waitForCandidate(signal)
    for (let attempts = 0; answered.size < peers && attempts < ATTEMPTS_MAX && !signal.aborted; ) {
      const untried = this.#candidates().filter((peer) => !tried.has(peer))
      const again = this.#candidates().filter((peer) => broken.has(peer))
      // In turn with any: `first` may be made up, and as many as will be tried.
      const preferred = attempts % 2 === 0 ? untried.filter((peer) => first.includes(peer)) : []
      const next = preferred.length > 0 ? preferred : untried.length > 0 ? untried : again
      const round = sample(this.#random, next, answered.size === 0 ? 1 : peers - answered.size)
      if (round.length === 0) break
      attempts += round.length
      const asking = round.map(async (peer) => {
        const isFirst = !tried.has(peer)
        tried.add(peer)
        broken.delete(peer)
        try {
          answered.set(peer, await ask(peer))
        } catch (thrown) {
          this.#logger.debug(`no comparison with ${peer}`, thrown)
          if (isFirst && !(thrown instanceof SyncRefusal)) broken.add(peer)
        }
      })
      await Promise.all(asking)
    }
    signal.throwIfAborted()
    return [...answered.values()]
  }

  #waitForCandidate(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel()
        this.#wakers.delete(look)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const look = (): void => {
        if (this.#candidates().length > 0) done()
      }
      const cancel = this.#clock.after(GREETING_WAIT_MS, done)
      this.#wakers.add(look)
      signal.addEventListener('abort', done)
      if (signal.aborted) done()
    })
  }
}
