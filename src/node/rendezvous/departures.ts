import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Clock } from '../../clock.ts'
import type { Registry } from './registry.ts'

/** How long somebody whose last connection closed may take to come back: the page may be reloading. */
export const DEPARTURE_GRACE_MS = 15_000

/**
 * Peers that can only be reached through this node, as browsers are, cannot be
 * reached at all once their last connection here is closed: after a grace, what
 * they registered is dropped. Whoever has an address elsewhere stays to the end
 * of its time.
 */
export class Departures {
  readonly #libp2p: Libp2p
  readonly #registry: Registry
  readonly #clock: Clock
  /** By peer id: ends the grace. */
  readonly #graces = new Map<string, () => void>()

  constructor(options: { libp2p: Libp2p; registry: Registry; clock: Clock }) {
    this.#libp2p = options.libp2p
    this.#registry = options.registry
    this.#clock = options.clock
  }

  start(): void {
    this.#libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
  }

  stop(): void {
    this.#libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
    for (const cancel of this.#graces.values()) cancel()
    this.#graces.clear()
  }

  /** Somebody registered whose connection may have closed meanwhile. */
  registered(peer: PeerId): void {
    if (this.#libp2p.getConnections(peer).length === 0) this.#departed(peer)
  }

  readonly #onDisconnect = ({ detail }: CustomEvent<PeerId>): void => this.#departed(detail)

  #departed(peer: PeerId): void {
    const peerId = peer.toString()
    this.#graces.get(peerId)?.()
    this.#graces.delete(peerId)
    if (!this.#isLost(peerId)) return
    const cancel = this.#clock.after(DEPARTURE_GRACE_MS, () => {
      this.#graces.delete(peerId)
      // A request that was under way when the connection closed may have brought other addresses.
      if (this.#libp2p.getConnections(peer).length === 0 && this.#isLost(peerId)) this.#registry.drop(peerId)
    })
    this.#graces.set(peerId, cancel)
  }

  /** Whether it has records, and every address in them leads through this node. */
  #isLost(peerId: string): boolean {
    const here = `/p2p/${this.#libp2p.peerId.toString()}/p2p-circuit`
    const addresses = this.#registry.recordsOf(peerId).flatMap(({ addresses }) => addresses)
    return addresses.length > 0 && addresses.every((address) => `${address}/`.includes(`${here}/`))
  }
}
