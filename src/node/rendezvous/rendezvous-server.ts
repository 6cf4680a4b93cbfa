import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import type { Clock } from '../../clock.ts'
import { RECORD_MAX_BYTES } from '../../discovery/peer-record.ts'
import { describe } from '../../errors.ts'
import { RateLimit } from '../../gate/rate-limit.ts'
import type { Logger } from '../../logger.ts'
import { decodeLength } from '../../wire/length-prefix.ts'
import {
  decodeRendezvous,
  encodeRendezvous,
  NAMESPACE_MAX_BYTES,
  RENDEZVOUS_PROTOCOL,
  type RendezvousAnswer,
  type RendezvousRequest,
} from '../../wire/rendezvous.ts'
import { rateKeyOf } from '../rate-key.ts'
import type { Asker } from './asker.ts'
import { Departures } from './departures.ts'
import type { Federation } from './federation.ts'
import type { Registry } from './registry.ts'
import { RequestHandler, refusal } from './request-handler.ts'

/** The longest request: a REGISTER with the largest record. */
const REQUEST_MAX_BYTES = RECORD_MAX_BYTES + NAMESPACE_MAX_BYTES + 64
/** What of a stream's requests may lie here before they are read: the first window of a yamux stream. */
const BUFFER_MAX_BYTES = 256 * 1024
/** How long the next request of a stream may take to come, and its answer to be taken. */
export const STREAM_IDLE_MS = 30_000
/** Streams of one peer at a time, over all its connections. */
export const STREAMS_PER_PEER = 16
/** Requests of one connection: a client comes back to 200 rooms, twice … */
export const CONNECTION_RATE = { burst: 400, perSecond: 20 }
/** … and of one IP address, an office or an unconfigured proxy: 100 such clients. */
export const ADDRESS_RATE = { burst: 10_000, perSecond: 500 }
/** So many connections' rates are remembered: as many as a node has by default. */
const RATE_MAX_KEYS = 10_000
/** A request counts as one more for so many registrations that had to be looked at. */
const LOOKED_PER_REQUEST = 250

/** Serves `/rendezvous/1.0.0` on a libp2p node, from a registry. */
export class RendezvousServer {
  readonly #libp2p: Libp2p
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #remoteIpOf: (connection: Connection) => string | undefined
  readonly #isNamed: (peerId: PeerId) => boolean
  readonly #handler: RequestHandler
  readonly #departures: Departures
  readonly #byConnection: RateLimit
  readonly #byAddress: RateLimit
  /** The open streams, by peer id, each with what ends when it does. */
  readonly #streams = new Map<string, Map<Stream, Promise<void>>>()

  constructor(options: {
    libp2p: Libp2p
    registry: Registry
    clock: Clock
    logger: Logger
    /** The IP address of whoever is at the other end; those without one count as one. */
    remoteIpOf: (connection: Connection) => string | undefined
    /** Whether a peer is a node this one was told of: it asks for all its clients, as often as it likes. Default: none is. */
    isNamed?: (peerId: PeerId) => boolean
    /** What other nodes know. Default: there are none. */
    federation?: Pick<Federation, 'isNode' | 'refresh'>
  }) {
    const { clock } = options
    this.#libp2p = options.libp2p
    this.#clock = clock
    this.#logger = options.logger
    this.#remoteIpOf = options.remoteIpOf
    this.#isNamed = options.isNamed ?? (() => false)
    this.#handler = new RequestHandler(options)
    this.#departures = new Departures(options)
    this.#byConnection = new RateLimit({ clock, ...CONNECTION_RATE, maxKeys: RATE_MAX_KEYS })
    this.#byAddress = new RateLimit({ clock, ...ADDRESS_RATE, maxKeys: RATE_MAX_KEYS })
  }

