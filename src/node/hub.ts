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
import { Line } from './line.ts'
import { Crowd, type Place } from './rendezvous/crowd.ts'

/** How long a room without clients is kept: they may be reloading their pages. */
const LINGER_MS = 15_000
/**
 * How many announcements are made in one turn of the event loop, some 10 ms of work: a room that is
 * entered or left is announced to everybody who is connected. One room at least.
 */
const ANNOUNCED_PER_TURN = 100
/** How many rooms of the most crowded address are looked at to find the one that is missed least, and how many clients of each. */
const CANDIDATES = 16
const CLIENTS_LOOKED_AT = 16
/** More topics than gossipsub takes of one peer, which is 1 MiB of them: what is beyond has been forgotten there. */
const TOPICS_PER_PEER = 1_024
/** Whose address is not known: they count as one. */
const NOWHERE = ''

interface Room {
  gate: Gate
  /** Among the rooms of the address that was in it first. */
  place: Place<string>
  /** Nobody came back in time. */
  isOver: boolean
  /** Ends the wait for clients of a room that has none; nothing while it has some. */
  cancelLinger: (() => void) | undefined
}

/**
 * Carries the gossip of rooms: takes part in each room a client is in, and
 * passes on what the gate lets through. It keeps no roster and no timeline.
 *
 * When it carries as many as it may, a room from a quiet address takes the place
 * of one from the most crowded. Rooms are entered and left a few at a time, each
 * address in turn, so that many of them hold up nobody.
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
  readonly #addressOf: (peerId: string) => string | undefined
  /** One for all rooms: in each of 800 a client could have as much remembered as in one. */
  readonly #seen = new SeenEvents(HUB_SEEN_MAX, { isWhole: true })
  readonly #rooms = new Map<string, Room>()
  /** The topics of the rooms, by the address that was in each first. */
  readonly #crowd = new Crowd<string>()
  #entered = 0
  /** By peer id: the topics of those who are connected. */
  readonly #topicsOf = new Map<string, Set<string>>()
  /** Topics of rooms to be entered or left. */
  readonly #line = new Line<string>()
  /** How many announcements may still be made in this turn, and what ends the wait for the next one. */
  #budget = ANNOUNCED_PER_TURN
  #cancelTurn: (() => void) | undefined
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
    this.#addressOf = options.addressOf
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
    this.#line.clear()
    this.#cancelTurn?.()
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
    // What was read of somebody who has gone meanwhile.
    if (!this.#isConnected(detail.peerId)) return
    const peerId = detail.peerId.toString()
    const topics = this.#topicsOf.get(peerId) ?? new Set()
    for (const { topic, subscribe } of detail.subscriptions) {
      topics.delete(topic)
      if (subscribe) topics.add(topic)
    }
    for (const oldest of topics) {
      if (topics.size <= TOPICS_PER_PEER) break
      topics.delete(oldest)
    }
    this.#topicsOf.set(peerId, topics)
    // One message may name a room again and again.
    this.#lookAt(new Set(detail.subscriptions.map(({ topic }) => topic)), detail.peerId)
  }

  readonly #onDisconnect = ({ detail: peerId }: CustomEvent<PeerId>): void => {
    this.review(peerId)
    this.#topicsOf.delete(peerId.toString())
  }

  /** Looks at the rooms of a peer again: whether it is a client has changed. */
  review(peerId: PeerId): void {
    this.#lookAt(this.#topicsOf.get(peerId.toString()) ?? new Set(), peerId)
  }

  /** Gossipsub forgets those who are gone only later, and some not at all. */
  #isConnected(peerId: PeerId): boolean {
    return this.#libp2p.getConnections(peerId).length > 0
  }

  /** One at a time: whoever names 800 crowded rooms in one message asks of each only whether there is somebody. */
  *#clientsIn(topic: string): Generator<PeerId> {
    for (const peerId of this.#pubsub.getSubscribers(topic)) {
      if (!this.#isNode(peerId) && this.#isConnected(peerId)) yield peerId
    }
  }

  #ownerOf(client: PeerId): string {
    return this.#addressOf(client.toString()) ?? NOWHERE
  }

  /** Has rooms entered or left by whether a client is in them. */
  #lookAt(topics: ReadonlySet<string>, peerId: PeerId): void {
    const owner = this.#ownerOf(peerId)
    for (const topic of topics) {
      const room = this.#rooms.get(topic)
      const isInUse = this.#clientsIn(topic).next().value !== undefined
      if (room !== undefined) this.#keep(topic, room, isInUse)
      else if (isInUse && parseTopic(topic) !== undefined) this.#line.add(topic, owner)
    }
    this.#serve()
  }

  /** A room without clients ends after a while. */
  #keep(topic: string, room: Room, isInUse: boolean): void {
    if (isInUse) {
      room.cancelLinger?.()
      room.cancelLinger = undefined
      room.isOver = false
      return
    }
    room.cancelLinger ??= this.#clock.after(LINGER_MS, () => {
      room.isOver = true
      this.#line.add(topic, room.place.group.owner)
      this.#serve()
    })
  }

  /** Enters and leaves rooms, as many as this turn of the event loop has time for, and then goes on in the next. */
  #serve(): void {
    while (this.#budget > 0) {
      const topic = this.#line.next()
      if (topic === undefined) break
      this.#budget -= 1
      const room = this.#rooms.get(topic)
      const [first] = this.#clientsIn(topic)
      if (room === undefined && first !== undefined) this.#enter(topic, this.#ownerOf(first))
      else if (room?.isOver) this.#leave(topic)
    }
    if (this.#budget === ANNOUNCED_PER_TURN) return
    this.#cancelTurn ??= this.#clock.after(0, () => {
      this.#cancelTurn = undefined
      this.#budget = ANNOUNCED_PER_TURN
      this.#serve()
    })
  }

  #enter(topic: string, owner: string): void {
    if (this.#rooms.size >= this.#maxRooms && !this.#makeRoomFor(owner)) {
      this.#logger.debug(`the node carries ${this.#maxRooms} rooms already`)
      this.#refuse(topic)
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
    this.#announced()
    this.#entered += 1
    const place = this.#crowd.add(topic, owner, this.#entered)
    this.#rooms.set(topic, { gate, place, isOver: false, cancelLinger: undefined })
  }

  /** Gives up a room of the most crowded address: of some, the one that is in use at the fewest addresses. */
  #makeRoomFor(owner: string): boolean {
    const [first, ...others] = (this.#crowd.donorFor(owner)?.places ?? [])
      .slice(-CANDIDATES)
      .map(({ item }) => ({ topic: item, addresses: this.#addressesIn(item) }))
    if (first === undefined) return false
    const { topic } = others.reduce((a, b) => (a.addresses < b.addresses ? a : b), first)
    this.#end(topic)
    this.#refuse(topic)
    return true
  }

  #addressesIn(topic: string): number {
    const owners = new Set<string>()
    let left = CLIENTS_LOOKED_AT
    for (const client of this.#clientsIn(topic)) {
      owners.add(this.#ownerOf(client))
      left -= 1
      if (left === 0) break
    }
    return owners.size
  }

  /** It may find a place later. */
  #refuse(topic: string): void {
    if (this.#refused.size < this.#maxRooms) this.#refused.add(topic)
  }

  /** Leaves a room that nobody came back to, and enters others that there was no place for. */
  #leave(topic: string): void {
    this.#end(topic)
    for (const refused of this.#refused) {
      if (this.#rooms.size + this.#line.size >= this.#maxRooms) break
      this.#refused.delete(refused)
      const [first] = this.#clientsIn(refused)
      if (first !== undefined) this.#line.add(refused, this.#ownerOf(first))
    }
  }

  #end(topic: string): void {
    const room = this.#rooms.get(topic)
    if (room === undefined) return
    room.cancelLinger?.()
    this.#crowd.remove(room.place)
    this.#rooms.delete(topic)
    this.#pubsub.unsubscribe(topic)
    this.#announced()
    this.#pubsub.topicValidators.delete(topic)
    forgetTopic(this.#pubsub, topic)
  }

  #announced(): void {
    this.#budget -= this.#pubsub.getPeers().length
  }
}
