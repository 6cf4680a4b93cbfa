import { type Clock, systemClock } from '../clock.ts'
import type { Network } from '../network/network.ts'
import { type Random, systemRandom } from '../random.ts'
import { type NetworkConditions, Weather } from './conditions.ts'
import { Fabric } from './fabric.ts'

/** How a network in memory is made. */
export interface MemoryNetworkOptions extends Partial<NetworkConditions> {
  /** What its delays go by; default the machine's clock. Give it the clock of the spaces. */
  clock?: Clock
  /** What its chances, and its peer ids, go by; default the platform's randomness. */
  random?: Random
  /**
   * How many neighbours a peer looks for. Messages are then passed on from
   * neighbour to neighbour by whoever accepts them, and all peers that can reach each
   * other stay one whole. Default: everybody is everybody's neighbour.
   */
  neighbours?: number
}

/**
 * A network in memory. Without options every peer of it is a direct neighbour of
 * every other one in the same partition, nothing is lost, and deliveries happen
 * in a later task, as on a real network, as far as the receivers' gates let them.
 *
 * @example
 * ```ts
 * const network = new MemoryNetwork()
 * const ada = await openSpace('dapp', { network: network.peer(), identity: 'ephemeral' })
 * const bob = await openSpace('dapp', { network: network.peer(), identity: 'ephemeral' })
 * ```
 *
 * @example Bad weather, the same at every run
 * ```ts
 * const clock = new ManualClock()
 * const random = seededRandom(42)
 * const network = new MemoryNetwork({ clock, random, latencyMs: [20, 200], loss: 0.1, neighbours: 4 })
 * ```
 */
export class MemoryNetwork {
  readonly #weather: Weather
  readonly #fabric: Fabric

  constructor(options: MemoryNetworkOptions = {}) {
    const { clock = systemClock, random = systemRandom, neighbours, ...conditions } = options
    this.#weather = new Weather({ clock, random, conditions })
    this.#fabric = new Fabric(this.#weather, neighbours)
  }

  /**
   * A new participant.
   *
   * @param options.relays whether it passes messages on (default true). Those that do stay one whole where
   * neighbours are few; one that does not is no bridge between them
   */
  peer({ relays = true }: { relays?: boolean } = {}): Network {
    return this.#fabric.add(relays)
  }

  /** The conditions that hold. */
  get conditions(): NetworkConditions {
    return this.#weather.conditions
  }

  /** Changes conditions, from now on: what is on its way is not touched. */
  change(conditions: Partial<NetworkConditions>): void {
    this.#weather.conditions = { ...this.#weather.conditions, ...conditions }
  }

  /**
   * Cuts the network into parts: a peer only reaches those of its own part.
   *
   * @param groups peer ids by part; those that are named nowhere form a part of their own
   */
  partition(groups: readonly (readonly string[])[]): void {
    const part = new Map(
      groups.flatMap((group, index) => group.map((peerId) => [peerId, index + 1] as const)),
    )
    this.#fabric.rewire((peerId) => part.get(peerId) ?? 0)
  }

  /** Makes it one network again. */
  heal(): void {
    this.#fabric.rewire(() => 0)
  }

  /**
   * Ends a participant without a word: nothing it sends arrives any more, and its
   * neighbours find out after `noticeMs`. It is not told itself; stop using it.
   *
   * @throws when there is no such peer
   */
  crash(peerId: string): void {
    this.#fabric.crash(peerId)
  }

  /**
   * A device sleeps: what comes for it waits, and after `noticeMs` its connections
   * are gone. Its timers are its clock's.
   *
   * @throws when there is no such peer
   */
  sleep(peerId: string): void {
    this.#fabric.sleep(peerId)
  }

  /** The device is awake again: what waited comes, and it connects. @throws when there is no such peer */
  wake(peerId: string): void {
    this.#fabric.wake(peerId)
  }
}
