import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { expect, test } from 'vitest'
import { chatGossipsub } from '../../src/index.ts'
import { atEnd, openTestSpace, startNode } from '../support/resources.ts'
import { connected } from '../support/wait.ts'
import { createServer } from 'node:net'

const freePort = () => new Promise<number>((r) => { const s = createServer(); s.listen(0, '127.0.0.1', () => { const p = (s.address() as { port: number }).port; s.close(() => r(p)) }) })

test('two nodes: reservations', async () => {
  const [a, b] = [await startNode(), await startNode()]
  const ada = await openTestSpace('x', { nodes: [a.url, b.url], direct: false })
  await connected(await ada.joinChat('lobby'))
  await new Promise((r) => setTimeout(r, 6000))
  const d = await ada.diagnose()
  console.log('TWO NODES', d.nodes.map(({ state, isRelay }) => [state, isRelay]), d.problems.map((p) => p.code))
}, 30_000)

test('relay theft', async () => {
  const port = await freePort()
  let node = await startNode({ port })
  const evilPort = await freePort()
  const evil = await createLibp2p({
    addresses: { listen: [`/ip4/127.0.0.1/tcp/${evilPort}/ws`], announce: [`/dns4/127.0.0.1/tcp/${evilPort}/ws`] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()], streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: chatGossipsub(), relay: circuitRelayServer() },
  })
  atEnd(() => evil.stop())
  const mallory = await openTestSpace('x', { libp2p: evil, nodes: [node.url] })
  await connected(await mallory.joinChat('lobby'))
  await new Promise((r) => setTimeout(r, 1500))
  const ada = await openTestSpace('x', { nodes: [node.url], direct: false })
  const chat = await ada.joinChat('lobby')
  await connected(chat)
  const me = (await ada.diagnose()).peerId
  await expect.poll(() => evil.getConnections().filter((c) => c.remotePeer.toString() === me).length, { timeout: 15_000 }).toBeGreaterThan(0)
  await new Promise((r) => setTimeout(r, 2000))
  console.log('BEFORE', (await ada.diagnose()).nodes.map(({ state, isRelay }) => [state, isRelay]))
  await node.stop()
  await new Promise((r) => setTimeout(r, 3000))
  node = await startNode({ port })
  for (let i = 0; i < 6; i++) { await new Promise((r) => setTimeout(r, 5000));
    const d = await ada.diagnose()
    console.log('AFTER', i, d.nodes.map(({ state, isRelay }) => [state, isRelay]), d.problems.map((p) => p.code), 'reservation at evil:', [...(evil.services.relay as unknown as { reservations: Map<unknown, unknown> }).reservations.keys()].map(String).includes(me)) }
}, 80_000)
