import {
  type Connection,
  type MultiaddrConnection,
  type PeerId,
  type Startable,
  type Stream,
  start,
  stop,
  type Transport,
} from '@libp2p/interface'
import type { webRTC } from '@libp2p/webrtc'
import { multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../clock.ts'
import type { IceServer } from '../wire/node-info.ts'
import { acceptable, type IceProbe, probeIce } from './ice-probe.ts'
import { type Route, routeOf } from './route.ts'

/** WebRTC, as this runtime has it. */
export interface WebRtc {
  /** libp2p's transport. */
  transport: typeof webRTC
  PeerConnection: typeof RTCPeerConnection
}
/** What it needs of the libp2p node it is in. */
export type DirectComponents = Parameters<ReturnType<typeof webRTC>>[0]

/** How long a peer that began to connect to us may take; libp2p itself gives up after 10 s. */
const ARRIVAL_MS = 15_000
/** How many peers may be in the middle of connecting to us at once. */
const ARRIVALS_MAX = 4

/**
 * WebRTC in a libp2p node, as a service: the transport is added once its code has
 * been loaded, so that joining a room waits for none of it, and only those may
 * connect to us whom `admits` lets in.
 */
export class Direct implements Startable {
  /** Whether a peer may connect to us directly. */
  admits: (peerId: string) => boolean = () => false
  readonly #components: DirectComponents
  readonly #clock: Clock
  readonly #iceServers: () => Promise<IceServer[]>
  /** By peer id: what the browser has of the connection. */
  readonly #connections = new Map<string, RTCPeerConnection>()
  /** By peer id: who is in the middle of connecting to us; ends the wait. */
  readonly #arrivals = new Map<string, () => void>()
  #transport: Transport | undefined
  #isStopped = false
  #webRtc: WebRtc | undefined

  constructor(
    components: DirectComponents,
    options: { clock: Clock; iceServers: () => Promise<IceServer[]> },
  ) {
    this.#components = components
    this.#clock = options.clock
    this.#iceServers = options.iceServers
  }

  /** Whether WebRTC can be used: it exists here, and its code has been loaded. */
  get isAvailable(): boolean {
    return this.#transport !== undefined
  }

  /** What ICE finds here: see {@link probeIce}. Nothing where there is no WebRTC. */
  async probe(signal: AbortSignal): Promise<IceProbe | undefined> {
    return this.#webRtc && probeIce(this.#webRtc.PeerConnection, await this.#iceServers(), signal)
  }

  /** The way of the direct connection to a peer. Never rejects. */
  async routeTo(peerId: string): Promise<Route | undefined> {
    const connection = this.#connections.get(peerId)
    return connection && routeOf(connection)
  }

  /** Begins to take and to make direct connections. */
  async enable(webRtc: WebRtc): Promise<void> {
    // The space was closed while the code was being loaded.
    if (this.#isStopped) return
    const { registrar, upgrader, transportManager } = this.#components
    const guarded: DirectComponents = {
      ...pick(this.#components),
      registrar: {
        handle: (protocol: string, handler: StreamHandler, options: object) =>
          registrar.handle(protocol, this.#guard(handler), options),
        unhandle: (protocol: string) => registrar.unhandle(protocol),
      } as DirectComponents['registrar'],
      upgrader: this.#watch(upgrader),
    }
    const transport = webRtc.transport({
      rtcConfiguration: async () => ({
        iceServers: acceptable(webRtc.PeerConnection, await this.#iceServers()) as RTCIceServer[],
      }),
    })(guarded)
    const dial = transport.dial.bind(transport)
    transport.dial = (address, options) =>
      dial(address, { ...options, upgrader: this.#watch(options.upgrader) })
    transportManager.add(transport)
    await start(transport)
    this.#transport = transport
    this.#webRtc = webRtc
    await transportManager.listen([multiaddr('/webrtc')])
  }

  start(): void {}

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const cancel of this.#arrivals.values()) cancel()
    this.#arrivals.clear()
    await stop(this.#transport)
  }

  /** Lets in who may come, and not all at once: each costs a connection of the browser's, of which it has few. */
  #guard(handler: StreamHandler): StreamHandler {
    return async (stream, connection) => {
      const peerId = connection.remotePeer.toString()
      if (this.#arrivals.has(peerId) || this.#arrivals.size >= ARRIVALS_MAX || !this.admits(peerId)) {
        stream.abort(new Error('no direct connection is wanted'))
        return
      }
      this.#arrivals.set(
        peerId,
        this.#clock.after(ARRIVAL_MS, () => this.#arrivals.delete(peerId)),
      )
      // The stream ends with the attempt, whatever became of it.
      stream.addEventListener('close', () => this.#endArrival(peerId), { once: true })
      await handler(stream, connection)
    }
  }

  #endArrival(peerId: string): void {
    this.#arrivals.get(peerId)?.()
    this.#arrivals.delete(peerId)
  }

  /** Notes the browser's side of each connection that comes about. */
  #watch(upgrader: DirectComponents['upgrader']): DirectComponents['upgrader'] {
    const note = (options: object, socket: WebRtcSocket): void => {
      const peerId = (options as { remotePeer?: PeerId }).remotePeer?.toString()
      if (peerId === undefined || socket.peerConnection === undefined) return
      this.#endArrival(peerId)
      const { peerConnection } = socket
      this.#connections.set(peerId, peerConnection)
      socket.addEventListener('close', () => {
        if (this.#connections.get(peerId) === peerConnection) this.#connections.delete(peerId)
      })
    }
    return {
      createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
      getStreamMuxers: () => upgrader.getStreamMuxers(),
      getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
      upgradeInbound: (socket, options) => {
        const { peerConnection } = socket as WebRtcSocket
        leaveInitChannel(peerConnection, options.muxerFactory)
        // Where the other side gives up in the middle, the transport takes what is not connected for a connection.
        if (peerConnection !== undefined && peerConnection.connectionState !== 'connected') {
          const error = new Error('the direct connection did not come about')
          socket.abort(error)
          throw error
        }
        note(options, socket)
        return upgrader.upgradeInbound(socket, options)
      },
      upgradeOutbound: (socket, options) => {
        note(options, socket)
        return upgrader.upgradeOutbound(socket, options)
      },
    } as DirectComponents['upgrader']
  }
}

/**
 * Leaves it to whoever dialled to close the channel `init`, which it needs until it has seen it open: the transport closes
 * it here at once as well, and where the other side is slower than that, it waits for ever and gives the connection up.
 *
 * Not where we are Firefox and the other side is not: measured, such pairs then stay half connected.
 */
function leaveInitChannel(connection: RTCPeerConnection | undefined, muxerFactory: unknown): void {
  if (isFirefoxes(connection?.localDescription) && !isFirefoxes(connection?.remoteDescription)) return
  const leave = (channel: RTCDataChannel): void => {
    if (channel.label === 'init') channel.close = () => {}
  }
  const { earlyDataChannels = [] } = (muxerFactory ?? {}) as EarlyDataChannels
  for (const { channel } of earlyDataChannels) leave(channel)
  connection?.addEventListener('datachannel', ({ channel }) => leave(channel))
}

/** Whether Firefox wrote a description: it says so in its first lines. */
function isFirefoxes(description: RTCSessionDescription | null | undefined): boolean {
  return description?.sdp.startsWith('v=0\r\no=mozilla') ?? false
}

/** Channels that came before the transport's muxer was made; private in its factory. */
interface EarlyDataChannels {
  earlyDataChannels?: { channel: RTCDataChannel }[]
}

/** The WebRTC transport's sockets show the browser's connection behind them. */
type WebRtcSocket = MultiaddrConnection & { peerConnection?: RTCPeerConnection }
type StreamHandler = (stream: Stream, connection: Connection) => void | Promise<void>

/** libp2p hands its components over as a proxy, which cannot be spread. */
function pick({
  peerId,
  registrar,
  upgrader,
  transportManager,
  connectionManager,
  events,
  logger,
}: DirectComponents): DirectComponents {
  return { peerId, registrar, upgrader, transportManager, connectionManager, events, logger }
}
