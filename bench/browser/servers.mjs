/** What the pages of each peer connect to, in a process of its own. */
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { WebSocketServer } from 'ws'
import { serve as serveGhostChat } from '../peers/ghostchat.mjs'
import { serve as serveSocketio } from '../peers/socketio.mjs'
import { serve as serveWebSocket } from '../peers/websocket.mjs'
import { serve } from '../support/worker.mjs'

const SERVERS = {
  ghostchat: serveGhostChat,
  socketio: serveSocketio,
  nostr: serveWebSocket,
  trystero: serveTopics,
  libp2p: serveLibp2p,
}

serve({ start: (peer, room) => SERVERS[peer](room) })

/** Hands on what is said of a topic to those who subscribed to it. */
async function serveTopics() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  const subscribers = new Map()
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { type, topic, payload } = JSON.parse(data.toString())
      const some = subscribers.get(topic) ?? new Set()
      subscribers.set(topic, some)
      if (type === 'subscribe') some.add(socket)
      else for (const other of some) if (other !== socket) other.send(JSON.stringify({ topic, payload }))
    })
    socket.on('close', () => {
      for (const some of subscribers.values()) some.delete(socket)
    })
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return server.address().port
}

async function serveLibp2p(room) {
  const libp2p = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      relay: circuitRelayServer({ reservations: { maxReservations: 100 } }),
      pubsub: gossipsub({ allowPublishToZeroTopicPeers: true }),
    },
  })
  libp2p.services.pubsub.subscribe(room)
  libp2p.services.pubsub.subscribe('bench-discovery')
  return libp2p.getMultiaddrs()[0].toString()
}
