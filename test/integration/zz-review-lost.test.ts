import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { test } from 'vitest'
import { chatGossipsub } from '../../src/index.ts'
import { atEnd, openTestSpace, startNode } from '../support/resources.ts'
import { connected } from '../support/wait.ts'

async function dapp() {
  const own = await createLibp2p({
    addresses: { listen: ['/p2p-circuit', '/webrtc'] },
    transports: [webSockets(), circuitRelayTransport(), webRTC()],
    connectionEncrypters: [noise()], streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify(), ping: ping(), pubsub: chatGossipsub() },
  })
  atEnd(() => own.stop())
  return own
}
test('direct:false with own libp2p; false loss when the member has its reservation elsewhere', async () => {
  const [a, b] = [await startNode(), await startNode()]
  const ada = await openTestSpace('x', { nodes: [a.url, b.url], allowPrivateAddresses: true })
  const adas = await ada.joinChat('r'); await connected(adas)
  await new Promise((r) => setTimeout(r, 4000))
  const d = await ada.diagnose()
  const relayed = d.nodes.find((n) => n.isRelay)?.name
  const other = relayed === a.url ? b : a
  const own = await dapp()
  const carol = await openTestSpace('x', { nodes: [other.url], libp2p: own, direct: false, allowPrivateAddresses: true })
  const carols = await carol.joinChat('r'); await connected(carols)
  carols.on('user-left', (did, x) => console.log('CAROL user-left', did === ada.did ? 'ada' : did, JSON.stringify(x), Date.now() - t))
  carols.on('user-joined', (did) => console.log('CAROL user-joined', did === ada.did ? 'ada' : did, Date.now() - t))
  const direct = () => own.getConnections().filter((c) => c.remotePeer.toString() === d.peerId && c.limits === undefined && c.status === 'open')
  let t = Date.now()
  while (direct().length === 0 && Date.now() - t < 45_000) await new Promise((r) => setTimeout(r, 200))
  console.log('DIRECT LINKS with direct:false', direct().length, 'after', Date.now() - t, 'members', carols.members().length)
  if (direct().length === 0) return
  await new Promise((r) => setTimeout(r, 3000))
  t = Date.now()
  for (const c of own.getConnections().filter((c) => c.remotePeer.toString() === d.peerId)) await c.close()
  await new Promise((r) => setTimeout(r, 16_000))
  console.log('END members', carols.members().length, 'links', direct().length)
}, 100_000)
