import { createServer, type Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { systemClock } from '../clock.ts'
import { describe, GhostChatError } from '../errors.ts'
import { createVerifier } from '../identity/verifier.ts'
import { hubGossip } from '../network/gossip.ts'
import { version } from '../version.ts'
import { httpRoutes, type NodeFacts } from './http-routes.ts'
import { Hub } from './hub.ts'
import { type CheckedOptions, checkOptions, type GhostNodeOptions } from './options.ts'
import { loadPeerKey } from './peer-key.ts'
import { exceedsReservations } from './relay-limits.ts'
import { remoteIpOf } from './remote-ip.ts'
import { type WebSocketHooks, webSocketListener } from './websocket-listener.ts'
import { Wills } from './wills.ts'

/** A running GhostNode. */
export interface GhostNode {
  /** Its libp2p peer id. */
  readonly peerId: string
  /** Where it can be dialled, peer id included: what `openSpace` takes as `nodes`. */
  readonly multiaddrs: string[]
  /** Its HTTP address on this machine, which `openSpace` takes as well. */
  readonly url: string
  /** Says goodbye to all clients and stops. Idempotent. */
  stop(): Promise<void>
}

/** A relayed connection carries signalling and backlogs: two minutes, 1 MiB. */
const CIRCUIT_MAX_MS = 2 * 60_000
const CIRCUIT_MAX_BYTES = BigInt(1024 * 1024)

/**
 * Starts a GhostNode: WebSockets and HTTP on one port, a hub for the gossip of
 * its clients' rooms, and a relay through which they reach each other.
 *
 * @throws `invalid-option`, `node-failed` (port taken, key file unusable, …)
 *
 * @example
 * ```ts
 * const node = await createGhostNode({ port: 8787, dataDir: '/var/lib/ghostchat' })
 * console.log(node.url, node.multiaddrs)
 * ```
 */
export async function createGhostNode(options: GhostNodeOptions = {}): Promise<GhostNode> {
  const checked = checkOptions(options)
  const privateKey = await loadPeerKey(checked.dataDir)
  let facts: NodeFacts | undefined
  let wills: Wills | undefined
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 15_000 },
    httpRoutes(() => facts),
  )
  await listen(server, checked)
  const { port } = server.address() as AddressInfo
  try {
    const hooks: WebSocketHooks = {
      remoteIp: (request) => remoteIpOf(request, checked.trustProxy),
      onPageGone: (address) => wills?.pageGone(address),
    }
    const libp2p = await createHubLibp2p(server, port, privateKey, hooks, checked)
    const { pubsub, relay } = libp2p.services
    const hub = new Hub({ ...checked, libp2p, pubsub, verifier: createVerifier(), clock: systemClock })
    hub.start()
    wills = new Wills({
      libp2p,
      clock: systemClock,
      logger: checked.logger,
      wouldAccept: (topic, jwt, peerId) => hub.wouldAccept(topic, jwt, peerId),
      publish: (topic, jwt) => hub.publish(topic, jwt),
    })
    await wills.start()
    const startedAt = Date.now()
    const multiaddrs = (): string[] => libp2p.getMultiaddrs().map((address) => address.toString())
    facts = {
      info: () => ({ version, peerId: libp2p.peerId.toString(), multiaddrs: multiaddrs(), time: Date.now() }),
      health: () => ({
        rooms: hub.rooms,
        connections: libp2p.getConnections().length,
        reservations: relay.reservations.size,
        wills: wills?.size ?? 0,
        uptime: Math.floor((Date.now() - startedAt) / 1000),
      }),
    }
    let stopped: Promise<void> | undefined
    const stop = async (): Promise<void> => {
      facts = undefined
      wills?.stop()
      hub.stop()
      await libp2p.stop()
      await close(server)
    }
    return {
      peerId: libp2p.peerId.toString(),
      multiaddrs: multiaddrs(),
      url: urlOf(checked.host, port),
      stop: () => (stopped ??= stop()),
    }
  } catch (cause) {
    await close(server)
    throw new GhostChatError('node-failed', `unable to start the node; ${describe(cause)}`, { cause })
  }
}

async function createHubLibp2p(
  server: Server,
  port: number,
  privateKey: PrivateKey,
  hooks: WebSocketHooks,
  options: CheckedOptions,
) {
  const { host, announce, maxConnections, maxReservations, maxReservationsPerIp } = options
  let denyReservation = (_client: PeerId): boolean => true
  const libp2p = await createLibp2p({
    privateKey,
    addresses: {
      listen: [`/${isIPv6(host) ? 'ip6' : 'ip4'}/${host}/tcp/${port}/ws`],
      announce: announce.map((address) => address.toString()),
    },
    transports: [webSocketListener(server, hooks)],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // The defaults are a client's: 300 connections, 5 new ones a second from one address, 10 pending.
    connectionManager: {
      maxConnections,
      inboundConnectionThreshold: 200,
      maxIncomingPendingConnections: 1_000,
    },
    // A tab in the background answers late; the default of 5 s would cut it off.
    connectionMonitor: { pingInterval: 20_000, pingTimeout: { minTimeout: 30_000 } },
    connectionGater: { denyInboundRelayReservation: (client) => denyReservation(client) },
    services: {
      identify: identify(),
      ping: ping(),
      pubsub: hubGossip(),
      relay: circuitRelayServer({
        maxInboundHopStreams: 32,
        reservations: {
          maxReservations,
          defaultDurationLimit: CIRCUIT_MAX_MS,
          defaultDataLimit: CIRCUIT_MAX_BYTES,
        },
      }),
    },
  })
  denyReservation = (client) =>
    exceedsReservations(client, libp2p.getConnections(), libp2p.services.relay, maxReservationsPerIp)
  return libp2p
}

function listen(server: Server, { host, port }: CheckedOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE' ? 'the port is taken' : describe(cause)
      reject(
        new GhostChatError('node-failed', `unable to listen at ${host} port ${port}; ${taken}`, { cause }),
      )
    })
    server.listen({ host, port }, () => {
      server.removeAllListeners('error')
      resolve()
    })
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

function urlOf(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `http://localhost:${port}`
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`
}
