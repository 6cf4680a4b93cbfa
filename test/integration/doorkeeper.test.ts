import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import type { GossipSub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p, Libp2pEvents } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { expect, test } from 'vitest'
import { chatGossipsub } from '../../src/index.ts'
import { encodeFrame } from '../../src/wire/frame.ts'
import { messageBy, testAuthor } from '../support/authors.ts'
import { enterTopic } from '../support/bare-peer.ts'
import { alter, authorOf } from '../support/forge.ts'
import { atEnd, barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { arrival, connected } from '../support/wait.ts'

/** A dapp's libp2p node that neighbours reach without a GhostNode. */
async function listeningPeer() {
  const peer = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: chatGossipsub() },
  })
  atEnd(() => peer.stop())
  return peer
}

function next<E extends 'peer:disconnect' | 'connection:close'>(
  peer: Libp2p,
  event: E,
): Promise<Libp2pEvents[E]> {
  return new Promise((resolve) => peer.addEventListener(event, resolve, { once: true }))
}

test('a member hangs up on a neighbour that sends forgeries, also when it comes back, and on nobody beside it', async () => {
  const own = await listeningPeer()
  const address = own.getMultiaddrs()[0]?.toString() ?? ''
  const ada = await openTestSpace('door', { libp2p: own })
  const chat = await ada.joinChat('lobby')
  const told: string[] = []
  chat.on('message', (_did, { text }) => told.push(text))
  chat.on('backlog', (messages) => told.push(...messages.map(String)))
  const author = await authorOf(chat.topic)
  const genuine = await author.write('message', { text: 'genuine' })

  // Both are behind one address: that of this machine.
  const honest = await barePeer(address)
  await enterTopic(honest.services.pubsub, chat.topic)
  const forger = await barePeer(address)
  await enterTopic(forger.services.pubsub, chat.topic)
  const isOut = next(own, 'peer:disconnect')
  for (let number = 0; number < 4; number += 1) {
    const forged = alter(genuine.jwt, 'genuine', `altered ${number}`)
    await forger.services.pubsub.publish(chat.topic, encodeFrame([forged]))
  }
  expect((await isOut).detail.toString()).toBe(forger.peerId.toString())
  const heard = arrival(chat, 'genuine')
  await honest.services.pubsub.publish(chat.topic, encodeFrame([genuine.jwt]))
  await heard
  expect(told).toEqual(['genuine'])
  expect(own.getConnections(honest.peerId)).toHaveLength(1)
  const isOutAgain = next(own, 'connection:close')
  // Its transport tells it of the end only after seconds.
  await forger.hangUp(own.peerId)
  await forger.dial(multiaddr(address)).catch(() => {})
  await isOutAgain
  expect(own.getConnections(forger.peerId)).toEqual([])
  expect(own.getConnections(honest.peerId)).toHaveLength(1)
})

test('a node hangs up on whoever sends messages of a room that nobody is in', async () => {
  const node = await startNode()
  const stranger = await barePeer(node.multiaddrs[0] ?? '')
  const { pubsub } = stranger.services as {
    pubsub: GossipSub & { sendRpc: (to: string, rpc: object) => boolean }
  }
  const send = (number: number): boolean =>
    pubsub.sendRpc(node.peerId, {
      subscriptions: [],
      messages: Array.from({ length: 1_000 }, (_, n) => ({
        topic: 'x',
        data: new TextEncoder().encode(`${number} ${n}`),
      })),
    })
  const isOut = next(stranger, 'peer:disconnect')
  await expect.poll(() => send(0)).toBe(true)
  expect(send(1)).toBe(true)
  expect((await isOut).detail.toString()).toBe(node.peerId)
})

test('a member is not put out of its node for what a neighbour would have it pass on', async () => {
  const node = await startNode()
  const own = await listeningPeer()
  const ada = await (await openTestSpace('door', { libp2p: own, nodes: [node.url] })).joinChat('lobby')
  const bob = await (await openTestSpace('door', { nodes: [node.url] })).joinChat('lobby')
  await Promise.all([connected(ada), connected(bob)])
  const lost: string[] = []
  own.addEventListener('peer:disconnect', ({ detail }) => lost.push(detail.toString()))

  const flooder = await barePeer(own.getMultiaddrs()[0]?.toString() ?? '')
  const { pubsub } = flooder.services
  await enterTopic(pubsub, ada.topic)
  for (let number = 0; number < 500; number += 1) {
    const { jwt } = messageBy(testAuthor(66), `${number}`, { topic: ada.topic, at: Date.now() })
    await pubsub.publish(ada.topic, encodeFrame([jwt]))
    // 250 a second: a device looks at no more.
    await new Promise((resolve) => setTimeout(resolve, 3))
  }
  const heard = arrival(bob, 'still here')
  await ada.send('still here')
  await heard
  expect(lost).toEqual([])
})
