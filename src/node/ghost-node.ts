import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, isIPv6, type Socket } from 'node:net'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { systemClock } from '../clock.ts'
import { describe, GhostChatError } from '../errors.ts'
import { sharedVerifier } from '../identity/verifier.ts'
import { Doorkeeper } from '../network/doorkeeper.ts'
import { systemRandom } from '../random.ts'
import { version } from '../version.ts'
import { httpRoutes, type NodeFacts } from './http-routes.ts'
import { Hub } from './hub.ts'
import { createHubLibp2p } from './hub-libp2p.ts'
import { iceServers } from './ice-servers.ts'
import { NodePeers } from './node-peers.ts'
import { type CheckedOptions, checkOptions, type GhostNodeOptions } from './options.ts'
import { loadPeerKey } from './peer-key.ts'
import { rateKeyOf } from './rate-key.ts'
import { ipOf } from './relay-limits.ts'
import { remoteIpOf } from './remote-ip.ts'
import { Federation } from './rendezvous/federation.ts'
import { Registry } from './rendezvous/registry.ts'
import { RendezvousServer } from './rendezvous/rendezvous-server.ts'
import type { PeerDirectory } from './routing/peer-directory.ts'
import { routingRoutes } from './routing/routing-routes.ts'
import { Seats } from './seats.ts'
import { createStunServer, type StunServer } from './stun-server.ts'
import type { WebSocketHooks } from './websocket-listener.ts'
import { Wills } from './wills.ts'

const HTTP = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  // How often Node looks whether a socket is over those. By default it is twice a minute.
  connectionsCheckingInterval: 5_000,
  // Who would rather have HTTP/2 is answered as well, in HTTP/1.1.
  shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket',
}
/** How many sockets there may be that are no connections of clients: those that ask something, or say nothing. */
const SPARE_SOCKETS = 1_000

/** A running GhostNode. */
export interface GhostNode {
  /** Its libp2p peer id. */
  readonly peerId: string
  /** Where it can be dialled, peer id included: what `openSpace` takes as `nodes`. */
  readonly multiaddrs: string[]
  /** Its HTTP address on this machine, which `openSpace` takes as well. */
  readonly url: string
  /** The UDP port at which it answers STUN; `undefined` where it does not. */
  readonly stunPort: number | undefined
  /** Says goodbye to all clients and stops. Idempotent. */
  stop(): Promise<void>
}

/** What a message too many costs somebody that calls itself a node: it brings those of many. */
const NODE_DEBIT = 0.02
/** How many registrations delegated routing chooses its answer from: no more than it looks at. */
const PROVIDERS_MAX = 500

