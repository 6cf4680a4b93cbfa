import type { GossipSub } from '@libp2p/gossipsub'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { type Clock, steady } from '../clock.ts'
import { type Random, sample } from '../random.ts'

/**
 * How many members of each room a device is connected to directly, where there
 * are as many: a random graph of degree 4 is connected, and stays so when some
 * of its members go.
 */
export const LINKS_PER_ROOM = 4
/** How many direct connections a device has for all rooms before it makes no more. */
export const LINKS_WANTED_MAX = 12
/** How many it has before it takes no more: newcomers connect to those who were there before. */
const LINKS_MAX = 16
/** How many it makes at a time: each costs the browser some tens of milliseconds. */
const DIALS_MAX = 2
/** How long one may take. ICE that has found no way in 15 s finds none. */
const DIAL_TIMEOUT_MS = 15_000
/** A room that was just joined has other things to do. */
const FIRST_LOOK_MS = 1_000
/** How often to look for links that are missing. */
const LOOK_MS = 30_000
/** How long to leave a peer alone after a failure, doubled by each further one. */
const FAILURE_FIRST_MS = 30_000
const FAILURE_MAX_MS = 15 * 60_000
/** How many failures are remembered. */
const FAILURES_MAX = 512
/** How long a link without a common room is kept. */
const IDLE_MS = 60_000

interface Failure {
  count: number
  until: number
}

/**
 * Direct connections to a random handful of the members of each room, made in the
 * background. Nothing waits for them: messages go through the nodes until there
 * are some, and wherever there can be none.
 */
export class Mesh {
  readonly #libp2p: Libp2p
  readonly #pubsub: GossipSub
  readonly #clock: Clock
  readonly #random: Random
  readonly #topics: () => Iterable<string>
  readonly #candidates: (topic: string) => string[]
  readonly #routesTo: (peerId: string) => { relayed: Multiaddr[]; direct: Multiaddr[] }
  readonly #isNode: (peerId: PeerId) => boolean
  readonly #onSparse: (topic: string) => void
  /** By peer id: ends the attempt to connect. */
  readonly #dials = new Map<string, AbortController>()
  /** By peer id: when it was let in; it is not connected to from here while it may be on its way. */
  readonly #admitted = new Map<string, number>()
  readonly #failures = new Map<string, Failure>()
  /** By peer id: the links this device has made itself. */
  readonly #made = new Map<string, Connection>()
  /** By peer id: since when there is no room in common. */
  readonly #idleSince = new Map<string, number>()
  #cancelLook: (() => void) | undefined
  #lookAt = Number.POSITIVE_INFINITY
  #isClosed = false

  constructor(options: {
    libp2p: Libp2p
    pubsub: GossipSub
    clock: Clock
    random: Random
    /** The topics this device is in. */
    topics: () => Iterable<string>
    /** Who may be in a topic, as far as discovery knows. */
    candidates: (topic: string) => string[]
    /** Where a peer can be reached: through a node, and directly. */
    routesTo: (peerId: string) => { relayed: Multiaddr[]; direct: Multiaddr[] }
    isNode: (peerId: PeerId) => boolean
    /** A room has fewer links than it should, and nobody left to try. */
    onSparse: (topic: string) => void
  }) {
    this.#libp2p = options.libp2p
    this.#pubsub = options.pubsub
    this.#clock = steady(options.clock)
    this.#random = options.random
    this.#topics = options.topics
    this.#candidates = options.candidates
    this.#routesTo = options.routesTo
    this.#isNode = options.isNode
    this.#onSparse = options.onSparse
  }

  /** Something changed: looks soon whether links are missing. */
  wake(): void {
    this.#lookIn(FIRST_LOOK_MS * (0.5 + this.#random.fraction()))
  }

  /** The direct connections, to members and others. */
  links(): Connection[] {
    return this.#libp2p
      .getConnections()
      .filter(
        (connection) =>
          connection.status === 'open' &&
          connection.limits === undefined &&
          !this.#isNode(connection.remotePeer),
      )
  }

