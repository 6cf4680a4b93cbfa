import type { Random } from '../../src/random.ts'
import { type ManualClock, type MemoryNetwork, seededRandom } from '../../src/testing/index.ts'
import type { Judge } from './judge.ts'
import type { KeyRing } from './key-ring.ts'
import type { Trace } from './trace.ts'

/** What all devices of a simulation share. */
export class Stage {
  readonly seed: number
  readonly topic: string
  /** Whether those who pass nothing on may be all that holds the others together. */
  readonly eclipse: boolean
  readonly clock: ManualClock
  readonly network: MemoryNetwork
  readonly keys: KeyRing
  readonly trace: Trace
  readonly judge: Judge
  readonly #beginsAt: number

  constructor(options: {
    seed: number
    topic: string
    eclipse: boolean
    clock: ManualClock
    network: MemoryNetwork
    keys: KeyRing
    trace: Trace
    judge: Judge
  }) {
    this.seed = options.seed
    this.topic = options.topic
    this.eclipse = options.eclipse
    this.clock = options.clock
    this.network = options.network
    this.keys = options.keys
    this.trace = options.trace
    this.judge = options.judge
    this.#beginsAt = options.clock.now()
  }

  /** How long it has been going on. */
  get elapsedMs(): number {
    return this.clock.now() - this.#beginsAt
  }

  /** Randomness for one purpose: what one part draws changes nothing for another. */
  randomFor(purpose: string): Random {
    return seededRandom(`${this.seed} ${purpose}`)
  }
}
