import type { CID } from 'multiformats/cid'
import { type Clock, steady } from '../../clock.ts'
import { type Random, sample } from '../../random.ts'
import {
  DEFAULT_TTL_SECONDS,
  MAX_TTL_SECONDS,
  NAMESPACE_MAX_BYTES,
  REGISTRATIONS_MAX,
  type RecordForm,
  type RendezvousFault,
  registrationBytes,
} from '../../wire/rendezvous.ts'
import { topicDigest } from '../../wire/topic-cid.ts'
import { rateKeyOf } from '../rate-key.ts'
import { Cookies } from './cookies.ts'
import { Crowd } from './crowd.ts'
import { Dice } from './dice.ts'
import { Expiry } from './expiry.ts'
import { REGISTRY_LIMITS, type RegistryLimits } from './limits.ts'
import { CrowdReader } from './reading.ts'
import type { Registration, SignedRecord } from './registration.ts'
import { type Entry, Shelf, toRegistration } from './shelf.ts'

/** Why something was refused: a status of the spec, and a text for people. */
interface Refusal {
  status: RendezvousFault
  text: string
}

/** Somebody who wants to be found. The record was verified to be the peer's own. */
export type NewRegistration = SignedRecord & {
  namespace: string
  peerId: string
  /** Default 2 h, which is also the least that is granted here; 72 h at the most. 0 counts as none. */
  ttlSeconds?: number | undefined
} & (
    | { origin?: 'local'; ip: string }
    /**
     * Learnt from the node with this peer id. It counts under that where the node was named to this one, else under the
     * address the node is at: many at one address weigh no more than one.
     */
    | { origin: string; ip?: string | undefined }
  )

/** What somebody looks for. */
export interface Lookup {
  /** Default, and empty: everybody. */
  namespace?: string | undefined
  /** Default, and 0: 1,000, which is also the most. */
  limit?: number | undefined
  /** Of an earlier answer; empty counts as none. */
  cookie?: Uint8Array | undefined
  /** Which form of records the asker can read. Default `multicodec`. */
  form?: RecordForm
  /** Without what was learnt from other nodes. Default false. */
  localOnly?: boolean
}

export type RegisterResult = { status: 'OK'; ttlSeconds: number } | Refusal

/** `looked`: how many registrations were looked at, which is what the answer cost. */
export type DiscoverResult =
  | { status: 'OK'; registrations: Registration[]; cookie: Uint8Array<ArrayBuffer>; looked: number }
  | Refusal

/** Before the node under which a registration counts, its peer id or its address; no IP address begins so. */
const FOREIGN = 'node '

const utf8 = new TextEncoder()

/**
 * Who is registered where. What it keeps is bounded by {@link RegistryLimits};
 * when it is full, whoever comes from a quiet address takes a place of the most
 * crowded one. No operation takes longer because there are more registrations,
 * except that for a client that reads on in a large namespace, what it has not
 * read yet is looked through.
 */
export class Registry {
  readonly #clock: Clock
  readonly #random: Random
  readonly #dice: Dice
  readonly #limits: RegistryLimits
  readonly #cookies: Cookies
  readonly #reader: CrowdReader<Entry>
  readonly #expiry = new Expiry<Entry>()
  readonly #shelves: readonly Shelf[]
  /** Namespaces by the digest of the topic of that name. */
  readonly #byDigest = new Map<string, string>()
  #sequence = 0

