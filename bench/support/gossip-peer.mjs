/** Bare gossipsub over a libp2p node that all clients are connected to, as the peers that are measured use it. */
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

const TOPIC = 'bench'

function create(signaturePolicy, { isServer }) {
  return createLibp2p({
    addresses: { listen: isServer ? ['/ip4/127.0.0.1/tcp/0/ws'] : [] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 1_000, maxIncomingPendingConnections: 1_000 },
    services: {
      identify: identify(),
      pubsub: gossipsub({
        globalSignaturePolicy: signaturePolicy,
        floodPublish: true,
        allowPublishToZeroTopicPeers: true,
        emitSelf: false,
        // All clients are in the mesh of the server, and none is asked twice.
        ...(isServer && { D: 512, Dlo: 256, Dhi: 1_024 }),
      }),
    },
  })
}

export async function serveGossip(signaturePolicy) {
  const { libp2p, address } = await start(signaturePolicy)
  libp2p.services.pubsub.subscribe(TOPIC)
  return address
}

async function start(signaturePolicy) {
  const libp2p = await create(signaturePolicy, { isServer: true })
  return { libp2p, address: libp2p.getMultiaddrs()[0].toString() }
}

/** A client that says bytes and hears bytes. */
export async function connectGossip(signaturePolicy, address) {
  const libp2p = await create(signaturePolicy, { isServer: false })
  const { pubsub } = libp2p.services
  const server = await libp2p.dial(multiaddr(address))
  pubsub.subscribe(TOPIC)
  const isReady = () => pubsub.getMeshPeers(TOPIC).includes(server.remotePeer.toString())
  while (!isReady()) await new Promise((resolve) => setTimeout(resolve, 20))
  return {
    send: (data) => pubsub.publish(TOPIC, data),
    onData: (listener) => pubsub.addEventListener('message', ({ detail }) => listener(detail.data)),
  }
}

/** Bare gossipsub under one of its signature policies, as a peer to compare with. */
export function gossipPeer(signaturePolicy) {
  return {
    serve: () => serveGossip(signaturePolicy),
    async connect(address) {
      const { send, onData } = await connectGossip(signaturePolicy, address)
      return {
        send: (texts) => Promise.all(texts.map((text) => send(Buffer.from(text)))),
        onText: (listener) => onData((data) => listener(Buffer.from(data).toString())),
      }
    },
  }
}
