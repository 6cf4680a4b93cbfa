import type { Weather } from './conditions.ts'
import type { MemoryChannel, MemoryPeer } from './memory-peer.ts'

/** How long a message is known, so that a copy goes no further: the `seenTTL` of the real network. */
const SEEN_MS = 600_000

const latin1 = new TextDecoder('latin1')

/** A gossip message, the same wherever it is. */
interface GossipMessage {
  readonly data: Uint8Array
  readonly at: number
  readonly seenBy: Set<MemoryChannel>
}

/**
 * Carries gossip messages. Where everybody is a neighbour of everybody they are
 * handed to all of them; where neighbours are few they are passed on, once by each
 * peer that accepts them, as gossipsub does.
 */
export class MemoryGossip {
  readonly #weather: Weather
  readonly #floods: boolean
  readonly #neighbours: (channel: MemoryChannel) => MemoryChannel[]
  readonly #carries: (from: MemoryPeer, to: MemoryPeer) => boolean
  readonly #reaches: (from: MemoryPeer, to: MemoryPeer) => boolean
  /** By topic and bytes: the messages of the last minutes, the oldest first. */
  readonly #messages = new Map<string, GossipMessage>()

  constructor(
    weather: Weather,
    options: {
      floods: boolean
      neighbours: (channel: MemoryChannel) => MemoryChannel[]
      /** Whether one can send to another. */
      carries: (from: MemoryPeer, to: MemoryPeer) => boolean
      /** Whether what one has sent gets to another. */
      reaches: (from: MemoryPeer, to: MemoryPeer) => boolean
    },
  ) {
    this.#weather = weather
    this.#floods = options.floods
    this.#neighbours = options.neighbours
    this.#carries = options.carries
    this.#reaches = options.reaches
  }

  /** Answers how many neighbours the message was handed to. */
  publish(channel: MemoryChannel, data: Uint8Array): number {
    const message = this.#messageOf(channel.topic, data)
    message.seenBy.add(channel)
    return this.#spread(channel, message)
  }

  #spread(from: MemoryChannel, message: GossipMessage): number {
    const neighbours = this.#neighbours(from)
    for (const to of neighbours) this.#hand(from, to, message)
    return neighbours.length
  }

  #hand(from: MemoryChannel, to: MemoryChannel, message: GossipMessage): void {
    // It would not get past the other side's memory of what it has seen.
    if (message.seenBy.has(to) || !this.#carries(from.peer, to.peer)) return
    const { loss, duplication } = this.#weather.conditions
    if (!this.#weather.strikes(loss)) this.#send(from, to, message, false)
    if (this.#weather.strikes(duplication)) this.#send(from, to, message, true)
  }

  #send(from: MemoryChannel, to: MemoryChannel, message: GossipMessage, isCopy: boolean): void {
    this.#weather.after(this.#weather.latencyMs(), () => {
      if (this.#reaches(from.peer, to.peer)) to.peer.receive(() => this.#arrive(from, to, message, isCopy))
    })
  }

  /** A copy gets past the memory of what was seen, which is not for ever on a real network either. */
  #arrive(from: MemoryChannel, to: MemoryChannel, message: GossipMessage, isCopy: boolean): void {
    if (to.isLeft) return
    if (!isCopy && message.seenBy.has(to)) return
    if (this.#floods) message.seenBy.add(to)
    const answer = to.handler.onGossip(message.data.slice(), from.peer.peerId)
    if (!this.#floods) return
    void answer.then((verdict) => {
      if (verdict === 'accept' && !to.isLeft) this.#spread(to, message)
    })
  }

  #messageOf(topic: string, data: Uint8Array): GossipMessage {
    const now = this.#weather.now()
    if (!this.#floods) return { data: data.slice(), at: now, seenBy: new Set() }
    for (const [key, { at }] of this.#messages) {
      if (at > now - SEEN_MS) break
      this.#messages.delete(key)
    }
    const key = `${topic} ${latin1.decode(data)}`
    const known = this.#messages.get(key)
    const message = known ?? { data: data.slice(), at: now, seenBy: new Set<MemoryChannel>() }
    if (known === undefined) this.#messages.set(key, message)
    return message
  }
}
