import type { Connection, Libp2p, PeerId, PrivateKey, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { type Clock, systemClock } from '../clock.ts'
import { describe, GhostChatError } from '../errors.ts'
import { decodeLength } from '../wire/length-prefix.ts'
import {
  DEFAULT_TTL_SECONDS,
  decodeRendezvous,
  encodeRendezvous,
  MAX_TTL_SECONDS,
  REGISTRATIONS_MAX,
  RENDEZVOUS_PROTOCOL,
  type RecordForm,
  type RendezvousAnswer,
  type RendezvousRequest,
  type RendezvousStatus,
} from '../wire/rendezvous.ts'
import type { FoundPeer } from './found-peer.ts'
import { OwnRecord } from './own-record.ts'
import { openPeerRecord, type VerifiedRecord } from './peer-record.ts'

/** The longest answer that is read: 1,000 records of the largest kind. go-libp2p has the same limit. */
const ANSWER_MAX_BYTES = 4 * 1024 * 1024
/** How long a request may take where the caller's signal does not end it sooner. */
const REQUEST_TIMEOUT_MS = 15_000
/** A registration that is said to hold for less is renewed as if it held so long. */
const LEAST_TTL_SECONDS = 60
/** The longest status text that goes into an error's message. */
const STATUS_TEXT_MAX = 200

/** A rendezvous point refused, or gave no right answer. */
export class RendezvousError extends GhostChatError {
  /** What it answered; `undefined` where it gave no right answer. */
  readonly status: RendezvousStatus | undefined

  constructor(message: string, options: { status?: RendezvousStatus; cause?: unknown } = {}) {
    super('node-unreachable', message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'RendezvousError'
    this.status = options.status
  }
}

/** Somebody who is registered: the peer itself signed these addresses, each of which ends with its id. */
export interface DiscoveredPeer extends FoundPeer {
  /** How much longer the registration holds. */
  ttlSeconds: number
  /** The envelope the addresses came in, and what else it says. */
  record: Omit<VerifiedRecord, 'peerId' | 'addresses'> & { signedPeerRecord: Uint8Array }
}

/** A rendezvous point: a connection to it, or its peer id. */
export type RendezvousPoint = Connection | PeerId

/**
 * Speaks `/rendezvous/1.0.0` to any rendezvous point. One request a stream, as
 * every implementation understands it. A caller with many namespaces asks one
 * after the other: a point may reset the 17th stream of one peer.
 */
export class RendezvousClient {
  readonly #libp2p: Libp2p
  readonly #clock: Clock
  readonly #own: OwnRecord
  /** Points that did not take the usual form of record, and took the other. */
  readonly #forms = new Map<string, RecordForm>()

  /**
   * @param options.privateKey that of the libp2p node; default the one it has among its components
   * @param options.clock default the machine's
   */
  constructor(options: { libp2p: Libp2p; privateKey?: PrivateKey; clock?: Clock }) {
    const { libp2p, privateKey, clock = systemClock } = options
    this.#libp2p = libp2p
    this.#clock = clock
    this.#own = new OwnRecord({ libp2p, privateKey, clock })
  }

  /**
   * Registers this device with the addresses it has now, and renews that. Answers
   * for how many seconds it holds.
   *
   * @param options.ttlSeconds default the point's own, 2 h by the spec
   * @throws {@link RendezvousError}, `invalid-option` (the libp2p node gives no access to its key), the signal's reason
   */
  async register(
    point: RendezvousPoint,
    options: { namespace: string; ttlSeconds?: number; signal?: AbortSignal },
  ): Promise<number> {
    const peerId = peerIdOf(point).toString()
    const form = this.#forms.get(peerId) ?? 'multicodec'
    try {
      return await this.#register(point, form, options)
    } catch (thrown) {
      if (form === 'rfc0003' || !isAboutRecord(thrown)) throw thrown
      // rust-libp2p reads only the form of RFC 0003, and resets the stream for any other.
      const ttlSeconds = await this.#register(point, 'rfc0003', options).catch(() => {
        throw thrown
      })
      this.#forms.set(peerId, 'rfc0003')
      return ttlSeconds
    }
  }

  /** Takes a registration back. There is no answer: resolves when it was sent. @throws {@link RendezvousError} */
  async unregister(
    point: RendezvousPoint,
    options: { namespace: string; signal?: AbortSignal },
  ): Promise<void> {
    const { namespace, signal } = options
    await this.#exchange(point, { type: 'unregister', namespace }, undefined, signal)
  }

  /**
   * Who is registered. Whatever is not signed by its peer is left out, this
   * device too. With the cookie of an earlier answer: only who was not in it. A
   * status of `E_INVALID_COOKIE` means to ask again without.
   *
   * @param options.namespace default everybody
   * @param options.limit default 1,000, which is also the most
   * @throws {@link RendezvousError}, the signal's reason
   */
  async discover(
    point: RendezvousPoint,
    options: { namespace?: string; limit?: number; cookie?: Uint8Array; signal?: AbortSignal },
  ): Promise<{ peers: DiscoveredPeer[]; cookie: Uint8Array | undefined }> {
    const { signal, ...question } = options
    const request = { type: 'discover', ...question } as const
    const answer = assertOk(await this.#exchange(point, request, 'discover-response', signal))
    const limit = Math.min(options.limit ?? REGISTRATIONS_MAX, REGISTRATIONS_MAX)
    const peers = new Map<string, DiscoveredPeer>()
    for (const registration of answer.registrations.slice(0, limit)) {
      signal?.throwIfAborted()
      if (options.namespace !== undefined && registration.namespace !== options.namespace) continue
      const signedPeerRecord = registration.signedPeerRecord ?? new Uint8Array()
      const record = await openPeerRecord(signedPeerRecord)
      if (record === undefined || record.peerId === this.#libp2p.peerId.toString()) continue
      const addresses = record.addresses.map((address) => addressedTo(address, record.peerId))
      const ttlSeconds = Math.min(registration.ttlSeconds ?? 0, MAX_TTL_SECONDS)
      const { peerId, sequence, form, isPlain } = record
      const sealed = { sequence, form, isPlain, signedPeerRecord: signedPeerRecord.slice() }
      peers.set(peerId, { peerId, addresses, ttlSeconds, record: sealed })
    }
    return { peers: [...peers.values()], cookie: answer.cookie?.slice() }
  }

  async #register(
    point: RendezvousPoint,
    form: RecordForm,
    options: { namespace: string; ttlSeconds?: number; signal?: AbortSignal },
  ): Promise<number> {
    const { signal, ...body } = options
    const signedPeerRecord = await this.#own.seal(form)
    const request = { type: 'register', ...body, signedPeerRecord } as const
    const answer = assertOk(await this.#exchange(point, request, 'register-response', signal))
    // A point that does not say grants what was asked for, or the spec's default.
    const ttlSeconds = answer.ttlSeconds || options.ttlSeconds || DEFAULT_TTL_SECONDS
    // Nobody is made to come back all the time, or never.
    return Math.min(MAX_TTL_SECONDS, Math.max(LEAST_TTL_SECONDS, ttlSeconds))
  }

  /** Sends a request, and reads the answer of the type that is named, if any. */
  async #exchange<T extends RendezvousAnswer['type']>(
    point: RendezvousPoint,
    request: RendezvousRequest,
    answerType: T | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Extract<RendezvousAnswer, { type: T }> | undefined> {
    const ending = new AbortController()
    const cancelEnd = this.#clock.after(REQUEST_TIMEOUT_MS, () => ending.abort(new Error('it took too long')))
    const either = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal])
    let stream: Stream | undefined
    const abort = (reason: unknown): void =>
      stream?.abort(reason instanceof Error ? reason : new Error(describe(reason)))
    try {
      stream = await this.#open(point, either)
      // Also when all went well: a point may never close its end.
      ending.signal.addEventListener('abort', () => abort(ending.signal.reason))
      stream.addEventListener('close', cancelEnd)
      const prefixed = lpStream(stream, {
        maxDataLength: ANSWER_MAX_BYTES,
        maxBufferSize: 2 * ANSWER_MAX_BYTES,
        lengthDecoder: decodeLength,
      })
      await prefixed.write(encodeRendezvous(request), { signal: either })
      const bytes = answerType && (await prefixed.read({ signal: either })).subarray()
      const answer = bytes && decodeRendezvous(bytes)
      if (answer?.type !== answerType) throw new RendezvousError('the rendezvous point gave no right answer')
      await stream.close({ signal: either })
      return answer as Extract<RendezvousAnswer, { type: T }> | undefined
    } catch (cause) {
      cancelEnd()
      abort(cause)
      signal?.throwIfAborted()
      if (cause instanceof GhostChatError) throw cause
      throw new RendezvousError(`the rendezvous point did not answer; ${describe(cause)}`, { cause })
    }
  }

  #open(point: RendezvousPoint, signal: AbortSignal): Promise<Stream> {
    return 'newStream' in point
      ? point.newStream(RENDEZVOUS_PROTOCOL, { signal })
      : this.#libp2p.dialProtocol(point, RENDEZVOUS_PROTOCOL, { signal })
  }
}

function peerIdOf(point: RendezvousPoint): PeerId {
  return 'newStream' in point ? point.remotePeer : point
}

/** Whether a point may have failed over the form of a record: it said so, or broke off where its answer should be. */
function isAboutRecord(thrown: unknown): boolean {
  if (!(thrown instanceof RendezvousError)) return false
  if (thrown.status !== undefined) return thrown.status === 'E_INVALID_SIGNED_PEER_RECORD'
  const { cause } = thrown
  return cause instanceof Error && ['StreamResetError', 'UnexpectedEOFError'].includes(cause.name)
}

function assertOk<T extends RendezvousAnswer>(answer: T | undefined): T {
  if (answer?.status === 'OK') return answer
  const { status = 'E_INTERNAL_ERROR', statusText = '' } = answer ?? {}
  const text = statusText.slice(0, STATUS_TEXT_MAX)
  throw new RendezvousError(`the rendezvous point answered ${status}${text && `; ${text}`}`, { status })
}

function addressedTo(address: Multiaddr, peerId: string): Multiaddr {
  const last = address.getComponents().at(-1)
  return last?.name === 'p2p' && last.value === peerId
    ? address
    : address.encapsulate(multiaddr(`/p2p/${peerId}`))
}
