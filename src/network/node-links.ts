import type { GossipSub } from '@libp2p/gossipsub'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { type Clock, every } from '../clock.ts'
import { describe, GhostChatError } from '../errors.ts'
import type { Random } from '../random.ts'
import { hostPart } from './dial-policy.ts'
import { hasStreamTo } from './gossip.ts'

/** Where a node is. */
export interface Location {
  addresses: Multiaddr[]
  /** Resolves when it has described itself; rejects with what is wrong. */
  described: Promise<void>
}

/** Looks up where a node is: anew before each attempt, since it may have moved. */
export type ResolveNode = (signal: AbortSignal) => Promise<Location>

/** What a link to a node is doing. */
export type NodeLinkState =
  | { kind: 'connecting' }
  | { kind: 'connected'; since: number }
  | { kind: 'waiting'; nextAttemptAt: number; reason: string }

/** How a link is kept. */
export interface LinkPace {
  /** The longest pause between two attempts, in milliseconds. */
  pauseMaxMs: number
  /** How often to look whether the node still takes part in gossip, in milliseconds. */
  checkMs: number
  /** Whether to ask it each time as well: libp2p notices what is dead only after half a minute. */
  isPinging: boolean
}

/** Of a client: there are many, and a node that starts has to bear them all. */
const CLIENT_PACE: LinkPace = { pauseMaxMs: 15_000, checkMs: 15_000, isPinging: false }

/**
 * How many pings of a connection may be under way, ours and libp2p's own. It lets one go out, and ends the connection where
 * its own comes second.
 */
export const PINGS_AT_ONCE = { maxInboundStreams: 8, maxOutboundStreams: 8 }

const BACKOFF_FIRST_MS = 500
const ATTEMPT_TIMEOUT_MS = 10_000
/** A connection that held this long was one. */
const HELD_MS = 3_000

/**
 * Keeps the connection to one node: dials, waits for its end, dials again. The
 * pause between failures doubles from half a second, a quarter of it by chance, so
 * that the clients of a node that restarts do not come all at once.
 */
export class NodeLink {
  readonly #libp2p: Libp2p
  readonly #clock: Clock
  readonly #random: Random
  readonly #name: string
  readonly #resolve: ResolveNode
  readonly #pubsub: GossipSub
  readonly #ping: (peerId: PeerId) => Promise<unknown>
  readonly #pace: LinkPace
  readonly #onConnected: (connection: Connection, described: Promise<void>) => void
  readonly #onLost: () => void
  readonly #onFailure: (error: GhostChatError, nextAttemptAt: number) => void
  readonly #closing = new AbortController()
  #wake = (): void => {}
  #peerId: PeerId | undefined
  #state: NodeLinkState = { kind: 'connecting' }

  constructor(options: {
    libp2p: Libp2p
    clock: Clock
    random: Random
    /** What the application calls the node. */
    name: string
    resolve: ResolveNode
    pubsub: GossipSub
    /** Rejects when the node does not answer in time. */
    ping: (peerId: PeerId) => Promise<unknown>
    /** Default: that of a client. */
    pace?: LinkPace
    onConnected: (connection: Connection, described: Promise<void>) => void
    /** The connection ended. */
    onLost: () => void
    onFailure: (error: GhostChatError, nextAttemptAt: number) => void
  }) {
    this.#libp2p = options.libp2p
    this.#clock = options.clock
    this.#random = options.random
    this.#name = options.name
    this.#resolve = options.resolve
    this.#pubsub = options.pubsub
    this.#ping = options.ping
    this.#pace = options.pace ?? CLIENT_PACE
    this.#onConnected = options.onConnected
    this.#onLost = options.onLost
    this.#onFailure = options.onFailure
  }

  /** The peer id of the node, once it was reached. */
  get peerId(): PeerId | undefined {
    return this.#peerId
  }

  /** What it is doing. */
  get state(): NodeLinkState {
    return this.#state
  }

