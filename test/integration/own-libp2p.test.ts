import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import type { GossipSub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { ManualClock } from 'ghostchat/testing'
import { createHelia } from 'helia'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { chatGossipsub } from '../../src/index.ts'
import { DialPolicy } from '../../src/network/dial-policy.ts'
import { createOwnLibp2p } from '../../src/network/own-libp2p.ts'
import { atEnd, barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { connected, eventOf, online } from '../support/wait.ts'

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

test('several pings of one connection at once are all answered: ours, and those of libp2p itself', async () => {
  const node = await startNode()
  const policy = new DialPolicy({ allowPrivate: true, isTrusted: () => true })
  const client = await createOwnLibp2p({ policy, clock: systemClock, iceServers: async () => [] })
  atEnd(() => client.stop())
  const { remotePeer } = await client.dial(multiaddr(node.multiaddrs[0] ?? ''))
  const pings = [1, 2, 3, 4].map(() => client.services.ping.ping(remotePeer))
  expect(await Promise.all(pings)).toHaveLength(4)
})

test('several spaces share one libp2p node, each with its own DID, and one closes without the others', async () => {
  const node = await startNode()
  const own = await dappPeer()
  const mine = await Promise.all(
    ['one', 'two'].map((name) => openTestSpace(name, { libp2p: own, nodes: [node.url] })),
  )
  const theirs = await Promise.all(['one', 'two'].map((name) => openTestSpace(name, { nodes: [node.url] })))
  const chats = await Promise.all(mine.map((space) => space.joinChat('lobby')))
  const others = await Promise.all(theirs.map((space) => space.joinChat('lobby')))
  await Promise.all(
    chats.map((chat, index) => online(chat, [mine[index]?.did ?? '', theirs[index]?.did ?? ''])),
  )
  expect(new Set(mine.map(({ did }) => did)).size).toBe(2)
  expect(own.getConnections(peerIdFromString(node.peerId))).toHaveLength(1)

  const heard = others.map((chat) => eventOf(chat, 'message'))
  await Promise.all(chats.map((chat, index) => chat.send(`from space ${index}`)))
  expect((await Promise.all(heard)).map(([, { text }]) => text)).toEqual(['from space 0', 'from space 1'])

  const left = others.map((chat) => eventOf(chat, 'user-left'))
  await mine[0]?.close()
  expect(await left[0]).toMatchObject([mine[0]?.did, { reason: 'left' }])
  const stillHeard = others[1] && eventOf(others[1], 'message')
  await chats[1]?.send('still here')
  expect(await stillHeard).toMatchObject([mine[1]?.did, { text: 'still here' }])
  await mine[1]?.close()
  await left[1]
  expect(own.status).toBe('started')
  expect(own.services.pubsub.getTopics()).toEqual([])
})

test('a node that two spaces on one libp2p node name is connected to as long as one of them is open', async () => {
  const [first, second] = [await startNode(), await startNode()]
  const own = await dappPeer()
  const one = await openTestSpace('one', { libp2p: own, nodes: [first.url] })
  const two = await openTestSpace('two', { libp2p: own, nodes: [first.url, second.url] })
  const chat = await one.joinChat('lobby')
  await connected(chat)
  const states = async (): Promise<unknown> =>
    (await two.diagnose()).nodes.map(({ name, state }) => [name, state])
  const both = [
    [first.url, 'connected'],
    [second.url, 'connected'],
  ]
  await expect.poll(states).toEqual(both)
  await one.close()
  expect(await states()).toEqual(both)
  await expect(one.diagnose()).rejects.toMatchObject({ code: 'space-closed' })
})

test('the same room twice on one libp2p node is refused, and free again when it is left', async () => {
  const own = await dappPeer()
  const [first, second] = [
    await openTestSpace('one', { libp2p: own }),
    await openTestSpace('one', { libp2p: own }),
  ]
  const chat = await first.joinChat('lobby')
  await expect(second.joinChat('lobby')).rejects.toMatchObject({
    code: 'invalid-option',
    message: expect.stringContaining('another space'),
  })
  await second.joinChat('tearoom')
  await chat.leaveChat()
  expect((await second.joinChat('lobby')).status.current).toBe('connecting')
})

test('a diagnosis names the other devices of its rooms, and not its own', async () => {
  const node = await startNode()
  const options = { nodes: [node.url], direct: false }
  const ada = await openTestSpace('diagnosed', options)
  const bob = await openTestSpace('diagnosed', options)
  for (const room of ['lobby', 'tearoom']) {
    const chats = [await ada.joinChat(room), await bob.joinChat(room)]
    await Promise.all(chats.map((chat) => online(chat, [ada.did, bob.did])))
  }
  const { peerId } = await bob.diagnose()
  expect((await ada.diagnose()).peers).toEqual([
    { peerId, did: bob.did, rooms: ['lobby', 'tearoom'], path: 'node' },
  ])
})

test.each([
  ['with', [webSockets(), circuitRelayTransport(), webRTC()], [true, []]],
  ['without', [webSockets(), circuitRelayTransport()], [false, ['no-webrtc']]],
])('a diagnosis of a dapp’s own libp2p node %s WebRTC says so', async (_with, transports, expected) => {
  const node = await startNode()
  const space = await openTestSpace('diagnosed', {
    libp2p: await dappPeer({ transports }),
    nodes: [node.url],
  })
  await connected(await space.joinChat('lobby'))
  const found = async (): Promise<unknown> => {
    const { direct, problems } = await space.diagnose()
    return [direct.isAvailable, problems.map(({ code }) => code)]
  }
  await expect.poll(found).toEqual(expected)
})

test('a diagnosis takes 5 s at the most, and is given up when its signal fires', async () => {
  const node = await startNode()
  const own = await dappPeer()
  const space = await openTestSpace('diagnosed', { libp2p: own, nodes: [node.url] })
  await connected(await space.joinChat('lobby'))
  let asked = (): void => {}
  const services = own.services as unknown as Record<string, object>
  services['ping'] = { ping: () => new Promise(() => asked()) }

  const giveUp = new AbortController()
  const reason = new Error('never mind')
  asked = () => giveUp.abort(reason)
  await expect(space.diagnose({ signal: giveUp.signal })).rejects.toBe(reason)

  const time = new AbortController()
  const limited = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(time.signal)
  onTestFinished(() => limited.mockRestore())
  asked = () => time.abort()
  const { ok, nodes } = await space.diagnose({ signal: new AbortController().signal })
  expect(limited.mock.calls).toEqual([[5_000]])
  expect(ok).toBe(true)
  expect(nodes).toMatchObject([{ name: node.url, state: 'connected' }])
  expect(nodes[0]).not.toHaveProperty('latencyMs')
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
  ['no pubsub', { dial() {}, services: {} }, 'chatGossipsub()'],
  [
    'signed gossip',
    {
      dial() {},
      services: {
        pubsub: { getSubscribers() {}, topicValidators: new Map(), globalSignaturePolicy: 'StrictSign' },
      },
    },
    "'StrictNoSign'",
  ],
])('a libp2p node that will not do is refused with what it lacks: %s', async (_case, libp2p, lacks) => {
  for (const options of [{ libp2p }, { helia: { libp2p } }]) {
    await expect(openTestSpace('own', options)).rejects.toMatchObject({
      code: 'invalid-option',
      message: expect.stringContaining(lacks),
    })
  }
})

test.each([
  ['webSockets()', () => dappPeer({ transports: [circuitRelayTransport()], addresses: { listen: [] } })],
  ['circuitRelayTransport()', () => dappPeer({ transports: [webSockets()], addresses: { listen: [] } })],
  ['start it first', () => dappPeer({ start: false })],
  ['webSockets()', () => dappPeer({ connectionGater: { denyDialMultiaddr: () => true } })],
])('a real libp2p node that cannot reach nodes is refused with what it lacks: %s', async (lacks, create) => {
  const libp2p = await create()
  const refused = { code: 'invalid-option', message: expect.stringContaining(lacks) }
  await expect(openTestSpace('own', { libp2p, nodes: ['http://127.0.0.1:1'] })).rejects.toMatchObject(refused)
})

test('a Helia node chats with others over its own libp2p node, and goes on without the chat', async () => {
  const node = await startNode()
  const helia = await startHelia()
  const ada = await openTestSpace('helia', { helia, nodes: [node.url] })
  const bob = await openTestSpace('helia', { nodes: [node.url] })
  const [adasChat, bobsChat] = [await ada.joinChat('lobby'), await bob.joinChat('lobby')]
  await Promise.all([adasChat, bobsChat].map((chat) => online(chat, [ada.did, bob.did])))
  const heard = eventOf(bobsChat, 'message')
  await adasChat.send('from Helia')
  const [, message] = await heard
  expect(message).toMatchObject({ author: ada.did, text: 'from Helia' })
  const answered = eventOf(adasChat, 'message', (did) => did === bob.did)
  await bobsChat.reply(message, 'to Helia')
  expect((await answered)[1].replyTo).toBe(message.id)

  const cyd = await openTestSpace('helia', { nodes: [node.url] })
  const backlog = await (await cyd.joinChat('lobby')).requestBacklog()
  expect(backlog.map(String)).toEqual(['from Helia', 'to Helia'])
  await ada.close()
  expect(helia.libp2p.status).toBe('started')
  const blocks = new TextEncoder().encode('still a Helia node')
  const cid = CID.createV1(raw.code, await sha256.digest(blocks))
  await helia.blockstore.put(cid, blocks)
  expect(await helia.blockstore.has(cid)).toBe(true)
})

test('a Helia node that was not started is refused with advice', async () => {
  const helia = createLocalHelia()
  await expect(openTestSpace('helia', { helia })).rejects.toMatchObject({
    code: 'invalid-option',
    message: expect.stringContaining('start'),
  })
})

type DappOptions = Pick<Libp2pOptions, 'addresses' | 'transports' | 'connectionGater' | 'start'>

/** What a dapp that brings its own libp2p node gives it. */
function dappLibp2p(options: DappOptions = {}) {
  return {
    addresses: { listen: ['/p2p-circuit'] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify(), ping: ping(), pubsub: chatGossipsub() },
    ...options,
  }
}

/** The libp2p node of a dapp, connected to nobody. */
async function dappPeer(options: DappOptions = {}): Promise<Libp2p<{ pubsub: GossipSub }>> {
  const peer = await createLibp2p(dappLibp2p(options))
  atEnd(() => peer.stop())
  return peer
}

/** A Helia node that asks nobody on the internet for anything. */
function createLocalHelia() {
  return createHelia({
    libp2p: { ...dappLibp2p(), peerDiscovery: [] },
    http: { delegatedRouters: [], recursiveGateways: [] },
  })
}

async function startHelia() {
  const helia = createLocalHelia()
  await helia.start()
  atEnd(() => helia.stop())
  return helia
}
