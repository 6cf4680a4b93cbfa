import type { Clock } from '../clock.ts'
import {
  ASSURED_BEGINNING,
  ASSURED_BURST,
  ASSURED_NEWCOMERS,
  ASSURED_NEWCOMERS_PER_SECOND,
  ASSURED_PER_SECOND,
  CARRIER_BURST,
  CARRIER_NEW_AUTHORS,
  CARRIER_NEW_AUTHORS_PER_SECOND,
  CARRIER_PER_SECOND,
  CLIENT_BURST,
  CLIENT_NEW_AUTHORS,
  CLIENT_NEW_AUTHORS_PER_SECOND,
  CLIENT_PER_SECOND,
  RATES_MAX_KEYS,
  ROOM_POOL_BURST,
  ROOM_POOL_PER_SECOND,
} from '../limits.ts'
import { type Allowance, RateLimit } from './rate-limit.ts'

/** Who brought events: the peer a gossip message came from, or the one at the other end of a stream. */
export interface Source {
  peerId: string
  /** It brings everybody's events, as a node does; else its own and those of a few beside. */
  isCarrier: boolean
}

/** What is brought: how many events, in how many bytes, in one message unless told otherwise. */
export interface Load {
  messages?: number
  events: number
  bytes: number
}

/**
 * Who may bring and who may write how much. It verifies nothing and decides
 * nothing about an event but whether there is a place for it now.
 *
 * Before anything is verified its source pays, for what verifying costs: whoever
 * imitates an author pays for that itself. Only what is verified is charged to an
 * author. Whoever cannot pay is ignored and never rejected: rates differ from
 * peer to peer by what each has seen, and honest neighbours would be blamed.
 *
 * A source that is no carrier has something assured. What it brings beyond that
 * comes out of what its room has for all, so that those who flood a room take it
 * from each other, and not from those who talk.
 *
 * All of it takes a bounded amount of memory: of the keys used longest ago nothing
 * is known any more, and they start anew.
 */
export class Rates {
  readonly #clients: Meter
  readonly #carriers: Meter
  readonly #assured: Meter
  /** By address: those of whom nothing is known yet. */
  readonly #newcomers: RateLimit
  readonly #addressOf: (peerId: string) => string | undefined
  /** By topic. */
  readonly #pools: Meter
  readonly #authors: RateLimit
  readonly #newByClients: RateLimit
  readonly #newByCarriers: RateLimit
  /** The authors somebody has paid for, the one heard of longest ago first. */
  readonly #known = new Set<string>()
  readonly #maxKeys: number

  constructor(options: {
    clock: Clock
    author: Allowance
    /** Where a peer comes from, in a form that is the same for all who share an address; nothing where that says nothing. */
    addressOf?: (peerId: string) => string | undefined
    maxKeys?: number
  }) {
    const { clock, author, addressOf = () => undefined, maxKeys = RATES_MAX_KEYS } = options
    this.#addressOf = addressOf
    const limit = (burst: number, perSecond: number): RateLimit =>
      new RateLimit({ clock, burst, perSecond, maxKeys })
    this.#maxKeys = maxKeys
    const meter = (burst: Required<Load>, perSecond: Required<Load>): Meter =>
      new Meter(UNITS.map((unit) => [unit, limit(burst[unit], perSecond[unit])]))
    this.#clients = meter(CLIENT_BURST, CLIENT_PER_SECOND)
    this.#carriers = meter(CARRIER_BURST, CARRIER_PER_SECOND)
    this.#assured = meter(ASSURED_BURST, ASSURED_PER_SECOND)
    this.#pools = meter(ROOM_POOL_BURST, ROOM_POOL_PER_SECOND)
    this.#newcomers = limit(ASSURED_NEWCOMERS, ASSURED_NEWCOMERS_PER_SECOND)
    this.#authors = limit(author.burst, author.perSecond)
    this.#newByClients = limit(CLIENT_NEW_AUTHORS, CLIENT_NEW_AUTHORS_PER_SECOND)
    this.#newByCarriers = limit(CARRIER_NEW_AUTHORS, CARRIER_NEW_AUTHORS_PER_SECOND)
  }

  /** How many keys it remembers in the fullest of its tables. */
  get size(): number {
    const tables = [this.#clients, this.#carriers, this.#assured, this.#pools, this.#authors, this.#newcomers]
    return Math.max(this.#known.size, ...tables.map(({ size }) => size))
  }

  /** Before anything is looked at: whether a source can pay for looking at what it brought. */
  bring({ peerId, isCarrier }: Source, topic: string, load: Load): boolean {
    if (isCarrier) return this.#carriers.take(peerId, load)
    if (!this.#clients.has(peerId, load)) return false
    this.#welcome(peerId)
    return (
      (this.#assured.take(peerId, load) || this.#pools.take(topic, load)) && this.#clients.take(peerId, load)
    )
  }

  /** Whoever comes from where many come from begins with less. */
  #welcome(peerId: string): void {
    if (this.#assured.knows(peerId)) return
    const address = this.#addressOf(peerId)
    const isOneOfFew = address === undefined || this.#newcomers.take(address) === 0
    this.#assured.begin(peerId, isOneOfFew ? ASSURED_BURST : ASSURED_BEGINNING)
  }

  /**
   * Before an event is verified: whether its author is known, or its source can pay
   * for a new one. The key of a new one has to be checked, and that costs more than a signature.
   */
  introduce({ peerId, isCarrier }: Source, did: string): boolean {
    const isKnown = this.#known.delete(did)
    const limit = isCarrier ? this.#newByCarriers : this.#newByClients
    if (!isKnown && limit.take(peerId) > 0) return false
    this.#known.add(did)
    if (this.#known.size > this.#maxKeys) {
      const [oldest] = this.#known
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    return true
  }

  /** After an event was verified: whether its author may write another one in this room. */
  write(did: string, topic: string): boolean {
    return this.#authors.take(`${did} ${topic}`) === 0
  }
}

const UNITS = ['messages', 'events', 'bytes'] as const

/** Messages, events and bytes of one key, taken together or not at all. */
class Meter {
  readonly #limits: [unit: keyof Load, limit: RateLimit][]

  constructor(limits: [unit: keyof Load, limit: RateLimit][]) {
    this.#limits = limits
  }

  get size(): number {
    return Math.max(...this.#limits.map(([, { size }]) => size))
  }

  knows(key: string): boolean {
    return this.#limits.some(([, limit]) => limit.knows(key))
  }

  begin(key: string, load: Required<Load>): void {
    for (const [unit, limit] of this.#limits) limit.begin(key, load[unit])
  }

  has(key: string, load: Load): boolean {
    const whole = { messages: 1, ...load }
    return this.#limits.every(([unit, limit]) => limit.has(key, whole[unit]))
  }

  take(key: string, load: Load): boolean {
    if (!this.has(key, load)) return false
    const whole = { messages: 1, ...load }
    for (const [unit, limit] of this.#limits) limit.take(key, whole[unit])
    return true
  }
}
