import { expect, test } from 'vitest'
import type { GhostChat } from '../../src/index.ts'
import { topicOf } from '../../src/wire/topic.ts'
import { enterTopic } from '../support/bare-peer.ts'
import { barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { connected, eventOf, online } from '../support/wait.ts'

const CLIENTS = 30
const ROUNDS = 5
/** Their names are over 128 KiB together. */
const MANY_ROOMS = 750

test('in a room of 30 on one node everybody gets every message exactly once, in the same order', async () => {
  const node = await startNode()
  const spaces = await Promise.all(
    Array.from({ length: CLIENTS }, () => openTestSpace('crowd', { nodes: [node.url] })),
  )
  const chats = await Promise.all(spaces.map((space) => space.joinChat('hall')))
  await Promise.all(chats.map(connected))
  const dids = spaces.map(({ did }) => did)
  await Promise.all(chats.map((chat) => online(chat, dids)))

  const total = CLIENTS * ROUNDS
  const received = chats.map((chat) => collect(chat, total))
  for (let round = 0; round < ROUNDS; round += 1) {
    await Promise.all(chats.map((chat, index) => chat.send(`${round}/${index}`)))
  }
  const expected = Array.from({ length: ROUNDS }, (_, round) =>
    dids.map((_did, index) => `${round}/${index}`),
  ).flat()
  for (const texts of await Promise.all(received)) expect([...texts].sort()).toEqual([...expected].sort())

  const orders = await Promise.all(
    chats.map(async (chat) => (await chat.requestBacklog({ limit: total })).map(String)),
  )
  for (const order of orders) expect(order).toEqual(orders[0])
}, 60_000)

test('a node that carries hundreds of rooms of one peer still takes clients, who chat', async () => {
  const node = await startNode()
  const rooms = async (): Promise<unknown> => (await (await fetch(`${node.url}/healthz`)).json()).rooms
  const { pubsub } = (await barePeer(node.multiaddrs[0] ?? '')).services
  // Once the stream stands, each subscription is told by itself: only the node's own first words are long.
  await enterTopic(pubsub, topicOf('many', 'first'))
  for (let number = 1; number < MANY_ROOMS; number += 1) {
    pubsub.subscribe(topicOf('many', `${number}-${'x'.repeat(150)}`))
  }
  await expect.poll(rooms, { timeout: 10_000 }).toBe(MANY_ROOMS)

  const ada = await openTestSpace('crowd', { nodes: [node.url] })
  const bob = await openTestSpace('crowd', { nodes: [node.url] })
  const [adasChat, bobsChat] = [await ada.joinChat('hall'), await bob.joinChat('hall')]
  await Promise.all([adasChat, bobsChat].map((chat) => online(chat, [ada.did, bob.did])))
  const heard = eventOf(bobsChat, 'message')
  await adasChat.send('hello')
  expect(await heard).toMatchObject([ada.did, { text: 'hello' }])
})

/** The texts a chat tells, once `count` have come; one too many shows as well. */
function collect(chat: GhostChat, count: number): Promise<string[]> {
  const texts: string[] = []
  return new Promise((resolve) => {
    chat.on('message', (_did, message) => {
      texts.push(message.text)
      if (texts.length === count) resolve(texts)
    })
  })
}