  constructor(options: { clock: Clock; random: Random; limits?: Partial<RegistryLimits> }) {
    const { clock, random } = options
    this.#clock = steady(clock)
    this.#random = random
    this.#limits = { ...REGISTRY_LIMITS, ...options.limits }
    this.#cookies = new Cookies(random)
    this.#dice = new Dice(random)
    this.#reader = new CrowdReader(this.#dice)
    this.#shelves = (['multicodec', 'rfc0003'] as const).map(
      (form) => new Shelf({ form, dice: this.#dice, limits: this.#limits }),
    )
  }

  /** How many registrations there are. */
  get size(): number {
    this.#sweep()
    return this.#shelves.reduce((sum, { all }) => sum + all.size, 0)
  }

  /** Registers a peer, or renews what it registered: the new one counts. */
  register(request: NewRegistration): RegisterResult {
    this.#sweep()
    const { namespace, peerId, origin = 'local' } = request
    const fault = namespaceFault(namespace) ?? ttlFault(request.ttlSeconds)
    if (fault !== undefined) return fault
    // What was learnt from another node is asked for again when it is needed: its time is not raised.
    const least = origin === 'local' ? DEFAULT_TTL_SECONDS : 1
    const ttlSeconds = Math.max(least, request.ttlSeconds || DEFAULT_TTL_SECONDS)
    const shelf = this.#shelf(request.form)
    const former = shelf.peer(peerId)?.entries.get(namespace)
    // A peer that registered here itself knows better than whoever heard of it.
    if (former?.origin === 'local' && origin !== 'local') {
      shelf.know(peerId, recordOf(request))
      return { status: 'OK', ttlSeconds }
    }
    const address = request.ip === undefined ? origin : rateKeyOf(request.ip)
    const owner = origin === 'local' ? address : FOREIGN + address
    const room = shelf.roomFor(peerId, namespace, owner, origin)
    if (typeof room === 'string') return { status: 'E_UNAVAILABLE', text: room }
    const peer = shelf.know(peerId, recordOf(request))
    if (room !== undefined) this.#remove(room)
    if (former !== undefined) this.#remove(former)
    const expiresAtMs = this.#clock.now() + ttlSeconds * 1_000
    this.#sequence += 1
    this.#add({ peer, namespace, owner, origin, expiresAtMs, shelf, sequence: this.#sequence })
    return { status: 'OK', ttlSeconds }
  }

  /** For how many seconds a registration holds yet. */
  secondsLeft({ expiresAtMs }: Registration): number {
    return Math.max(1, Math.ceil((expiresAtMs - this.#clock.now()) / 1_000))
  }

  /** Takes back what a peer registered here. Without effect when there is nothing. */
  unregister(namespace: string, peerId: string): void {
    this.#sweep()
    for (const shelf of this.#shelves) {
      const entry = shelf.peer(peerId)?.entries.get(namespace)
      if (entry?.origin === 'local') this.#remove(entry)
    }
  }

  /** Takes back everything that a peer registered here. */
  drop(peerId: string): void {
    for (const namespace of this.namespacesOf(peerId)) this.unregister(namespace, peerId)
  }

  /** Looks up who is registered. What is answered where that does not fit: see {@link CrowdReader}. */
  discover(lookup: Lookup): DiscoverResult {
    this.#sweep()
    const { namespace = '', cookie, form = 'multicodec', localOnly = false } = lookup
    const fault = namespace === '' ? undefined : namespaceFault(namespace)
    if (fault !== undefined) return fault
    const scope = `${form} ${namespace}`
    const hasCookie = cookie !== undefined && cookie.length > 0
    const progress = hasCookie ? this.#cookies.read(scope, cookie) : undefined
    if (hasCookie && progress === undefined) {
      return { status: 'E_INVALID_COOKIE', text: 'the cookie is not of this namespace and of this run' }
    }
    const shelf = this.#shelf(form)
    const crowd = namespace === '' ? shelf.all : shelf.crowd(namespace)
    const reading = this.#reader.read(crowd ?? new Crowd(), this.#sequence, {
      limit: Math.min(lookup.limit || REGISTRATIONS_MAX, REGISTRATIONS_MAX),
      maxBytes: this.#limits.maxAnswerBytes,
      bytesOf: (entry) =>
        registrationBytes(utf8.encode(entry.namespace).length, entry.peer.record.signedPeerRecord.length),
      isWanted: (owner) => !localOnly || !owner.startsWith(FOREIGN),
      progress,
    })
    return {
      status: 'OK',
      registrations: reading.items.map(toRegistration),
      cookie: this.#cookies.write(scope, reading.progress),
      looked: reading.looked,
    }
  }

  /** Whether there is anything under a namespace, or at all, in records of one form. */
  has(namespace: string, form: RecordForm): boolean {
    this.#sweep()
    const shelf = this.#shelf(form)
    return ((namespace === '' ? shelf.all : shelf.crowd(namespace))?.size ?? 0) > 0
  }

  /** The namespaces a peer is registered in. */
  namespacesOf(peerId: string): string[] {
    return [...new Set(this.#entriesOf(peerId).map(({ namespace }) => namespace))]
  }

  /** What a peer registered last. */
  peer(peerId: string): Registration | undefined {
    const [first, ...others] = this.#entriesOf(peerId)
    return first && toRegistration(others.reduce((a, b) => (a.sequence > b.sequence ? a : b), first))
  }

  /** The record a peer is known by, in each form in which it signed one. */
  recordsOf(peerId: string): SignedRecord[] {
    this.#sweep()
    return this.#shelves.flatMap((shelf) => shelf.peer(peerId)?.record ?? [])
  }

  /**
   * Who is registered under the topic with this CID (`wire/topic-cid.ts`; its
   * digest is what counts): up to `limit`, a sample over addresses.
   */
  providers(cid: CID, limit: number): Registration[] {
    this.#sweep()
    const namespace = this.#byDigest.get(hex(cid.multihash.digest))
    if (namespace === undefined) return []
    const places = this.#shelves.flatMap((shelf) => shelf.crowd(namespace)?.sample(this.#dice, limit) ?? [])
    return sample(this.#random, places, limit).map(({ item }) => toRegistration(item))
  }

  #entriesOf(peerId: string): Entry[] {
    this.#sweep()
    return this.#shelves.flatMap((shelf) => [...(shelf.peer(peerId)?.entries.values() ?? [])])
  }

  #shelf(form: RecordForm): Shelf {
    const shelf = this.#shelves.find((shelf) => shelf.form === form)
    if (shelf === undefined) throw new RangeError(`no such form of record: ${form}`)
    return shelf
  }

  #add(entry: Entry): void {
    const { shelf, namespace, expiresAtMs } = entry
    if (shelf.crowd(namespace) === undefined) this.#byDigest.set(hex(topicDigest(namespace)), namespace)
    shelf.add(entry)
    this.#expiry.add(entry, expiresAtMs)
  }

  #remove(entry: Entry): void {
    const { shelf, namespace, expiresAtMs } = entry
    shelf.remove(entry)
    this.#expiry.delete(entry, expiresAtMs)
    if (this.#shelves.every((shelf) => shelf.crowd(namespace) === undefined)) {
      this.#byDigest.delete(hex(topicDigest(namespace)))
    }
  }

  #sweep(): void {
    for (const entry of this.#expiry.takeEnded(this.#clock.now())) this.#remove(entry)
  }
}

function namespaceFault(namespace: string): Refusal | undefined {
  const status = 'E_INVALID_NAMESPACE'
  if (namespace === '') return { status, text: 'a namespace is needed' }
  // Nothing has more characters than bytes: what is much too long is not encoded first.
  const isLong = namespace.length > NAMESPACE_MAX_BYTES || utf8.encode(namespace).length > NAMESPACE_MAX_BYTES
  return isLong ? { status, text: `a namespace is ${NAMESPACE_MAX_BYTES} bytes at the most` } : undefined
}

function ttlFault(ttlSeconds = 0): Refusal | undefined {
  if (ttlSeconds <= MAX_TTL_SECONDS) return undefined
  return { status: 'E_INVALID_TTL', text: `the time to live is ${MAX_TTL_SECONDS} s at the most` }
}

function recordOf({ addresses, signedPeerRecord, sequence, form }: SignedRecord): SignedRecord {
  return { addresses, signedPeerRecord, sequence, form }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
