import type { Server } from 'node:http'
import { isIPv6 } from 'node:net'
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { PeerId, PrivateKey, Transport } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { systemClock } from '../clock.ts'
import { forgetPeers } from '../network/forget-peers.ts'
import { hubGossip } from '../network/gossip.ts'
import { boundNegotiation, negotiationGater } from '../network/negotiation.ts'
import { PINGS_AT_ONCE } from '../network/node-links.ts'
import { PeerDatastore } from '../network/peer-datastore.ts'
import { CircuitRates } from './circuit-rates.ts'
import type { CheckedOptions } from './options.ts'
import { ReservationLimits } from './relay-limits.ts'
import { endReplacedConnections } from './replaced-connections.ts'
import { type WebSocketHooks, webSocketListener } from './websocket-listener.ts'

/** A relayed connection carries signalling and backlogs: two minutes, 1 MiB. */
const CIRCUIT_MAX_MS = 2 * 60_000
const CIRCUIT_MAX_BYTES = BigInt(1024 * 1024)

/** Makes and starts the libp2p node of a GhostNode, gossip hub and relay. It listens through an HTTP server that listens already. */
export async function createHubLibp2p(
  server: Server,
  port: number,
  privateKey: PrivateKey,
  hooks: WebSocketHooks,
  options: CheckedOptions,
  isBanned: (peerId: PeerId) => boolean,
) {
  const { host, announce, maxConnections, maxReservations, maxReservationsPerIp } = options
  let denyReservation = (_client: PeerId): boolean => true
  let denyCircuit = (_source: PeerId, _destination: PeerId): boolean => true
  const libp2p = await createLibp2p({
    privateKey,
    datastore: new PeerDatastore(),
    addresses: {
      listen: [`/${isIPv6(host) ? 'ip6' : 'ip4'}/${host}/tcp/${port}/ws`],
      announce: announce.map((address) => address.toString()),
    },
    transports: [webSocketListener(server, hooks, maxConnections), dialOnly(webSockets())],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // The defaults are a client's: 300 connections, 5 new ones a second from one address, 10 pending. How many there are, the listener bounds.
    connectionManager: {
      maxConnections: Number.POSITIVE_INFINITY,
      inboundConnectionThreshold: 200,
      maxIncomingPendingConnections: Number.POSITIVE_INFINITY,
    },
    // A tab in the background answers late; the default of 5 s would cut it off.
    connectionMonitor: { pingInterval: 20_000, pingTimeout: { minTimeout: 30_000 } },
    connectionGater: {
      ...negotiationGater,
      denyInboundEncryptedConnection: (peerId) => isBanned(peerId),
      denyInboundRelayReservation: (client) => denyReservation(client),
      denyOutboundRelayedConnection: (source, destination) => denyCircuit(source, destination),
    },
    services: {
      identify: identify(),
      ping: ping(PINGS_AT_ONCE),
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
  const limits = new ReservationLimits(maxReservationsPerIp)
  // Nobody is reached through a relay it is not connected to; libp2p itself keeps the place for two hours.
  libp2p.addEventListener('peer:disconnect', ({ detail: peerId }) => {
    const { reservations } = libp2p.services.relay
    reservations.get(peerId)?.signal.clear()
    reservations.delete(peerId)
    limits.left(peerId)
  })
  endReplacedConnections(libp2p)
  forgetPeers(libp2p, systemClock)
  boundNegotiation(libp2p)
  denyReservation = (client) => !limits.admits(client, libp2p.getConnections(client))
  const circuits = new CircuitRates(systemClock)
  denyCircuit = (source, destination) => !circuits.admits(source, destination, libp2p.getConnections(source))
  return libp2p
}

/** A transport that never listens: for the connections to other nodes. */
function dialOnly<C>(create: (components: C) => Transport): (components: C) => Transport {
  return (components) => {
    const transport = create(components)
    // What WebSockets dial, they ask their own `listenFilter`.
    return Object.assign(transport, {
      dialFilter: transport.listenFilter.bind(transport),
      listenFilter: () => [],
    })
  }
}
