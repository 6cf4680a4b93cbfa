import { base58btc } from 'multiformats/bases/base58'
import type { Channel, ChannelHandler, FrameStream, Network } from '../network/network.ts'
import { memoryStreams } from './memory-stream.ts'

/**
 * A network in memory: every peer of it is a direct neighbour of every other
 * one in the same partition. Deliveries happen in a later task, as on a real
 * network, and as far as the receivers' gates let them.
 *
 * @example
 * ```ts
 * const network = new MemoryNetwork()
 * const ada = await openSpace('dapp', { network: network.peer(), identity: 'ephemeral' })
 * const bob = await openSpace('dapp', { network: network.peer(), identity: 'ephemeral' })
 * ```
 */
export class MemoryNetwork {
  readonly #peers = new Map<string, MemoryPeer>()
  #partition: (peerId: string) => number = () => 0

  /** A new participant. */
  peer(): Network {
    const peer = new MemoryPeer(this)
    this.#peers.set(peer.peerId, peer)
    return peer
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
    this.#rewire((peerId) => part.get(peerId) ?? 0)
  }

  /** Makes it one network again. */
  heal(): void {
    this.#rewire(() => 0)
  }

  /** @internal The other members of a topic a peer reaches. */
  reach(from: MemoryPeer, topic: string): MemoryChannel[] {
    return [...this.#peers.values()]
      .filter((peer) => peer !== from && this.#partition(peer.peerId) === this.#partition(from.peerId))
      .flatMap((peer) => peer.channel(topic) ?? [])
  }

  /** @internal Somebody entered or left a topic. */
  changed(topic: string, except: MemoryPeer): void {
    for (const member of this.reach(except, topic)) member.handler.onNeighbours()
  }

  /** @internal */
  remove(peer: MemoryPeer): void {
    this.#peers.delete(peer.peerId)
    for (const other of this.#peers.values()) {
      other.eachChannel((channel) => {
        channel.handler.onPeerLost(peer.peerId)
        channel.handler.onNeighbours()
      })
    }
  }

  #rewire(partition: (peerId: string) => number): void {
    const before = this.#partition
    this.#partition = partition
    for (const peer of this.#peers.values()) {
      peer.eachChannel((channel) => {
        for (const other of this.#peers.keys()) {
          const wasReached = before(other) === before(peer.peerId)
          if (wasReached && partition(other) !== partition(peer.peerId)) channel.handler.onPeerLost(other)
        }
        channel.handler.onNeighbours()
      })
    }
  }
}

class MemoryPeer implements Network {
  readonly peerId = `12D3KooW${base58btc.encode(crypto.getRandomValues(new Uint8Array(33))).slice(1, 45)}`
  readonly #network: MemoryNetwork
  readonly #channels = new Map<string, MemoryChannel>()

  constructor(network: MemoryNetwork) {
    this.#network = network
  }

  join(topic: string, handler: ChannelHandler): Channel {
    const channel = new MemoryChannel(this.#network, this, topic, handler, () => {
      if (this.#channels.get(topic) !== channel) return
      this.#channels.delete(topic)
      this.#network.changed(topic, this)
    })
    this.#channels.set(topic, channel)
    this.#network.changed(topic, this)
    return channel
  }

  async close(): Promise<void> {
    this.#channels.clear()
    this.#network.remove(this)
  }

  channel(topic: string): MemoryChannel | undefined {
    return this.#channels.get(topic)
  }

  eachChannel(visit: (channel: MemoryChannel) => void): void {
    this.#channels.forEach(visit)
  }
}

class MemoryChannel implements Channel {
  readonly handler: ChannelHandler
  readonly peer: MemoryPeer
  readonly #network: MemoryNetwork
  readonly #topic: string
  readonly #onLeave: () => void

  constructor(
    network: MemoryNetwork,
    peer: MemoryPeer,
    topic: string,
    handler: ChannelHandler,
    onLeave: () => void,
  ) {
    this.#network = network
    this.peer = peer
    this.#topic = topic
    this.handler = handler
    this.#onLeave = onLeave
  }

  neighbours(): number {
    return this.#network.reach(this.peer, this.#topic).length
  }

  async publish(data: Uint8Array<ArrayBuffer>): Promise<number> {
    const members = this.#network.reach(this.peer, this.#topic)
    const from = this.peer.peerId
    for (const member of members) queueMicrotask(() => void member.handler.onGossip(data.slice(), from))
    return members.length
  }

  async open(peerId: string, { signal }: { signal: AbortSignal }): Promise<FrameStream> {
    signal.throwIfAborted()
    const member = this.#network.reach(this.peer, this.#topic).find(({ peer }) => peer.peerId === peerId)
    if (member === undefined) throw new Error(`the peer ${peerId} cannot be reached`)
    const [here, there] = memoryStreams()
    queueMicrotask(() => member.handler.onStream(there, this.peer.peerId))
    return here
  }

  /** There are no nodes. */
  async entrust(): Promise<void> {}

  leave(): void {
    this.#onLeave()
  }
}