  /** Runs until {@link close}. Never rejects. */
  async run(): Promise<void> {
    let failures = 0
    while (!this.#closing.signal.aborted) {
      try {
        this.#state = { kind: 'connecting' }
        const { connection, described } = await this.#connect()
        const since = this.#clock.now()
        this.#state = { kind: 'connected', since }
        this.#onConnected(connection, described)
        await this.#untilLost(connection.remotePeer)
        this.#onLost()
        // A node that accepts and drops is no better than one that does not answer.
        const hasHeld = this.#clock.now() - since >= HELD_MS
        failures = hasHeld ? 0 : failures + 1
        if (!hasHeld) await this.#pause(this.#pauseMs(failures), new Error('the node closes the connection'))
      } catch (thrown) {
        failures += 1
        const pauseMs = this.#pauseMs(failures)
        if (!this.#closing.signal.aborted) this.#report(thrown, pauseMs)
        await this.#pause(pauseMs, thrown)
      }
    }
  }

  /**
   * The machine is online again, or the page is shown: ends a pause. A connection
   * may have ended while nobody looked, so it is tried, and given up if it does not
   * answer.
   */
  wake(): void {
    this.#wake()
    const { kind } = this.#state
    const peerId = this.#peerId
    if (kind !== 'connected' || peerId === undefined) return
    this.#probe(peerId)
  }

  close(): void {
    this.#closing.abort(new Error('closed'))
    this.#wake()
  }

  async #connect(): Promise<{ connection: Connection; described: Promise<void> }> {
    const timeout = new AbortController()
    const cancel = this.#clock.after(ATTEMPT_TIMEOUT_MS, () => timeout.abort(new Error('no answer in 10 s')))
    const signal = AbortSignal.any([this.#closing.signal, timeout.signal])
    try {
      const { addresses, described } = await this.#resolve(signal)
      const connection = this.#connectionTo(addresses) ?? (await this.#dial(addresses, described, signal))
      const { remotePeer } = connection
      this.#peerId = remotePeer
      await this.#libp2p.peerStore.merge(
        remotePeer,
        { tags: { 'ghostchat-node': { value: 100 } } },
        { signal },
      )
      return { connection, described }
    } catch (thrown) {
      throw timeout.signal.aborted ? timeout.signal.reason : thrown
    } finally {
      cancel()
    }
  }

  async #dial(addresses: Multiaddr[], described: Promise<void>, signal: AbortSignal): Promise<Connection> {
    try {
      return await this.#libp2p.dial(addresses, { signal })
    } catch (thrown) {
      // A WebSocket does not say why it was not opened; HTTP at the same place does.
      await described
      throw thrown
    }
  }

  /** A connection the libp2p node has already: without a peer id it would dial a second one, and lose both. */
  #connectionTo(addresses: Multiaddr[]): Connection | undefined {
    const hosts = addresses.map(hostPart)
    const isNode = ({ status, remoteAddr }: Connection): boolean =>
      // The address of a direct connection to a member begins with the node over which the two agreed on it.
      status === 'open' &&
      !remoteAddr.toString().includes('/p2p-circuit') &&
      hosts.includes(hostPart(remoteAddr))
    return this.#libp2p.getConnections().find(isNode)
  }

  /** Also ends a connection over which nothing can be gossiped any more: gossipsub can lose its stream while the connection stays up. */
  #untilLost(peerId: PeerId): Promise<void> {
    return new Promise((resolve) => {
      const { checkMs, isPinging } = this.#pace
      const stopChecking = every(this.#clock, checkMs, () => {
        if (!hasStreamTo(this.#pubsub, peerId.toString())) this.#hangUp(peerId)
        else if (isPinging) this.#probe(peerId)
      })
      const done = (): void => {
        stopChecking()
        this.#libp2p.removeEventListener('peer:disconnect', onDisconnect)
        this.#closing.signal.removeEventListener('abort', done)
        resolve()
      }
      const onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
        if (detail.equals(peerId)) done()
      }
      this.#libp2p.addEventListener('peer:disconnect', onDisconnect)
      this.#closing.signal.addEventListener('abort', done)
      if (this.#closing.signal.aborted || this.#libp2p.getConnections(peerId).length === 0) done()
    })
  }

  /** Ends the connection if nobody answers. */
  #probe(peerId: PeerId): void {
    this.#ping(peerId).catch((thrown) => {
      // Another ping is under way, which finds out as much.
      if (thrown?.name !== 'TooManyOutboundProtocolStreamsError') this.#hangUp(peerId)
    })
  }

  #hangUp(peerId: PeerId): void {
    this.#libp2p.hangUp(peerId).catch(() => {})
  }

  #pause(ms: number, reason: unknown): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.resolve()
    this.#state = { kind: 'waiting', nextAttemptAt: this.#clock.now() + ms, reason: describe(reason) }
    return new Promise((resolve) => {
      const cancel = this.#clock.after(ms, resolve)
      this.#wake = () => {
        cancel()
        resolve()
      }
    })
  }

  #pauseMs(failures: number): number {
    const full = Math.min(this.#pace.pauseMaxMs, BACKOFF_FIRST_MS * 2 ** (failures - 1))
    return Math.round(full * (0.75 + this.#random.fraction() / 4))
  }

  #report(thrown: unknown, pauseMs: number): void {
    const seconds = (pauseMs / 1000).toFixed(1)
    const message = `unable to reach the node ${this.#name}; ${describe(thrown)}; next attempt in ${seconds} s`
    const error = new GhostChatError('node-unreachable', message, { cause: thrown })
    this.#onFailure(error, this.#clock.now() + pauseMs)
  }
}
