import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

/**
 * A libp2p node that knows gossipsub and nothing of GhostChat, connected to a
 * GhostNode where one is given. Whoever makes one stops it.
 */
export async function createBarePeer(nodeAddress?: string): Promise<Libp2p<{ pubsub: GossipSub }>> {
  const peer = await createLibp2p({
    addresses: { listen: ['/p2p-circuit'] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: {
      identify: identify(),
      pubsub: gossipsub({ globalSignaturePolicy: 'StrictNoSign', allowPublishToZeroTopicPeers: false }),
    },
  })
  if (nodeAddress !== undefined) await peer.dial(multiaddr(nodeAddress))
  return peer
}

/** Subscribes to a topic and resolves when the node is in it too. */
export async function enterTopic(pubsub: GossipSub, topic: string): Promise<void> {
  const entered = new Promise<void>((resolve) => {
    const look = (): void => {
      if (pubsub.getSubscribers(topic).length === 0) return
      pubsub.removeEventListener('subscription-change', look)
      resolve()
    }
    pubsub.addEventListener('subscription-change', look)
  })
  pubsub.subscribe(topic)
  if (pubsub.getSubscribers(topic).length === 0) await entered
  // Gossipsub tells nobody when its stream to a subscriber stands; what is published before is lost.
  const { streamsOutbound } = pubsub as GossipSub & { streamsOutbound: Map<string, unknown> }
  const isReady = (): boolean =>
    pubsub.getSubscribers(topic).some((peerId) => streamsOutbound.has(peerId.toString()))
  while (!isReady()) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** A node of somebody malicious: a gossip hub that checks nothing. Whoever makes one stops it. */
export async function createLyingNode(): Promise<Libp2p<{ pubsub: GossipSub }>> {
  return createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: gossipsub({ globalSignaturePolicy: 'StrictNoSign' }) },
  })
}
