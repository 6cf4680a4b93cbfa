import { ManualClock } from 'ghostchat/testing'
import { expect, test } from 'vitest'
import { barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { connected, eventOf } from '../support/wait.ts'

test('a dapp chats over its own libp2p node, which stays open', async () => {
  const node = await startNode()
  const own = await barePeer(node.multiaddrs[0] ?? '')
  const ada = await openTestSpace('own', { libp2p: own })
  const bob = await openTestSpace('own', { nodes: [node.url] })
  const adasChat = await ada.joinChat('lobby')
  const bobsChat = await bob.joinChat('lobby')
  await Promise.all([connected(adasChat), connected(bobsChat)])
  const heard = eventOf(bobsChat, 'message')
  await adasChat.send('from my own node')
  expect(await heard).toMatchObject([ada.did, { text: 'from my own node' }])
  await ada.close()
  expect(own.status).toBe('started')
})

test('one libp2p node serves one space at a time, and says so', async () => {
  const node = await startNode()
  const own = await barePeer(node.multiaddrs[0] ?? '')
  const first = await openTestSpace('one', { libp2p: own })
  await expect(openTestSpace('two', { libp2p: own })).rejects.toMatchObject({ code: 'invalid-option' })
  await first.close()
  await openTestSpace('two', { libp2p: own })
})

test('a libp2p node that was stopped under a space harms nobody', async () => {
  const node = await startNode()
  const own = await barePeer(node.multiaddrs[0] ?? '')
  const clock = new ManualClock()
  const space = await openTestSpace('stopped', { libp2p: own, clock })
  const [left] = [await space.joinChat('left'), await space.joinChat('still open')]
  await left.leaveChat()
  await own.stop()
  await clock.advance(15_000)
  await expect(space.joinChat('late')).rejects.toMatchObject({ code: 'invalid-option' })
  await expect(space.close()).resolves.toBeUndefined()
  expect(clock.pending).toBe(0)
})

test('a space whose libp2p node was stopped right after a chat was left closes', async () => {
  const node = await startNode()
  const own = await barePeer(node.multiaddrs[0] ?? '')
  const failures: unknown[] = []
  const logger = {
    debug: (...entry: unknown[]) => failures.push(entry),
    warn: (message: string) => failures.push(message),
  }
  const space = await openTestSpace('stopped', { libp2p: own, logger })
  await (await space.joinChat('lobby')).leaveChat()
  await own.stop()
  await expect(space.close()).resolves.toBeUndefined()
  expect(failures).toEqual([])
})

test.each([
  ['not a node', {}, 'libp2p node'],
  ['no pubsub', { dial() {}, services: {} }, 'pubsub'],
  [
    'signed gossip',
    {
      dial() {},
      services: {
        pubsub: { getSubscribers() {}, topicValidators: new Map(), globalSignaturePolicy: 'StrictSign' },
      },
    },
    'StrictNoSign',
  ],
])('a libp2p node that will not do is refused with what it lacks: %s', async (_case, libp2p, lacks) => {
  await expect(openTestSpace('own', { libp2p })).rejects.toMatchObject({
    code: 'invalid-option',
    message: expect.stringContaining(lacks),
  })
})
