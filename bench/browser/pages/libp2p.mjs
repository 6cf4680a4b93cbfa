/**
 * js-libp2p put together as its examples do: signed gossip, a relay on this machine, and WebRTC between pages that found each
 * other by gossip.
 */
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { pubsubPeerDiscovery } from '@libp2p/pubsub-peer-discovery'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

export async function open(address) {
  const libp2p = await createLibp2p({
    addresses: { listen: ['/p2p-circuit', '/webrtc'] },
    transports: [webSockets(), webRTC(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    peerDiscovery: [
      pubsubPeerDiscovery({ interval: 10_000, topics: ['bench-discovery'], listenOnly: false }),
    ],
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }),
    },
  })
  const { pubsub } = libp2p.services
  libp2p.addEventListener('peer:discovery', ({ detail }) => {
    libp2p.dial(detail.multiaddrs).catch(() => {})
  })
  await libp2p.dial(multiaddr(address))
  return {
    async join(room) {
      pubsub.subscribe(room)
      return {
        send: (texts) =>
          Promise.all(texts.map((text) => pubsub.publish(room, new TextEncoder().encode(text)))),
        onText: (listener) =>
          pubsub.addEventListener('message', ({ detail }) => {
            if (detail.topic === room) listener(new TextDecoder().decode(detail.data))
          }),
      }
    },
  }
}