  async start(): Promise<void> {
    this.#departures.start()
    await this.#libp2p.handle(
      RENDEZVOUS_PROTOCOL,
      (stream, connection) => this.#onStream(stream, connection),
      {
        maxInboundStreams: STREAMS_PER_PEER,
      },
    )
  }

  async stop(): Promise<void> {
    this.#departures.stop()
    await this.#libp2p.unhandle(RENDEZVOUS_PROTOCOL)
    const open = [...this.#streams.values()].flatMap((streams) => [...streams])
    for (const [stream] of open) stream.abort(new Error('the rendezvous point stops'))
    await Promise.all(open.map(([, served]) => served))
  }

  /** Never rejects. */
  #onStream(stream: Stream, connection: Connection): Promise<void> | undefined {
    const peerId = connection.remotePeer.toString()
    const streams = this.#streams.get(peerId) ?? new Map<Stream, Promise<void>>()
    if (streams.size >= STREAMS_PER_PEER) {
      stream.abort(new Error('too many streams'))
      return undefined
    }
    const served = this.#toTheEnd(stream, connection).finally(() => {
      streams.delete(stream)
      if (streams.size === 0) this.#streams.delete(peerId)
    })
    this.#streams.set(peerId, streams.set(stream, served))
    return served
  }

  /** Never rejects. */
  async #toTheEnd(stream: Stream, connection: Connection): Promise<void> {
    try {
      await this.#serve(stream, connection)
      await this.#inTime((signal) => stream.close({ signal }))
    } catch (thrown) {
      this.#logger.debug('a rendezvous stream was broken off', describe(thrown))
      stream.abort(thrown instanceof Error ? thrown : new Error(describe(thrown)))
    }
  }

  /** Answers the requests of a stream one after the other, to its end. Rejects where the client breaks the rules. */
  async #serve(stream: Stream, connection: Connection): Promise<void> {
    const prefixed = lpStream(stream, {
      maxDataLength: REQUEST_MAX_BYTES,
      maxBufferSize: BUFFER_MAX_BYTES,
      lengthDecoder: decodeLength,
    })
    const ip = this.#remoteIpOf(connection) ?? 'unknown'
    const asker: Asker = { peerId: connection.remotePeer.toString(), ip }
    for (;;) {
      const bytes = await this.#inTime((signal) => prefixed.read({ signal })).catch(undefinedAtEnd)
      if (bytes === undefined) return
      const request = decodeRendezvous(bytes.subarray())
      if (request === undefined || !isRequest(request)) throw new Error('not a request of the protocol')
      const isTooMany = !this.#mayAsk(connection, ip)
      const answer = isTooMany
        ? refusal(request, 'E_UNAVAILABLE', 'too many requests; ask again later')
        : await this.#answer(request, asker, connection)
      if (request.type === 'register') this.#departures.registered(connection.remotePeer)
      if (answer !== undefined) {
        const message = encodeRendezvous(answer)
        await this.#inTime((signal) => prefixed.write(message, { signal }))
      }
      // Whoever goes on regardless has to open another stream first.
      if (isTooMany) return
    }
  }

  async #answer(
    request: RendezvousRequest,
    asker: Asker,
    connection: Connection,
  ): Promise<RendezvousAnswer | undefined> {
    try {
      const { answer, looked } = await this.#handler.handle(request, asker)
      for (let extra = LOOKED_PER_REQUEST; extra <= looked; extra += LOOKED_PER_REQUEST) {
        this.#mayAsk(connection, asker.ip)
      }
      return answer
    } catch (thrown) {
      this.#logger.warn('a rendezvous request failed', thrown)
      return refusal(request, 'E_INTERNAL_ERROR', 'the request failed')
    }
  }

  #mayAsk({ id, remotePeer }: Connection, ip: string): boolean {
    if (this.#isNamed(remotePeer)) return true
    return this.#byConnection.take(id) === 0 && this.#byAddress.take(rateKeyOf(ip)) === 0
  }

  /** Rejects when a client takes too long over its part. */
  async #inTime<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    const cancel = this.#clock.after(STREAM_IDLE_MS, () => controller.abort(new Error('the client is idle')))
    try {
      return await task(controller.signal)
    } finally {
      cancel()
    }
  }
}

/** Between two requests, the end of a stream is the right one. */
function undefinedAtEnd(thrown: unknown): undefined {
  if (thrown instanceof Error && thrown.name === 'UnexpectedEOFError') return undefined
  throw thrown
}

function isRequest(message: { type: string }): message is RendezvousRequest {
  return message.type === 'register' || message.type === 'unregister' || message.type === 'discover'
}
