import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Clock } from '../clock.ts'
import { describe } from '../errors.ts'
import { GRACE_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { frameStream } from '../network/frame-stream.ts'
import type { SignedEvent } from '../wire/event.ts'
import { parseJwt } from '../wire/jwt.ts'
import { WILL_PROTOCOL } from '../wire/will.ts'

/** How many rooms one client may leave a will for. */
const WILLS_PER_CLIENT = 1_000
/** A leave is half of this. */
const WILL_MAX_BYTES = 1024
const READ_TIMEOUT_MS = 5_000

interface Will {
  jwt: string
  iss: string
  iat: number
}

/**
 * The wills of clients: leaves they signed in advance. A page that was closed is
 * gone at once; a connection that was lost has 10 s to come back. Then the leave
 * is published, so that nobody has to wait for the end of a lease. The node
 * cannot make one up, and an old one has no effect on a device that has
 * announced itself since.
 */
export class Wills {
  readonly #libp2p: Libp2p
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #wouldAccept: (topic: string, jwt: string, peerId: string) => Promise<boolean>
  readonly #publish: (topic: string, jwt: string) => Promise<void>
  /** By peer id, by topic. */
  readonly #wills = new Map<string, Map<string, Will>>()
  /** By peer id: ends the grace. */
  readonly #graces = new Map<string, () => void>()
  /** By address of a connection whose WebSocket said that its page went away: forgets it. */
  readonly #gone = new Map<string, () => void>()

  constructor(options: {
    libp2p: Libp2p
    clock: Clock
    logger: Logger
    /** Whether a client is in a room whose gate would accept this event. */
    wouldAccept: (topic: string, jwt: string, peerId: string) => Promise<boolean>
    /** Puts a leave through the gate of its room and publishes it. */
    publish: (topic: string, jwt: string) => Promise<void>
  }) {
    this.#libp2p = options.libp2p
    this.#clock = options.clock
    this.#logger = options.logger
    this.#wouldAccept = options.wouldAccept
    this.#publish = options.publish
  }

  /** Of how many clients it has any. */
  get size(): number {
    return this.#wills.size
  }

  async start(): Promise<void> {
    this.#libp2p.addEventListener('connection:close', this.#onConnectionClose)
    this.#libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
    this.#libp2p.addEventListener('peer:connect', this.#onConnect)
    await this.#libp2p.handle(WILL_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: 32,
    })
  }

  stop(): void {
    this.#libp2p.removeEventListener('connection:close', this.#onConnectionClose)
    this.#libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
    this.#libp2p.removeEventListener('peer:connect', this.#onConnect)
    for (const cancel of [...this.#graces.values(), ...this.#gone.values()]) cancel()
    this.#gone.clear()
    this.#graces.clear()
    this.#wills.clear()
  }

  /** The WebSocket at this address was closed because its page went away; libp2p hears of it next. */
  pageGone(address: string): void {
    // A connection that libp2p never got to know ends without an event.
    const forget = this.#clock.after(READ_TIMEOUT_MS, () => this.#gone.delete(address))
    this.#gone.set(address, forget)
  }

  /**
   * An event came through the gate of a room. A device that has announced itself
   * after it left its will is there, by another way: the will is void.
   */
  seen({ claims }: SignedEvent): void {
    if (claims.type !== 'join' && claims.type !== 'presence') return
    const wills = this.#wills.get(claims.peer)
    const will = wills?.get(claims.aud)
    // While the device is connected here, its next will takes the place of this one anyway.
    if (will === undefined || will.iss !== claims.iss || claims.iat <= will.iat) return
    if (this.#graces.has(claims.peer)) wills?.delete(claims.aud)
  }

  async #onStream(stream: Stream, connection: Connection): Promise<void> {
    const abort = (): void => stream.abort(new Error('no will came'))
    const cancel = this.#clock.after(READ_TIMEOUT_MS, abort)
    try {
      let left = WILLS_PER_CLIENT
      for await (const frame of frameStream(stream).frames) {
        if (left === 0) throw new Error('too many wills')
        left -= 1
        await this.#keep(connection.remotePeer, frame)
      }
    } catch (thrown) {
      this.#logger.debug('a will could not be read', describe(thrown))
      abort()
    } finally {
      cancel()
      await stream.close().catch(() => {})
    }
  }

  /** @throws Error when it is none that a client sends: nothing behind it is read then */
  async #keep(client: PeerId, frame: Uint8Array): Promise<void> {
    const peerId = client.toString()
    if (frame.byteLength > WILL_MAX_BYTES) throw new Error('too long')
    const jwt = new TextDecoder().decode(frame)
    const parsed = parseJwt(jwt)
    if (typeof parsed === 'string' || parsed.claims.type !== 'leave' || parsed.claims.peer !== peerId)
      throw new Error('not a leave of this client')
    const { aud: topic, iss, iat } = parsed.claims
    if (!(await this.#wouldAccept(topic, jwt, peerId)) || this.#libp2p.getConnections(client).length === 0)
      return
    const wills = this.#wills.get(peerId) ?? new Map<string, Will>()
    if (wills.size >= WILLS_PER_CLIENT && !wills.has(topic)) return
    if (iat > (wills.get(topic)?.iat ?? 0)) wills.set(topic, { jwt, iss, iat })
    this.#wills.set(peerId, wills)
  }

  readonly #onConnect = ({ detail: peerId }: CustomEvent<PeerId>): void => {
    this.#graces.get(peerId.toString())?.()
    this.#graces.delete(peerId.toString())
  }

  readonly #onConnectionClose = ({ detail: { remoteAddr, remotePeer } }: CustomEvent<Connection>): void => {
    // libp2p adds the peer id once it knows it.
    const [address = ''] = remoteAddr.toString().split('/p2p/')
    const forget = this.#gone.get(address)
    if (forget === undefined) return
    forget()
    this.#gone.delete(address)
    if (this.#libp2p.getConnections(remotePeer).length === 0) this.#execute(remotePeer.toString())
  }

  readonly #onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
    const peerId = detail.toString()
    if (!this.#wills.has(peerId)) return
    this.#graces.get(peerId)?.()
    const cancel = this.#clock.after(GRACE_MS, () => this.#execute(peerId))
    this.#graces.set(peerId, cancel)
  }

  #execute(peerId: string): void {
    const wills = this.#wills.get(peerId) ?? new Map<string, Will>()
    this.#wills.delete(peerId)
    this.#graces.get(peerId)?.()
    this.#graces.delete(peerId)
    for (const [topic, { jwt }] of wills) {
      this.#publish(topic, jwt).catch((thrown) =>
        this.#logger.debug('a will was not published', describe(thrown)),
      )
    }
  }
}
