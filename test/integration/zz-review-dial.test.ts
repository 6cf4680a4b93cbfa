import { createServer } from 'node:net'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { expect, test } from 'vitest'
import { chatGossipsub } from '../../src/index.ts'
import { atEnd, openTestSpace, startNode } from '../support/resources.ts'
import { connected } from '../support/wait.ts'

test('direct:false victim dials attacker address / loopback through dns4 literal', async () => {
  const heads: string[] = []
  const server = createServer((s) => { s.on('error', () => {}); s.once('data', (d) => { heads.push(d.toString().split('\r\n')[0] + ' | ' + /host:.*/i.exec(d.toString())?.[0]); s.destroy() }) })
  await new Promise<void>((r) => server.listen(0, '127.0.0.1', r))
  const { port } = server.address() as { port: number }
  const node = await startNode()
  const evil = await createLibp2p({
    addresses: { listen: ['/p2p-circuit'], announce: [`/dns4/127.0.0.1/tcp/${port}/ws`] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()], streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: chatGossipsub() },
  })
  atEnd(() => evil.stop())
  const mallory = await openTestSpace('x', { libp2p: evil, nodes: [node.url] })
  await connected(await mallory.joinChat('lobby'))
  await new Promise((r) => setTimeout(r, 1500))
  const ada = await openTestSpace('x', { nodes: [node.url], direct: false })
  const chat = await ada.joinChat('lobby')
  await connected(chat)
  await chat.requestBacklog().catch(() => {})
  await expect.poll(() => heads.length, { timeout: 20_000 }).toBeGreaterThan(0)
  console.log('HEADS', heads)
  server.close()
}, 40_000)