/**
 * Starts a GhostNode: WebSockets and HTTP on one port, a hub for the gossip of
 * its clients' rooms, a relay through which they reach each other, and what they
 * find each other with: rendezvous, delegated routing and STUN.
 *
 * @throws `invalid-option`, `invalid-node` (one of `peers` is no address), `node-failed` (port taken, key file unusable, …)
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
  const registry = new Registry({ clock: systemClock, random: systemRandom })
  let facts: NodeFacts | undefined
  let wills: Wills | undefined
  let doorkeeper: Doorkeeper | undefined
  const routing = routingRoutes({
    ...checked,
    directory: directoryOf(registry),
    clock: systemClock,
    random: systemRandom,
  })
  const routes = httpRoutes(() => facts, routing)
  const server = createServer(HTTP, routes)
  // Node would refuse these itself, however many there are.
  server.on('checkExpectation', routes)
  seatSockets(server, checked.maxConnections)
  await listen(server, checked)
  const { port } = server.address() as AddressInfo
  /** What was started, to be stopped in the reverse order. */
  const running: { stop(): Promise<void> | void }[] = [{ stop: () => close(server) }]
  const stop = async (): Promise<void> => {
    facts = undefined
    for (const part of running.splice(0).reverse()) await part.stop()
  }
  try {
    const stun = await startStun(checked, port)
    if (stun !== undefined) running.push(stun)
    const hooks: WebSocketHooks = {
      remoteIp: (request) => remoteIpOf(request, checked.trustProxy),
      onPageGone: (address) => wills?.pageGone(address),
    }
    const isBanned = (peerId: PeerId): boolean => doorkeeper?.isBanned(peerId.toString()) ?? false
    const libp2p = await createHubLibp2p(server, port, privateKey, hooks, checked, isBanned)
    running.push({ stop: () => libp2p.stop() })
    const { pubsub, relay, ping } = libp2p.services
    const parts = { ...checked, libp2p, pubsub, ping, clock: systemClock, random: systemRandom }
    const addressOf = (peerId: string): string | undefined => {
      const [connection] = libp2p.getConnections(peerIdFromString(peerId))
      const ip = connection && ipOf(connection.remoteAddr)
      return ip && rateKeyOf(ip)
    }
    const peers = new NodePeers({ ...parts, addressOf, onChange: (peerId) => hub.review(peerId) })
    const isNamed = (peerId: PeerId): boolean => peers.isNamed(peerId)
    const door = new Doorkeeper({
      ...parts,
      isNamed: (peerId) => isNamed(peerIdFromString(peerId)),
      addressOf,
      priceOf: (peerId) => (peers.has(peerIdFromString(peerId)) ? NODE_DEBIT : 1),
    })
    doorkeeper = door
    running.push({ stop: () => door.close() })
    const hub = new Hub({
      ...parts,
      verifier: sharedVerifier,
      addressOf,
      isNode: (peerId) => peers.has(peerId),
      isNamed,
      onOffence: (peerId, kind) => door.offended(peerId.toString(), kind),
      onEvents: (events) => {
        for (const event of events) wills?.seen(event)
      },
    })
    const federation = new Federation({
      ...parts,
      registry,
      addressOf,
      isNamed,
      nodes: () => peers.connected,
    })
    const rendezvous = new RendezvousServer({
      ...parts,
      registry,
      federation,
      isNamed,
      remoteIpOf: ({ remoteAddr }) => ipOf(remoteAddr),
    })
    wills = new Wills({
      ...parts,
      wouldAccept: (topic, jwt, peerId) => hub.wouldAccept(topic, jwt, peerId),
      publish: (topic, jwt) => hub.publish(topic, jwt),
    })
    running.push(federation)
    for (const part of [hub, rendezvous, peers, wills]) {
      await part.start()
      running.push(part)
    }
    const startedAt = Date.now()
    const multiaddrs = (): string[] => libp2p.getMultiaddrs().map((address) => address.toString())
    facts = {
      info: () => ({
        version,
        peerId: libp2p.peerId.toString(),
        multiaddrs: multiaddrs(),
        time: Date.now(),
        iceServers: iceServers(checked.iceServers, checked.turnSecret, systemClock),
        peers: peers.addresses,
        ...(stun !== undefined && { stunPort: stun.port }),
      }),
      health: () => ({
        rooms: hub.rooms,
        connections: libp2p.getConnections().length,
        reservations: relay.reservations.size,
        registrations: registry.size,
        nodes: peers.connected.length,
        wills: wills?.size ?? 0,
        uptime: Math.floor((Date.now() - startedAt) / 1000),
      }),
    }
    let stopped: Promise<void> | undefined
    return {
      peerId: libp2p.peerId.toString(),
      multiaddrs: multiaddrs(),
      url: urlOf(checked.host, port),
      stunPort: stun?.port,
      stop: () => (stopped ??= stop()),
    }
  } catch (cause) {
    await stop()
    if (cause instanceof GhostChatError) throw cause
    throw new GhostChatError('node-failed', `unable to start the node; ${describe(cause)}`, { cause })
  }
}

/** STUN at the port that was asked for; at the number of the HTTP port where none was, if it is free. */
async function startStun(
  { host, stunPort, logger }: CheckedOptions,
  httpPort: number,
): Promise<StunServer | undefined> {
  if (stunPort === false) return undefined
  try {
    return await createStunServer({ host, port: stunPort ?? httpPort, logger })
  } catch (thrown) {
    if (stunPort !== undefined) throw thrown
    logger.warn(`no STUN: ${describe(thrown)}; name another port, or do without`)
    return undefined
  }
}

/** The registrations, as delegated routing answers from them. */
function directoryOf(registry: Registry): PeerDirectory {
  return {
    providers: (cid) => registry.providers(cid, PROVIDERS_MAX),
    peer: (peerId) => registry.peer(peerId),
  }
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

/** Keeps sockets for all addresses alike: whoever opens many and says nothing would keep everybody else out. */
function seatSockets(server: Server, maxConnections: number): void {
  const seats = new Seats<Socket>({
    max: maxConnections + SPARE_SOCKETS,
    onUnseated: (socket) => socket.destroy(),
  })
  server.on('connection', (socket) => {
    if (!seats.take(socket, rateKeyOf(socket.remoteAddress ?? ''))) socket.destroy()
    else socket.once('close', () => seats.leave(socket))
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
