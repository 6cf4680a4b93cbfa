import type { GossipSub } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { type Clock, steady } from '../clock.ts'

/** How long a node may take to say that it is in a topic. */
const PATIENCE_MS = 5_000

/** What gossipsub's class has and its interface does not; without it a node is waited for. */
type Internals = GossipSub & {
  streamsInbound?: Map<string, unknown>
  streamsOutbound?: Map<string, unknown>
  handleReceivedSubscription?: (peerId: PeerId, topic: string, subscribe: boolean) => boolean
  mesh?: Map<string, Set<string>>
  backoff?: Map<string, Map<string, number>>
  addToMesh?: (peerId: string, topic: string, reason: string) => void
  sendGraft?: (peerId: string, topics: string[]) => void
}

/**
 * The subscriptions of nodes, before they have said so. A node enters a topic as
 * soon as it hears that a client is in it, so what the client sends right after
 * its own SUBSCRIBE finds the node subscribed, and a GRAFT in between makes the node
 * send what others answer: a round trip is saved. A node that does not say in 5 s
 * that it is in the topic, because it has no place for another room, is taken out
 * again.
 */
export class ExpectedNodes {
  readonly #pubsub: Internals
  readonly #clock: Clock
  readonly #onDisappointed: (topic: string, peerId: string) => void
  /** By topic and peer id: ends the wait. */
  readonly #waits = new Map<string, () => void>()
  /** By topic and peer id: the node has spoken of the topic, or was expected in vain. It is not expected again. */
  readonly #settled = new Set<string>()
  /** By peer id of a node: since when its streams are waited for. */
  readonly #awaitedSince = new Map<string, number>()

  constructor(options: {
    pubsub: GossipSub
    clock: Clock
    /** The node has not said that it is in the topic. */
    onDisappointed: (topic: string, peerId: string) => void
  }) {
    this.#pubsub = options.pubsub
    this.#clock = steady(options.clock)
    this.#onDisappointed = options.onDisappointed
  }

  /**
   * A node hears now, or has just heard, that this device is in a topic. Answers
   * false as long as it is too early: until there is a stream each way, what the
   * node sends would be lost.
   */
  expect(topic: string, peerId: PeerId): boolean {
    const { streamsInbound, streamsOutbound, handleReceivedSubscription } = this.#pubsub
    if (!handleReceivedSubscription) return true
    const key = keyOf(topic, peerId)
    const id = peerId.toString()
    const isKnown = this.#pubsub.getSubscribers(topic).some((subscriber) => subscriber.equals(peerId))
    if (!streamsInbound?.has(id) || !streamsOutbound?.has(id)) return isKnown || this.#isTooLate(id)
    if (isKnown) {
      // It spoke first; without this it would take us into its gossip at its next heartbeat only.
      this.#graft(topic, id)
      return true
    }
    if (this.#settled.has(key) || this.#waits.has(key)) return true
    if (!handleReceivedSubscription.call(this.#pubsub, peerId, topic, true)) return true
    this.#graft(topic, id)
    const cancel = this.#clock.after(PATIENCE_MS, () => {
      this.#waits.delete(key)
      this.#settled.add(key)
      this.#pubsub.handleReceivedSubscription?.(peerId, topic, false)
      this.#onDisappointed(topic, peerId.toString())
    })
    this.#waits.set(key, cancel)
    return true
  }

  /** Streams that are not there in 5 s will not come, or when they do, the node speaks for itself. */
  #isTooLate(id: string): boolean {
    const since = this.#awaitedSince.get(id) ?? this.#clock.now()
    this.#awaitedSince.set(id, since)
    return this.#clock.now() - since >= PATIENCE_MS
  }

  /** Every node is asked for messages, however many there are: each may have members of its own. */
  #graft(topic: string, id: string): void {
    const { mesh, backoff, addToMesh, sendGraft } = this.#pubsub
    if (!addToMesh || !sendGraft || mesh?.get(topic)?.has(id) !== false || backoff?.get(topic)?.has(id))
      return
    addToMesh.call(this.#pubsub, id, topic, 'subscribed')
    sendGraft.call(this.#pubsub, id, [topic])
  }

  /** A node said whether it is in these topics. */
  heard(peerId: PeerId, topics: readonly string[]): void {
    for (const topic of topics) {
      this.#end(keyOf(topic, peerId))
      this.#settled.add(keyOf(topic, peerId))
    }
  }

  /** A peer is gone: gossipsub has forgotten its subscriptions. */
  gone(peerId: PeerId): void {
    this.#awaitedSince.delete(peerId.toString())
    const isOfPeer = (key: string): boolean => key.endsWith(` ${peerId.toString()}`)
    for (const key of [...this.#waits.keys()].filter(isOfPeer)) this.#end(key)
    for (const key of [...this.#settled].filter(isOfPeer)) this.#settled.delete(key)
  }

  close(): void {
    for (const key of [...this.#waits.keys()]) this.#end(key)
    this.#settled.clear()
  }

  #end(key: string): void {
    this.#waits.get(key)?.()
    this.#waits.delete(key)
  }
}

function keyOf(topic: string, peerId: PeerId): string {
  return `${topic} ${peerId.toString()}`
}
