import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p, PrivateKey } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { type Clock, systemClock } from '../../src/clock.ts'
import { silentLogger } from '../../src/logger.ts'
import type { RegistryLimits } from '../../src/node/rendezvous/limits.ts'
import { Registry } from '../../src/node/rendezvous/registry.ts'
import { RendezvousServer } from '../../src/node/rendezvous/rendezvous-server.ts'
import { systemRandom } from '../../src/random.ts'
import { atEnd } from './resources.ts'

/** A libp2p node that listens at this machine, and its key. Stopped when the test ends. */
export async function testPeer(privateKey?: PrivateKey): Promise<Libp2p> {
  const peer = await createLibp2p({
    privateKey: privateKey ?? (await generateKeyPair('Ed25519')),
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: { inboundConnectionThreshold: 1_000 },
    services: { identify: identify() },
  })
  atEnd(() => peer.stop())
  return peer
}

/** A rendezvous point. */
export interface Point {
  libp2p: Libp2p
  registry: Registry
  server: RendezvousServer
}

export async function rendezvousPoint(
  options: {
    clock?: Clock
    limits?: Partial<RegistryLimits>
    /** Where clients seem to be. Default all at one address. */
    remoteIpOf?: (connection: Connection) => string | undefined
  } = {},
): Promise<Point> {
  const { clock = systemClock, limits = {}, remoteIpOf = () => '192.0.2.1' } = options
  const libp2p = await testPeer()
  const registry = new Registry({ clock, random: systemRandom, limits })
  const server = new RendezvousServer({ libp2p, registry, clock, logger: silentLogger, remoteIpOf })
  await server.start()
  atEnd(() => server.stop())
  return { libp2p, registry, server }
}

/** A node that is connected to the point. */
export async function guestOf(point: Libp2p): Promise<{ libp2p: Libp2p; connection: Connection }> {
  const libp2p = await testPeer()
  return { libp2p, connection: await libp2p.dial(point.getMultiaddrs()) }
}
