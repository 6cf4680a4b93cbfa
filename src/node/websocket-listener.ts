import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  type ComponentLogger,
  type CreateListenerOptions,
  type Listener,
  type ListenerEvents,
  type Transport,
  TypedEventEmitter,
  transportSymbol,
} from '@libp2p/interface'
import { getThinWaistAddresses } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { type WebSocket, WebSocketServer } from 'ws'
import { rateKeyOf } from './rate-key.ts'
import { Seats } from './seats.ts'
import { WebSocketConnection } from './websocket-connection.ts'

/** No libp2p frame comes near this; the default of 100 MiB would be an invitation. */
const MESSAGE_MAX_BYTES = 1024 * 1024
/** WebSockets that are not libp2p connections yet: they become that within some round trips, or are closed after 10 s. */
const UPGRADES_MAX = 1_000
const REFUSAL = 'HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'

const SOCKETS = {
  noServer: true,
  maxPayload: MESSAGE_MAX_BYTES,
  perMessageDeflate: false,
  // How long a goodbye waits for its answer. A node that stops waits for all: for half a minute, if one of them is asleep.
  closeTimeout: 3_000,
}

/** What a listener asks and tells. */
export interface WebSocketHooks {
  /** The address of a client, which behind a proxy is not the socket's. */
  remoteIp(request: IncomingMessage): string
  /** The WebSocket at this multiaddr was closed because its page went away (code 1001). */
  onPageGone(address: string): void
}

/** The close code of a browser whose page is closed, reloaded or left (RFC 6455 §7.4.1). */
const GOING_AWAY = 1001

/**
 * A libp2p transport that only listens: WebSockets on an HTTP server that
 * answers other requests as well, so that a node needs one port. It takes
 * `maxConnections`, and keeps places for all addresses alike: libp2p itself would
 * leave them to whoever comes first.
 */
export function webSocketListener(
  server: Server,
  hooks: WebSocketHooks,
  maxConnections: number,
): (components: { logger: ComponentLogger }) => Transport {
  return ({ logger }) => ({
    [Symbol.toStringTag]: 'ghostchat/websocket-listener',
    [transportSymbol]: true,
    dial: () => Promise.reject(new Error('this transport only listens')),
    dialFilter: () => [],
    listenFilter: (addresses) => addresses.filter((address) => address.getComponents().at(-1)?.name === 'ws'),
    createListener: (options) => new WebSocketListener(server, hooks, maxConnections, logger, options),
  })
}

class WebSocketListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #server: Server
  readonly #hooks: WebSocketHooks
  readonly #logger: ComponentLogger
  readonly #options: CreateListenerOptions
  readonly #sockets = new WebSocketServer(SOCKETS)
  /** Those that are no libp2p connections yet, and all there are. */
  readonly #upgrading: Seats<Duplex>
  readonly #open: Seats<Duplex>
  readonly #closing = new AbortController()
  #address: Multiaddr | undefined

  constructor(
    server: Server,
    hooks: WebSocketHooks,
    maxConnections: number,
    logger: ComponentLogger,
    options: CreateListenerOptions,
  ) {
    super()
    this.#server = server
    this.#hooks = hooks
    this.#logger = logger
    this.#options = options
    const onUnseated = (socket: Duplex): unknown => socket.destroy()
    this.#upgrading = new Seats({ max: UPGRADES_MAX, onUnseated })
    this.#open = new Seats({ max: maxConnections, onUnseated })
  }

  /** The server listens already; from now on it takes WebSockets. */
  async listen(address: Multiaddr): Promise<void> {
    this.#address = address
    this.#server.on('upgrade', this.#onUpgrade)
    this.safeDispatchEvent('listening')
  }

  getAddrs(): Multiaddr[] {
    const bound = this.#server.address() as AddressInfo | null
    if (this.#address === undefined || bound === null) return []
    return getThinWaistAddresses(this.#address, bound.port).map((address) => address.encapsulate('/ws'))
  }

  updateAnnounceAddrs(): void {}

  async close(): Promise<void> {
    this.#server.off('upgrade', this.#onUpgrade)
    this.#closing.abort()
    for (const socket of this.#sockets.clients) socket.close(1001, 'the node stops')
    this.safeDispatchEvent('close')
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const owner = rateKeyOf(this.#hooks.remoteIp(request))
    socket.once('close', () => {
      this.#upgrading.leave(socket)
      this.#open.leave(socket)
    })
    if (!this.#upgrading.take(socket, owner) || !this.#open.take(socket, owner)) {
      refuse(socket)
      return
    }
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      try {
        this.#onConnection(webSocket, request, socket)
      } catch (error) {
        this.#logger.forComponent('ghostchat:node:websocket')('a connection was refused - %e', error)
        webSocket.terminate()
      }
    })
  }

  #onConnection(webSocket: WebSocket, request: IncomingMessage, socket: Duplex): void {
    const log = this.#logger.forComponent('ghostchat:node:websocket')
    const remoteAddr = addressOf(this.#hooks.remoteIp(request), request.socket.remotePort ?? 0)
    webSocket.once('close', (code) => {
      // A client echoes the code of a node that stops.
      if (code === GOING_AWAY && !this.#closing.signal.aborted) this.#hooks.onPageGone(remoteAddr.toString())
    })
    const connection = new WebSocketConnection(webSocket, { remoteAddr, log })
    this.#options.upgrader
      .upgradeInbound(connection, { signal: this.#closing.signal })
      .catch((error: unknown) => {
        log('a connection was not upgraded - %e', error)
        connection.abort(error instanceof Error ? error : new Error(String(error)))
      })
      .finally(() => this.#upgrading.leave(socket))
  }
}

function refuse(socket: Duplex): void {
  // Nobody else listens for its errors any more, and one would end the process.
  socket.once('error', () => socket.destroy())
  socket.end(REFUSAL, () => socket.destroy())
}

function addressOf(ip: string, port: number): Multiaddr {
  const plain = ip.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  return multiaddr(`/${plain.includes(':') ? 'ip6' : 'ip4'}/${plain}/tcp/${port}/ws`)
}