  /**
   * Whether a peer may connect to this device. Where both connect to each other
   * at once, the one with the smaller peer id does: two links between the same two
   * would be one too many, and gossipsub does not survive the end of the first.
   */
  admits(peerId: string): boolean {
    if (this.#isClosed || this.#memberLinks().length >= LINKS_MAX || !this.#isMember(peerId)) return false
    if (this.#isLinked(peerId)) return false
    const ownDial = this.#dials.get(peerId)
    if (ownDial !== undefined && this.#libp2p.peerId.toString() < peerId) return false
    ownDial?.abort(new Error('the other side connects'))
    const now = this.#clock.now()
    for (const [other, at] of this.#admitted) if (now - at >= DIAL_TIMEOUT_MS) this.#admitted.delete(other)
    this.#admitted.set(peerId, now)
    return true
  }

  close(): void {
    this.#isClosed = true
    this.#cancelLook?.()
    for (const dial of this.#dials.values()) dial.abort(new Error('closed'))
  }

  #lookIn(ms: number): void {
    const at = this.#clock.now() + ms
    if (this.#isClosed || at >= this.#lookAt) return
    this.#cancelLook?.()
    this.#lookAt = at
    this.#cancelLook = this.#clock.after(ms, () => {
      this.#lookAt = Number.POSITIVE_INFINITY
      this.#look()
      this.#lookIn(LOOK_MS * (0.75 + this.#random.fraction() / 2))
    })
  }

  #look(): void {
    const linked = new Set(this.#memberLinks())
    for (const topic of this.#topics()) {
      const members = this.#membersOf(topic)
      const links = [...linked, ...this.#dials.keys()].filter((peerId) => members.has(peerId)).length
      const missing = Math.min(LINKS_PER_ROOM - links, LINKS_WANTED_MAX - linked.size - this.#dials.size)
      if (missing <= 0) continue
      const free = [...members].filter((peerId) => !linked.has(peerId) && this.#mayDial(peerId))
      if (free.length < missing) this.#onSparse(topic)
      for (const peerId of sample(this.#random, free, Math.min(missing, DIALS_MAX - this.#dials.size))) {
        void this.#dial(peerId)
      }
    }
    this.#closeIdle()
  }

  /** Whether somebody is in one of our rooms, as far as we know. A newcomer may know us before we know it. */
  #isMember(peerId: string): boolean {
    const isFull = this.links().length >= LINKS_MAX
    return !isFull || [...this.#topics()].some((topic) => this.#membersOf(topic).has(peerId))
  }

  /** The members of our rooms that are connected directly; a dapp's libp2p node has other connections besides. */
  #memberLinks(): string[] {
    const members = new Set([...this.#topics()].flatMap((topic) => [...this.#membersOf(topic)]))
    return this.links()
      .map(({ remotePeer }) => remotePeer.toString())
      .filter((peerId) => members.has(peerId))
  }

  #membersOf(topic: string): Set<string> {
    const subscribers = this.#pubsub.getSubscribers(topic).filter((peerId) => !this.#isNode(peerId))
    const members = new Set([...this.#candidates(topic), ...subscribers.map(String)])
    members.delete(this.#libp2p.peerId.toString())
    return members
  }

  #mayDial(peerId: string): boolean {
    const admittedAt = this.#admitted.get(peerId) ?? Number.NEGATIVE_INFINITY
    if (this.#dials.has(peerId) || this.#clock.now() - admittedAt < DIAL_TIMEOUT_MS) return false
    if ((this.#failures.get(peerId)?.until ?? 0) > this.#clock.now()) return false
    return this.#routesTo(peerId).direct.length > 0
  }

  /** Connects to a peer, first through a node: that is how the two agree on the direct way. Never rejects. */
  async #dial(peerId: string): Promise<void> {
    const dial = new AbortController()
    const cancel = this.#clock.after(DIAL_TIMEOUT_MS, () => dial.abort(new Error('no direct way in 15 s')))
    const { signal } = dial
    this.#dials.set(peerId, dial)
    const own: Connection[] = []
    try {
      const { relayed, direct } = this.#routesTo(peerId)
      // Made apart from the direct one, so that a stream of a room does not wait for the whole of this.
      if (this.#connectionsTo(peerId).length === 0) own.push(await this.#libp2p.dial(relayed, { signal }))
      this.#made.set(peerId, await this.#libp2p.dial(direct, { signal }))
      this.#failures.delete(peerId)
    } catch {
      if (!this.#isLinked(peerId)) this.#noteFailure(peerId)
    } finally {
      cancel()
      this.#dials.delete(peerId)
      for (const connection of own) if (connection.streams.length === 0) connection.close().catch(() => {})
      this.wake()
    }
  }

  #connectionsTo(peerId: string): Connection[] {
    return this.#libp2p
      .getConnections()
      .filter(({ remotePeer, status }) => status === 'open' && remotePeer.toString() === peerId)
  }

  #isLinked(peerId: string): boolean {
    return this.links().some(({ remotePeer }) => remotePeer.toString() === peerId)
  }

  #noteFailure(peerId: string): void {
    const count = (this.#failures.get(peerId)?.count ?? 0) + 1
    const pauseMs = Math.min(FAILURE_MAX_MS, FAILURE_FIRST_MS * 2 ** (count - 1))
    this.#failures.delete(peerId)
    this.#failures.set(peerId, { count, until: this.#clock.now() + pauseMs })
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= FAILURES_MAX) break
      this.#failures.delete(oldest)
    }
  }

  /** Closes the links it has made that no room needs any more. */
  #closeIdle(): void {
    const needed = new Set([...this.#topics()].flatMap((topic) => [...this.#membersOf(topic)]))
    const now = this.#clock.now()
    for (const [peerId, link] of this.#made) {
      if (link.status !== 'open') this.#made.delete(peerId)
      if (link.status !== 'open' || needed.has(peerId)) this.#idleSince.delete(peerId)
      else if (now - (this.#idleSince.get(peerId) ?? now) >= IDLE_MS) link.close().catch(() => {})
      else this.#idleSince.set(peerId, this.#idleSince.get(peerId) ?? now)
    }
  }
}
