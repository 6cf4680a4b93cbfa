import type { Connection } from '@libp2p/interface'
import { type Clock, steady } from '../clock.ts'
import type { Random } from '../random.ts'
import type { FoundPeer } from './found-peer.ts'

/** The requests of the rendezvous protocol. */
export interface RendezvousRequests {
  /** Answers for how many seconds the registration holds. */
  register(connection: Connection, options: { namespace: string; signal: AbortSignal }): Promise<number>
  unregister(connection: Connection, options: { namespace: string; signal: AbortSignal }): Promise<void>
  discover(
    connection: Connection,
    options: { namespace: string; limit: number; signal: AbortSignal },
  ): Promise<{ peers: readonly FoundPeer[] }>
}

/** How many members of a room are asked for: a random handful of them is connected to, and each record costs a verification. */
const DISCOVER_LIMIT = 12
/** How many where it is a particular member that is looked for. */
const LOOK_UP_LIMIT = 64
/** How often a room may be looked up again. */
const SEEK_PAUSE_MS = 20_000
/** How long after registering to look once more. */
const SECOND_LOOK_MS = 1_000
/** How long a node may take to answer. */
const REQUEST_TIMEOUT_MS = 10_000
/** The pause after a failure, doubled by each further one. */
const RETRY_FIRST_MS = 5_000
const RETRY_MAX_MS = 5 * 60_000
/** Addresses come one after the other, as relays answer: they are registered together. */
const GATHER_MS = 100

interface Topic {
  /** When to register again. */
  registerAt: number
  /** When others may be looked for again; `undefined` while nobody wants to. */
  seekAt: number | undefined
  /** Whether it was registered over this connection before. */
  isRegistered: boolean
  /** How often in a row the node did not do what it was asked for. */
  failures: number
}

/**
 * Meets the other members of rooms at one node: registers there under each topic,
 * looks up who else is, and keeps the registration fresh for as long as the
 * connection lasts.
 */
export class MeetingPoint {
  readonly #requests: RendezvousRequests
  readonly #clock: Clock
  readonly #random: Random
  readonly #hasAddresses: () => boolean
  readonly #onFound: (topic: string, peers: readonly FoundPeer[]) => void
  readonly #onFailure: (thrown: unknown) => void
  readonly #topics = new Map<string, Topic>()
  #connection: Connection | undefined
  #ending = new AbortController()
  #cancel: (() => void) | undefined
  #running: Promise<void> | undefined
  #leaving: Promise<void> = Promise.resolve()

  constructor(options: {
    requests: RendezvousRequests
    clock: Clock
    random: Random
    /** Whether this device can be reached somewhere: without, there is nothing to register. */
    hasAddresses: () => boolean
    onFound: (topic: string, peers: readonly FoundPeer[]) => void
    onFailure: (thrown: unknown) => void
  }) {
    this.#requests = options.requests
    this.#clock = steady(options.clock)
    this.#random = options.random
    this.#hasAddresses = options.hasAddresses
    this.#onFound = options.onFound
    this.#onFailure = options.onFailure
  }

