import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../clock.ts'
import type { FoundPeer } from '../discovery/found-peer.ts'

/** How many peers are kept for one topic. */
const PEERS_MAX = 256
/** How many, when what comes is not signed: it takes nobody's place. */
const UNSIGNED_MAX = 128
/** How many addresses of one peer. */
const ADDRESSES_MAX = 8
/** How long somebody counts as being in a topic after it was last said. */
const MAX_AGE_MS = 2 * 60 * 60_000

interface Entry {
  addresses: Multiaddr[]
  seenAt: number
  /** Whether the peer itself said so. */
  isSigned: boolean
}

/** Where members of the own topics can be reached, as far as others have told. */
export class AddressBook {
  readonly #clock: Clock
  /** By topic, by peer id; who was told of longest ago is first. */
  readonly #topics = new Map<string, Map<string, Entry>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Notes who was found in a topic. What was known of the same peer is replaced,
   * but nothing that a peer signed by something that nobody did. Answers whether
   * somebody is new.
   */
  add(topic: string, found: readonly FoundPeer[], isSigned = true): boolean {
    const peers = this.#topics.get(topic) ?? new Map<string, Entry>()
    this.#topics.set(topic, peers)
    let isNew = false
    for (const { peerId, addresses } of found) {
      const known = peers.get(peerId)
      if (!isSigned && (known?.isSigned || peers.size >= UNSIGNED_MAX)) continue
      isNew ||= known === undefined
      peers.delete(peerId)
      const seenAt = this.#clock.now()
      peers.set(peerId, { addresses: addresses.slice(0, ADDRESSES_MAX), seenAt, isSigned })
    }
    for (const peerId of peers.keys()) {
      if (peers.size <= PEERS_MAX) break
      peers.delete(peerId)
    }
    return isNew
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
