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
import { WebSocketConnection } from './websocket-connection.ts'

/** No libp2p frame comes near this; the default of 100 MiB would be an invitation. */
const MESSAGE_MAX_BYTES = 1024 * 1024

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
 * answers other requests as well, so that a node needs one port.
 *
 */
export function webSocketListener(
  server: Server,
  hooks: WebSocketHooks,
): (components: { logger: ComponentLogger }) => Transport {
  return ({ logger }) => ({
    [Symbol.toStringTag]: 'ghostchat/websocket-listener',
    [transportSymbol]: true,
    dial: () => Promise.reject(new Error('this transport only listens')),
    dialFilter: () => [],
    listenFilter: (addresses) => addresses.filter((address) => address.getComponents().at(-1)?.name === 'ws'),
    createListener: (options) => new WebSocketListener(server, hooks, logger, options),
  })
}

class WebSocketListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #server: Server
  readonly #hooks: WebSocketHooks
  readonly #logger: ComponentLogger
  readonly #options: CreateListenerOptions
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_MAX_BYTES,
    perMessageDeflate: false,
  })
  readonly #closing = new AbortController()
  #address: Multiaddr | undefined

  constructor(
    server: Server,
    hooks: WebSocketHooks,
    logger: ComponentLogger,
    options: CreateListenerOptions,
  ) {
    super()
    this.#server = server
    this.#hooks = hooks
    this.#logger = logger
    this.#options = options
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
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      try {
        this.#onConnection(webSocket, request)
      } catch (error) {
        this.#logger.forComponent('ghostchat:node:websocket')('a connection was refused - %e', error)
        webSocket.terminate()
      }
    })
  }

  #onConnection(webSocket: WebSocket, request: IncomingMessage): void {
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
  }
}

function addressOf(ip: string, port: number): Multiaddr {
  const plain = ip.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, '')
  return multiaddr(`/${plain.includes(':') ? 'ip6' : 'ip4'}/${plain}/tcp/${port}/ws`)
}