  /** The node was reached: everything is registered anew. */
  connected(connection: Connection): void {
    this.disconnected()
    this.#ending = new AbortController()
    this.#connection = connection
    for (const topic of this.#topics.values()) Object.assign(topic, fresh(this.#clock.now()))
    this.#schedule()
  }

  disconnected(): void {
    this.#ending.abort(new Error('the connection to the node ended'))
    this.#cancel?.()
    this.#cancel = undefined
    this.#connection = undefined
  }

  /** A room was entered. */
  enter(topic: string): void {
    if (this.#topics.has(topic)) return
    this.#topics.set(topic, fresh(this.#clock.now()))
    this.#schedule()
  }

  /** A room was left: takes the registration back. */
  leave(topic: string): void {
    const connection = this.#connection
    if (!this.#topics.delete(topic) || connection === undefined) return
    this.#unregister(connection, topic)
  }

  /** Looks for others again, not too soon after the last time. */
  seek(topic: string): void {
    const known = this.#topics.get(topic)
    if (known === undefined || known.seekAt !== undefined) return
    known.seekAt = this.#clock.now() + SEEK_PAUSE_MS
    this.#schedule()
  }

  /** Looks now. Resolves when what was found has been told, or the node does not answer. Never rejects. */
  async lookUp(topic: string): Promise<void> {
    const connection = this.#connection
    if (connection === undefined || !this.#topics.has(topic)) return
    await this.#discover(connection, topic, LOOK_UP_LIMIT).catch(this.#onFailure)
  }

  /** This device can be reached elsewhere now: registers again. */
  addressesChanged(): void {
    for (const topic of this.#topics.values()) topic.registerAt = this.#clock.now() + GATHER_MS
    this.#schedule()
  }

  /** Does what is due, room by room. Never rejects. */
  async #tend(): Promise<void> {
    const connection = this.#connection
    for (const [namespace, topic] of [...this.#topics]) {
      if (connection === undefined || connection !== this.#connection) return
      try {
        await this.#tendTopic(connection, namespace, topic)
        topic.failures = 0
      } catch (thrown) {
        // Over the next connection everything is asked anew.
        if (connection !== this.#connection) return
        this.#onFailure(thrown)
        topic.failures += 1
        const pauseMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** (topic.failures - 1))
        const retryAt = this.#clock.now() + pauseMs
        topic.registerAt =
          topic.registerAt === Number.POSITIVE_INFINITY ? retryAt : Math.max(topic.registerAt, retryAt)
        if (topic.seekAt !== undefined) topic.seekAt = Math.max(topic.seekAt, retryAt)
      }
    }
  }

  async #tendTopic(connection: Connection, namespace: string, topic: Topic): Promise<void> {
    if (topic.seekAt !== undefined && topic.seekAt <= this.#clock.now()) {
      await this.#discover(connection, namespace, DISCOVER_LIMIT)
      if (connection !== this.#connection) return
      topic.seekAt = undefined
    }
    if (topic.registerAt > this.#clock.now() || !this.#hasAddresses()) return
    topic.registerAt = Number.POSITIVE_INFINITY
    const ttlSeconds = await this.#requests.register(connection, { namespace, signal: this.#signal() })
    if (connection !== this.#connection) return
    if (!this.#topics.has(namespace)) this.#unregister(connection, namespace)
    // Halfway, and not all clients of a node that restarted at once.
    const renewAt = this.#clock.now() + ttlSeconds * 1000 * (0.4 + this.#random.fraction() / 5)
    topic.registerAt = Math.min(topic.registerAt, renewAt)
    if (topic.isRegistered) return
    // Of those who come at the same moment, each finds those who registered before it, and this once the others.
    topic.isRegistered = true
    const lookAt = this.#clock.now() + SECOND_LOOK_MS * (0.5 + this.#random.fraction())
    topic.seekAt = Math.min(topic.seekAt ?? lookAt, lookAt)
  }

  async #discover(connection: Connection, namespace: string, limit: number): Promise<void> {
    const options = { namespace, limit, signal: this.#signal() }
    const { peers } = await this.#requests.discover(connection, options)
    if (this.#topics.has(namespace)) this.#onFound(namespace, peers)
  }

  /** Waits for what is next. Who cannot be reached yet waits for {@link addressesChanged}. */
  #schedule(): void {
    if (this.#connection === undefined || this.#running !== undefined) return
    this.#cancel?.()
    this.#cancel = undefined
    const due = [...this.#topics.values()].flatMap(({ registerAt, seekAt }) => [
      ...(this.#hasAddresses() ? [registerAt] : []),
      ...(seekAt === undefined ? [] : [seekAt]),
    ])
    const next = Math.min(...due)
    if (!Number.isFinite(next)) return
    this.#cancel = this.#clock.after(Math.max(0, next - this.#clock.now()), () => {
      this.#cancel = undefined
      this.#running = this.#tend().finally(() => {
        this.#running = undefined
        this.#schedule()
      })
    })
  }

  /** One after the other: a node takes 16 streams of a peer, and hangs up on whoever opens very many at once. */
  #unregister(connection: Connection, namespace: string): void {
    this.#leaving = this.#leaving
      .then(() => {
        // Not what was entered again meanwhile. A dapp's own connection stays when nobody chats over it any more.
        const isOver = connection !== this.#connection && connection.status !== 'open'
        if (isOver || this.#topics.has(namespace)) return undefined
        return this.#requests.unregister(connection, {
          namespace,
          signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
        })
      })
      .catch(this.#onFailure)
  }

  /** Resolves when all registrations have been taken back that were to be. Never rejects. */
  left(): Promise<void> {
    return this.#leaving
  }

  #signal(): AbortSignal {
    return AbortSignal.any([this.#ending.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)])
  }
}

function fresh(now: number): Topic {
  return { registerAt: now, seekAt: now, isRegistered: false, failures: 0 }
}
