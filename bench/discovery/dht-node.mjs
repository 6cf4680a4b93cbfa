import { identify } from '@libp2p/identify'
import { EventTypes, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { DelayProxy } from '../support/delay-proxy.mjs'

const ATTEMPTS_MAX = 5

/**
 * A node of the Kademlia DHT with the defaults of `@libp2p/kad-dht`, but for private addresses, which the swarm of this
 * machine consists of. Others reach it through a proxy that delays.
 */
export async function createDhtNode({ isServer, oneWayMs, isMonitoring = true }) {
  const proxy = await DelayProxy.start({ targetPort: 0, oneWayMs })
  proxy.isTracing = false
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'], announce: [`/ip4/127.0.0.1/tcp/${proxy.port}`] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // One machine is everybody's address here: the default of 5 new connections a second is one for strangers.
    connectionManager: { inboundConnectionThreshold: 1_000, maxIncomingPendingConnections: 200 },
    // Asks every connection every ten seconds whether it is still there.
    connectionMonitor: { enabled: isMonitoring },
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({ clientMode: !isServer, peerInfoMapper: passthroughMapper }),
    },
  })
  const [listening] = node.components.transportManager.getAddrs()
  proxy.targetPort = Number(listening.getComponents().find(({ name }) => name === 'tcp').value)
  return node
}

/** Dials the nodes it is told of, and again where none answers; goes on with the first that does. */
export async function bootstrap(node, addresses) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await Promise.any(addresses.map((address) => node.dial(multiaddr(address))))
    } catch (thrown) {
      if (attempt === ATTEMPTS_MAX) {
        throw new Error(`no node answers: ${thrown.errors.map(({ message }) => message).join('; ')}`)
      }
    }
  }
}

/** The CID under which the members of a room provide, as GhostChat and go-libp2p make it. */
export async function cidOf(topic) {
  return CID.createV1(raw.code, await sha256.digest(new TextEncoder().encode(`floodsub:${topic}`)))
}

/** Runs a query of the DHT; answers how many messages it took, and whether it came to its end. */
export async function runQuery(events, onProviders = () => {}) {
  let messages = 0
  try {
    for await (const event of events) {
      if (event.type === EventTypes.SEND_QUERY) messages += 1
      if (event.type === EventTypes.PROVIDER || event.type === EventTypes.PEER_RESPONSE) {
        onProviders((event.providers ?? []).map(({ id }) => id.toString()))
      }
    }
    return { messages, isWhole: true }
  } catch {
    return { messages, isWhole: false }
  }
}
