import type { GossipSub } from '@libp2p/gossipsub'
import { hasStreamTo, unsee } from './gossip.ts'
import type { Channel, ChannelHandler, FrameStream } from './network.ts'

/** A topic of a {@link Libp2pNetwork}. */
export class Libp2pChannel implements Channel {
  readonly topic: string
  readonly handler: ChannelHandler
  readonly #pubsub: GossipSub
  readonly #open: (peerId: string, topic: string, signal: AbortSignal) => Promise<FrameStream>
  readonly #entrust: (jwt: string) => Promise<void>
  readonly #isNode: (peerId: string) => boolean
  readonly #onLeave: () => void
  #neighbours = new Set<string>()
  #left = false

  constructor(options: {
    topic: string
    handler: ChannelHandler
    pubsub: GossipSub
    open: (peerId: string, topic: string, signal: AbortSignal) => Promise<FrameStream>
    entrust: (jwt: string) => Promise<void>
    isNode: (peerId: string) => boolean
    onLeave: () => void
  }) {
    this.topic = options.topic
    this.handler = options.handler
    this.#pubsub = options.pubsub
    this.#open = options.open
    this.#entrust = options.entrust
    this.#isNode = options.isNode
    this.#onLeave = options.onLeave
    this.#neighbours = this.#reachable()
  }

  neighbours(): number {
    return this.#neighbours.size
  }

  async publish(data: Uint8Array<ArrayBuffer>): Promise<number> {
    try {
      const { recipients } = await this.#pubsub.publish(this.topic, data)
      if (recipients.length === 0) unsee(this.#pubsub, this.topic, data)
      return recipients.length
    } catch {
      // Nobody is subscribed: the answer is 0, and whoever asked keeps what it has.
      return 0
    }
  }

  open(peerId: string, { signal }: { signal: AbortSignal }): Promise<FrameStream> {
    return this.#open(peerId, this.topic, signal)
  }

  entrust(jwt: string): Promise<void> {
    return this.#entrust(jwt)
  }

  leave(): void {
    if (this.#left) return
    this.#left = true
    this.#onLeave()
  }

  /**
   * Looks at who is subscribed now. Answers whether somebody is that cannot be
   * sent to yet, because the stream to it is still being opened.
   */
  refresh(): boolean {
    const before = this.#neighbours
    this.#neighbours = this.#reachable()
    const changed =
      before.size !== this.#neighbours.size || [...before].some((peer) => !this.#neighbours.has(peer))
    if (changed && !this.#left) this.handler.onNeighbours()
    const hasNewNode = [...this.#neighbours].some((peer) => !before.has(peer) && this.#isNode(peer))
    if (hasNewNode && before.size > 0 && !this.#left) this.handler.onWider()
    return this.#pubsub.getSubscribers(this.topic).length > this.#neighbours.size
  }

  /** The last connection to a peer ended. Answers whether it was a neighbour and is none any more. */
  disconnected(peerId: string): boolean {
    const was = this.#neighbours.has(peerId)
    this.refresh()
    return was && !this.#neighbours.has(peerId) && !this.#left
  }

  /** A neighbour cannot be reached in any way. */
  lost(peerId: string): void {
    if (!this.#left && !this.#neighbours.has(peerId)) this.handler.onPeerLost(peerId)
  }

  /** Subscribers that gossipsub has an open stream to: handing it a message for any other loses the message. */
  #reachable(): Set<string> {
    const subscribers = this.#pubsub.getSubscribers(this.topic).map((peerId) => peerId.toString())
    return new Set(subscribers.filter((peerId) => hasStreamTo(this.#pubsub, peerId)))
  }
}
