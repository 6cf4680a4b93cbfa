import type { GossipSub, SubscriptionChangeData } from '@libp2p/gossipsub'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Clock } from '../clock.ts'
import { Gate } from '../gate/gate.ts'
import { admitGossip } from '../gate/gossip.ts'
import { Rates, type Source } from '../gate/rates.ts'
import { SeenEvents } from '../gate/seen.ts'
import type { Verifier } from '../identity/verifier.ts'
import { HUB_AUTHOR_BURST, HUB_AUTHOR_PER_SECOND, HUB_SEEN_MAX } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { VALIDATION } from '../network/gossip.ts'
import { forgetTopic, scoreTopic } from '../network/score.ts'
import type { SignedEvent } from '../wire/event.ts'
import { encodeFrame } from '../wire/frame.ts'
import { parseTopic } from '../wire/topic.ts'

/** How long a room without clients is kept: they may be reloading their pages. */
const LINGER_MS = 15_000

interface Room {
  gate: Gate
  /** Ends the wait for clients of a room that has none; nothing while it has some. */
  cancelLinger: (() => void) | undefined
}

/**
 * Carries the gossip of rooms: takes part in each room a client is in, and
 * passes on what the gate lets through. It keeps no roster and no timeline.
 */
export class Hub {
  readonly #libp2p: Libp2p
  readonly #pubsub: GossipSub
  readonly #verifier: Verifier
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #maxRooms: number
  readonly #isNode: (peerId: PeerId) => boolean
  readonly #isNamed: (peerId: PeerId) => boolean
  readonly #onOffence: (peerId: PeerId, kind: 'reject' | 'excess') => void
  readonly #rates: Rates
  readonly #onEvents: (events: readonly SignedEvent[]) => void
  /** One for all rooms: in each of 800 a client could have as much remembered as in one. */
  readonly #seen = new SeenEvents(HUB_SEEN_MAX)
  readonly #rooms = new Map<string, Room>()
  /** Rooms there was no place for. */
  readonly #refused = new Set<string>()

  constructor(options: {
    libp2p: Libp2p
    pubsub: GossipSub
    verifier: Verifier
    clock: Clock
    logger: Logger
    maxRooms: number
    /** Whether a peer is another node: it is in a room for the sake of its clients. */
    isNode: (peerId: PeerId) => boolean
    /** Whether a peer is a node this one was told of. Anybody can call itself a node. */
    isNamed: (peerId: PeerId) => boolean
    /** A neighbour brought something that nobody honest passes on, or too much. */
    onOffence: (peerId: PeerId, kind: 'reject' | 'excess') => void
    /** Where a peer comes from, in a form that is the same for all who share an address; nothing where that says nothing. */
    addressOf: (peerId: string) => string | undefined
    /** The gate of a room let these through. */
    onEvents: (events: readonly SignedEvent[]) => void
  }) {
    this.#libp2p = options.libp2p
    this.#pubsub = options.pubsub
    this.#verifier = options.verifier
    this.#clock = options.clock
    this.#logger = options.logger
    this.#maxRooms = options.maxRooms
    this.#isNode = options.isNode
    this.#isNamed = options.isNamed
    this.#onOffence = options.onOffence
    // One for all rooms: whoever floods many is as much work as whoever floods one.
    const author = { burst: HUB_AUTHOR_BURST, perSecond: HUB_AUTHOR_PER_SECOND }
    this.#rates = new Rates({ ...options, author })
    this.#onEvents = options.onEvents
  }

  /** How many rooms it carries. */
  get rooms(): number {
    return this.#rooms.size
  }

  start(): void {
    this.#pubsub.addEventListener('subscription-change', this.#onSubscriptionChange)
    this.#libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
  }

  stop(): void {
    this.#pubsub.removeEventListener('subscription-change', this.#onSubscriptionChange)
    this.#libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
    // No unsubscribing: it would tell clients not to let this node back into their meshes for a while,
    // and the node may be back in a second.
    for (const { cancelLinger } of this.#rooms.values()) cancelLinger?.()
    this.#rooms.clear()
  }

  /** Whether a client is in a room, can pay for the question, and the room's gate would accept this event. */
  async wouldAccept(topic: string, jwt: string, peerId: string): Promise<boolean> {
    const gate = this.#rooms.get(topic)?.gate
    const client = this.#pubsub.getSubscribers(topic).find((subscriber) => subscriber.toString() === peerId)
    if (gate === undefined || client === undefined) return false
    const source = this.#sourceOf(client)
    if (!gate.affords(source, { events: 1, bytes: jwt.length })) return false
    return (await gate.inspect(jwt, 'live', source)).verdict === 'accept'
  }

  #sourceOf(peerId: PeerId): Source {
    return { peerId: peerId.toString(), isCarrier: this.#isNamed(peerId) }
  }

  /** Publishes an event that a client left with the node, where the room's gate accepts it. */
  async publish(topic: string, jwt: string): Promise<void> {
    const answer = await this.#rooms.get(topic)?.gate.admit(jwt, 'live')
    if (answer?.verdict === 'accept') await this.#pubsub.publish(topic, encodeFrame([jwt]))
  }

  readonly #onSubscriptionChange = ({ detail }: CustomEvent<SubscriptionChangeData>): void => {
    for (const { topic } of detail.subscriptions) this.#look(topic)
  }

  /** Gossipsub forgets the peer in a listener of its own, which may run after this one. */
  readonly #onDisconnect = (): void => {
    queueMicrotask(() => this.review())
  }

  /** Looks at all rooms again: who is a client and who a node has changed. */
  review(): void {
    for (const topic of [...this.#rooms.keys()]) this.#look(topic)
  }

  /** Enters or leaves a room by whether a client is in it. */
  #look(topic: string): void {
    const room = this.#rooms.get(topic)
    const hasClients = this.#pubsub.getSubscribers(topic).some((peerId) => !this.#isNode(peerId))
    if (room === undefined) {
      if (hasClients) this.#enter(topic)
    } else if (hasClients) {
      room.cancelLinger?.()
      room.cancelLinger = undefined
    } else {
      room.cancelLinger ??= this.#clock.after(LINGER_MS, () => this.#leave(topic))
    }
  }

  #enter(topic: string): void {
    if (parseTopic(topic) === undefined) return
    if (this.#rooms.size >= this.#maxRooms) {
      this.#logger.debug(`the node carries ${this.#maxRooms} rooms already`)
      if (this.#refused.size < this.#maxRooms) this.#refused.add(topic)
      return
    }
    const seen = this.#seen
    const gate = new Gate({ topic, clock: this.#clock, verifier: this.#verifier, rates: this.#rates, seen })
    this.#pubsub.topicValidators.set(topic, async (peer, { data }) => {
      const { verdict, events } = await admitGossip(gate, data, this.#sourceOf(peer))
      this.#onEvents(events)
      if (verdict === 'reject' || verdict === 'excess') this.#onOffence(peer, verdict)
      return VALIDATION[verdict]
    })
    scoreTopic(this.#pubsub, topic)
    this.#pubsub.subscribe(topic)
    this.#rooms.set(topic, { gate, cancelLinger: undefined })
  }

  #leave(topic: string): void {
    this.#rooms.get(topic)?.cancelLinger?.()
    this.#rooms.delete(topic)
    this.#pubsub.unsubscribe(topic)
    this.#pubsub.topicValidators.delete(topic)
    forgetTopic(this.#pubsub, topic)
    for (const refused of this.#refused) {
      if (this.#rooms.size >= this.#maxRooms) break
      this.#refused.delete(refused)
      this.#look(refused)
    }
  }
}
