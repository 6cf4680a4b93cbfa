import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../clock.ts'
import type { FoundPeer } from '../discovery/found-peer.ts'

/** How many peers are kept for one topic. */
const PEERS_MAX = 256
/** How many addresses of one peer. */
const ADDRESSES_MAX = 8
/** How long somebody counts as being in a topic after it was last said. */
const MAX_AGE_MS = 2 * 60 * 60_000

interface Entry {
  addresses: Multiaddr[]
  seenAt: number
}

/** Where members of the own topics can be reached, as far as others have told. */
export class AddressBook {
  readonly #clock: Clock
  /** By topic, by peer id; who was told of longest ago is first. */
  readonly #topics = new Map<string, Map<string, Entry>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Notes who was found in a topic. What was known of the same peer is replaced. */
  add(topic: string, found: readonly FoundPeer[]): void {
    const peers = this.#topics.get(topic) ?? new Map<string, Entry>()
    this.#topics.set(topic, peers)
    for (const { peerId, addresses } of found) {
      peers.delete(peerId)
      peers.set(peerId, { addresses: addresses.slice(0, ADDRESSES_MAX), seenAt: this.#clock.now() })
    }
    for (const peerId of peers.keys()) {
      if (peers.size <= PEERS_MAX) break
      peers.delete(peerId)
    }
  }

  /** Who was found in a topic. */
  peersIn(topic: string): string[] {
    const oldest = this.#clock.now() - MAX_AGE_MS
    return [...(this.#topics.get(topic) ?? [])].flatMap(([peerId, { seenAt }]) =>
      seenAt < oldest ? [] : [peerId],
    )
  }

  /** What is known of where a peer is. */
  addressesOf(peerId: string): Multiaddr[] {
    const known = [...this.#topics.values()].flatMap((peers) => peers.get(peerId) ?? [])
    return known.sort((a, b) => b.seenAt - a.seenAt)[0]?.addresses ?? []
  }

  /** Forgets a topic that was left. */
  forget(topic: string): void {
    this.#topics.delete(topic)
  }
}
