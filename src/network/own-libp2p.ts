import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import type { GossipSub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { type Ping, ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import type { Clock } from '../clock.ts'
import type { IceServer } from '../wire/node-info.ts'
import type { DialPolicy } from './dial-policy.ts'
import { Direct, type DirectComponents } from './direct.ts'
import { forgetPeers } from './forget-peers.ts'
import { chatGossipsub } from './gossip.ts'
import { type IntroductionServices, introductions } from './introduction.ts'
import { boundNegotiation, negotiationGater } from './negotiation.ts'
import { PINGS_AT_ONCE } from './node-links.ts'
import { PeerDatastore } from './peer-datastore.ts'
import { Reservations } from './reservations.ts'

/** The libp2p node of a client that brings none. */
export type OwnLibp2p = Libp2p<
  { pubsub: GossipSub; ping: Ping; direct: Direct; reservations: Reservations } & IntroductionServices
>

/** Makes and starts it. It dials where the policy lets it, and listens at its nodes only. */
export async function createOwnLibp2p(options: {
  policy: DialPolicy
  clock: Clock
  iceServers: () => Promise<IceServer[]>
}): Promise<OwnLibp2p> {
  const libp2p = await createLibp2p({
    datastore: new PeerDatastore(),
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: {
      ...negotiationGater,
      denyDialMultiaddr: (address) => !options.policy.permits(address),
    },
    // All circuits come from the address of a node, which counts those of each stranger. By default 5 a second were
    // taken from an address and 10 that say nothing, so that one stranger could keep everybody else out.
    connectionManager: {
      addressDialTimeout: 15_000,
      inboundConnectionThreshold: 200,
      maxIncomingPendingConnections: 300,
    },
    // A tab that was frozen for a moment is not gone: the default of 5 s cuts it off.
    connectionMonitor: { pingInterval: 15_000, pingTimeout: { minTimeout: 15_000 } },
    services: {
      identify: identify(),
      ping: ping(PINGS_AT_ONCE),
      pubsub: chatGossipsub(),
      introductions,
      reservations: (components: ConstructorParameters<typeof Reservations>[0]) =>
        new Reservations(components, options),
      direct: (components: DirectComponents) => new Direct(components, options),
    },
  })
  forgetPeers(libp2p, options.clock)
  boundNegotiation(libp2p)
  return libp2p
}
