import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { frameStream } from '../../src/network/frame-stream.ts'
import { encodeFrame } from '../../src/wire/frame.ts'
import { SYNC_PROTOCOL } from '../../src/wire/sync.ts'
import { createLyingNode, enterTopic } from '../support/bare-peer.ts'
import { alter, authorOf } from '../support/forge.ts'
import { atEnd, barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { eventsFrame, lastTurn } from '../support/sync.ts'
import { connected, eventOf, online } from '../support/wait.ts'

test('forged and altered events published straight into the topic never surface', async () => {
  const node = await startNode()
  const ada = await openTestSpace('forgery', { nodes: [node.url] })
  const bob = await openTestSpace('forgery', { nodes: [node.url] })
  const chats = [await ada.joinChat('lobby'), await bob.joinChat('lobby')] as const
  await Promise.all(chats.map(connected))
  await Promise.all(chats.map((chat) => online(chat, [ada.did, bob.did])))
  const { topic } = chats[0]
  const surfaced: string[] = []
  for (const chat of chats) {
    chat.on('message', (did, message) => surfaced.push(`${did} ${message}`))
    chat.on('backlog', (messages) => surfaced.push(...messages.map((message) => `backlog ${message}`)))
    chat.on('user-joined', (did) => surfaced.push(`joined ${did}`))
    chat.on('user-left', (did) => surfaced.push(`left ${did}`))
  }

  // A forged gossip message costs its sender score: each attack comes from a peer of its own.
  const author = await authorOf(topic)
  const genuine = await author.write('message', { text: 'genuine' })
  const leave = await author.write('leave', { peer: ada.did.slice(8, 60) })
  const elsewhere = await (await authorOf('3box.chat.forgery.other')).write('message', { text: 'genuine' })
  const attacks = {
    altered: encodeFrame([alter(genuine.jwt, 'genuine', 'altered')]),
    'in the name of Ada': encodeFrame([alter(genuine.jwt, author.did, ada.did)]),
    'a leave for Ada': encodeFrame([alter(leave.jwt, author.did, ada.did)]),
    'from another room': encodeFrame([elsewhere.jwt]),
    'beside a genuine one': encodeFrame([genuine.jwt, alter(genuine.jwt, 'genuine', 'altered')]),
    'not a JWT': new TextEncoder().encode('hello'),
    'not text': new Uint8Array([0xff, 0xfe, 0x00, 0x0a]),
  }
  for (const data of Object.values(attacks)) {
    const { pubsub } = (await barePeer(node.multiaddrs[0] ?? '')).services
    await enterTopic(pubsub, topic)
    await pubsub.publish(topic, data)
  }

  // An honest message that comes after them shows that they were dealt with.
  const { pubsub } = (await barePeer(node.multiaddrs[0] ?? '')).services
  await enterTopic(pubsub, topic)
  const heard = chats.map((chat) => eventOf(chat, 'message', (_did, message) => message.text === 'honest'))
  const honest = await author.write('message', { text: 'honest' })
  await pubsub.publish(topic, encodeFrame([honest.jwt]))
  await Promise.all(heard)
  expect(surfaced).toEqual([`${author.did} honest`, `${author.did} honest`])
  expect(chats[0].onlineUsers().sort()).toEqual([ada.did, bob.did].sort())
})

test('whoever sends forgeries is put out and not let in again, and others from its address are not concerned', async () => {
  const node = await startNode()
  const address = node.multiaddrs[0] ?? ''
  const ada = await openTestSpace('forgery', { nodes: [node.url] })
  const chat = await ada.joinChat('lobby')
  await connected(chat)
  const author = await authorOf(chat.topic)
  const { jwt } = await author.write('message', { text: 'genuine' })
  const forger = await barePeer(address)
  const { pubsub } = forger.services
  await enterTopic(pubsub, chat.topic)
  const isOut = new Promise<void>((resolve) => {
    forger.addEventListener('peer:disconnect', () => resolve(), { once: true })
  })
  for (let number = 0; number < 4; number += 1) {
    await pubsub.publish(chat.topic, encodeFrame([alter(jwt, 'genuine', `altered ${number}`)]))
  }
  await isOut
  // It may take the node a moment to hang up after the handshake that tells it who this is.
  await forger.dial(multiaddr(address)).catch(() => {})
  await expect.poll(() => forger.getConnections()).toEqual([])
  expect(chat.status.current).toBe('connected')
  const neighbour = await barePeer(address)
  await enterTopic(neighbour.services.pubsub, chat.topic)
  const heard = eventOf(chat, 'message')
  await neighbour.services.pubsub.publish(chat.topic, encodeFrame([jwt]))
  expect(await heard).toMatchObject([author.did, { text: 'genuine' }])
  expect(neighbour.getConnections()).toHaveLength(1)
})

test('a node that lets everything through does not get a forgery past its clients', async () => {
  const node = await createLyingNode()
  atEnd(() => node.stop())
  const ada = await openTestSpace('forgery', { nodes: node.getMultiaddrs().map(String) })
  const chat = await ada.joinChat('lobby')
  const { pubsub } = node.services
  const author = await authorOf(chat.topic)
  pubsub.subscribe(chat.topic)
  await connected(chat)
  const texts: string[] = []
  chat.on('message', (_did, message) => texts.push(message.text))
  const genuine = await author.write('message', { text: 'genuine' })
  await pubsub.publish(chat.topic, encodeFrame([alter(genuine.jwt, 'genuine', 'altered')]))
  await pubsub.publish(chat.topic, encodeFrame([alter(genuine.jwt, author.did, ada.did)]))
  const heard = eventOf(chat, 'message', (_did, message) => message.text === 'genuine')
  await pubsub.publish(chat.topic, encodeFrame([genuine.jwt]))
  await heard
  expect(texts).toEqual(['genuine'])
})

test('a peer that forges the backlog is not believed, and an honest one is asked instead', async () => {
  const node = await startNode()
  const ada = await openTestSpace('history', { nodes: [node.url] })
  const adasChat = await ada.joinChat('lobby')
  await adasChat.send('genuine history')
  await connected(adasChat)
  const { topic } = adasChat

  const liar = await barePeer(node.multiaddrs[0] ?? '')
  await enterTopic(liar.services.pubsub, topic)
  const author = await authorOf(topic)
  let asked = 0
  await liar.handle(
    SYNC_PROTOCOL,
    async (stream) => {
      asked += 1
      const frames = frameStream(stream)
      const { jwt } = await author.write('message', { text: 'genuine' })
      const forged = alter(jwt, 'genuine', 'altered')
      await frames.send(eventsFrame(forged))
      await frames.send(lastTurn())
    },
    { runOnLimitedConnection: true },
  )
  await reserved(liar)

  const bob = await openTestSpace('history', { nodes: [node.url] })
  const bobsChat = await bob.joinChat('lobby', { backlogLimit: 0 })
  const present = eventOf(bobsChat, 'user-joined', (did) => did === author.did)
  const join = await author.write('join', { peer: liar.peerId.toString(), since: 1, data: {} })
  await connected(bobsChat)
  await liar.services.pubsub.publish(topic, encodeFrame([join.jwt]))
  await present
  const texts = (await bobsChat.requestBacklog()).map(String)
  expect(texts).toEqual(['genuine history'])
  expect(asked).toBeGreaterThan(0)
})

/** Resolves when a libp2p node can be reached through the relay. */
async function reserved(peer: {
  getMultiaddrs(): { toString(): string }[]
  addEventListener: (type: 'self:peer:update', listener: () => void) => void
}): Promise<void> {
  const isReserved = (): boolean =>
    peer.getMultiaddrs().some((address) => address.toString().includes('p2p-circuit'))
  if (isReserved()) return
  await new Promise<void>((resolve) => {
    peer.addEventListener('self:peer:update', () => isReserved() && resolve())
  })
}
