import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CircuitRelayService, circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { expect, test } from 'vitest'
import { chatGossipsub, type GhostChat, type Space } from '../../src/index.ts'
import type { GhostNode } from '../../src/node/index.ts'
import { atEnd, openTestSpace, ownLibp2p, startNode } from '../support/resources.ts'
import { realPeerId } from '../support/routing.ts'
import { arrival, connected, online } from '../support/wait.ts'

/** A pause between two attempts to reach a node is 15 s at the most. */
const BACK = { timeout: 30_000, interval: 250 }

/** At which nodes a space is connected, and has a reservation. */
async function placesOf(space: Space): Promise<[state: string, isRelay: boolean][]> {
  return (await space.diagnose()).nodes.map(({ state, isRelay }) => [state, isRelay])
}

async function reservationsAt(url: string): Promise<unknown> {
  return ((await (await fetch(`${url}/healthz`)).json()) as { reservations?: unknown }).reservations
}

/**
 * A libp2p node that offers to be a relay, and says that it is reached as `addressesOf` makes it. It has no reservation
 * and goes to no member: whoever wants something of it has to go where it says.
 */
async function relayingPeer(
  addressesOf: (own: Multiaddr, peerId: string) => string[],
): Promise<Libp2p<{ relay: CircuitRelayService; pubsub: ReturnType<ReturnType<typeof chatGossipsub>> }>> {
  let peerId = ''
  const peer = await createLibp2p({
    start: false,
    addresses: {
      listen: ['/ip4/127.0.0.1/tcp/0/ws'],
      announceFilter: (own) =>
        own.flatMap((address) => addressesOf(address, peerId)).map((address) => multiaddr(address)),
    },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: (address) => /127\.0\.0\.1.*p2p-circuit/.test(`${address}`) },
    services: { identify: identify(), pubsub: chatGossipsub(), relay: circuitRelayServer() },
  })
  peerId = peer.peerId.toString()
  await peer.start()
  atEnd(() => peer.stop())
  return peer
}

/** Joins, and resolves when everybody of these is there. */
async function meet(...spaces: Space[]): Promise<GhostChat[]> {
  const chats: GhostChat[] = []
  for (const space of spaces) {
    const chat = await space.joinChat('lobby')
    await connected(chat)
    chats.push(chat)
  }
  const dids = spaces.map(({ did }) => did)
  await Promise.all(chats.map((chat) => online(chat, dids)))
  return chats
}

test('a client of two nodes has a reservation at each of them, and no problem', async () => {
  const nodes = [await startNode(), await startNode()]
  const space = await openTestSpace('reservations', { nodes: nodes.map(({ url }) => url) })
  const both = [
    ['connected', true],
    ['connected', true],
  ]
  await expect.poll(() => placesOf(space), BACK).toEqual(both)
  expect(await Promise.all(nodes.map(({ url }) => reservationsAt(url)))).toEqual([1, 1])
  const problems = async (): Promise<unknown> => (await space.diagnose()).problems.map(({ code }) => code)
  await expect.poll(problems, BACK).toEqual([])
  expect(await placesOf(space)).toEqual(both)
})

/** A proxy that says of everybody that it comes from this address. Answers its port. */
async function proxyOf(url: string, address: string): Promise<number> {
  const proxy = createServer((client) => {
    const upstream = connect(Number(new URL(url).port), '127.0.0.1')
    client.once('data', (request) => {
      upstream.write(String(request).replace('\r\n', `\r\nx-forwarded-for: ${address}\r\n`))
      client.pipe(upstream)
    })
    upstream.pipe(client)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  atEnd(() => proxy.close())
  return (proxy.address() as AddressInfo).port
}

/** How many reservations there are once another client has asked for one, over a port of this machine. */
async function reservationsAfter(node: GhostNode, port: number): Promise<unknown> {
  const client = await ownLibp2p()
  const connection = await client.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}/ws/p2p/${node.peerId}`))
  await client.services.reservations.reserveAt(connection)
  return reservationsAt(node.url)
}

test('a node gives no more reservations than it is told to', async () => {
  const node = await startNode({ maxReservations: 2 })
  const port = Number(new URL(node.url).port)
  expect(await reservationsAfter(node, port)).toBe(1)
  expect(await reservationsAfter(node, port)).toBe(2)
  expect(await reservationsAfter(node, port)).toBe(2)
})

test('a node gives no more reservations to one address than it is told to, and others to others', async () => {
  const node = await startNode({ maxReservationsPerIp: 1, trustProxy: true })
  const [crowded, other] = [await proxyOf(node.url, '192.0.2.1'), await proxyOf(node.url, '192.0.2.2')]
  expect(await reservationsAfter(node, crowded)).toBe(1)
  expect(await reservationsAfter(node, crowded)).toBe(1)
  expect(await reservationsAfter(node, other)).toBe(2)
})

test('a member that offers to be a relay gets no reservation, also when the node is gone for a while', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ghostchat-test-'))
  atEnd(() => rm(dataDir, { recursive: true }))
  const node = await startNode({ dataDir })
  const peer = await relayingPeer((own) => [own.toString()])
  const [behind] = peer.getMultiaddrs()
  const accomplice = await relayingPeer((_own, peerId) => [`${behind}/p2p-circuit/p2p/${peerId}`])
  const relay = await openTestSpace('reservations', { nodes: [node.url], libp2p: peer })
  const lure = await openTestSpace('reservations', { nodes: [node.url], libp2p: accomplice })
  const ada = await openTestSpace('reservations', { nodes: [node.url], allowPrivateAddresses: true })
  const [relaysChat, , adasChat] = (await meet(relay, lure, ada)) as [GhostChat, GhostChat, GhostChat]
  await expect.poll(() => placesOf(ada), BACK).toEqual([['connected', true]])

  // Another member, who says it is behind that relay, brings her to it: connected, over no other relay.
  await adasChat.requestBacklog()
  const adasId = peerIdFromString((await ada.diagnose()).peerId)
  const ways = (): unknown =>
    peer
      .getConnections(adasId)
      .map(({ limits, remoteAddr }) => [limits, remoteAddr.toString().includes('p2p-circuit')])
  await expect.poll(ways, BACK).toEqual([[undefined, false]])

  await node.stop()
  await expect.poll(() => placesOf(ada), BACK).not.toContainEqual(['connected', true])
  const again = await startNode({ dataDir, port: Number(new URL(node.url).port) })
  await expect.poll(() => placesOf(ada), BACK).toEqual([['connected', true]])
  expect(await reservationsAt(again.url)).toBe(1)
  expect(peer.services.relay.reservations.size).toBe(0)
  // It was there to be asked all the time.
  expect(ways()).toEqual([[undefined, false]])
  const heard = arrival(relaysChat, 'still here')
  await adasChat.send('still here')
  expect((await heard).author).toBe(ada.did)
}, 120_000)

/** A member who says it is at a port of this machine, and how often somebody knocked there. */
async function trap(): Promise<{ peer: Awaited<ReturnType<typeof relayingPeer>>; knocks: () => number }> {
  let knocks = 0
  const server = createServer((socket) => {
    knocks += 1
    socket.on('error', () => {}).destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => server.close())
  const { port } = server.address() as AddressInfo
  const there = `/ip4/127.0.0.1/tcp/${port}/ws/p2p/${realPeerId(1)}`
  const peer = await relayingPeer((_own, peerId) => [
    `/ip4/127.0.0.1/tcp/${port}/ws/p2p/${peerId}`,
    `${there}/p2p-circuit/p2p/${peerId}`,
    `${there}/p2p-circuit/webrtc/p2p/${peerId}`,
  ])
  return { peer, knocks: () => knocks }
}

test('who wants no direct connections opens no socket to where a member says it is', async () => {
  const node = await startNode()
  const { peer, knocks } = await trap()
  const member = await openTestSpace('sockets', { nodes: [node.url], libp2p: peer })
  const options = { nodes: [node.url], allowPrivateAddresses: true }
  const ada = await openTestSpace('sockets', { ...options, direct: false })
  const [, adasChat] = await meet(member, ada)
  // She asks it for what she missed, and looks for it wherever she can.
  expect(await adasChat?.requestBacklog()).toEqual([])
  expect(knocks()).toBe(0)

  // Who does want them goes there: the address got about.
  const bob = await openTestSpace('sockets', options)
  const bobsChat = await bob.joinChat('lobby')
  await online(
    bobsChat,
    [member, ada, bob].map(({ did }) => did),
  )
  await bobsChat.requestBacklog()
  await expect.poll(knocks, BACK).toBeGreaterThan(0)
}, 60_000)

test('nobody is led into its own network by where a member says it is, unless the application wants that', async () => {
  const node = await startNode()
  const { peer, knocks } = await trap()
  const member = await openTestSpace('lan', { nodes: [node.url], libp2p: peer })
  const ada = await openTestSpace('lan', { nodes: [node.url] })
  const [, adasChat] = await meet(member, ada)
  // She looks for a direct connection to it, and asks it for what she missed.
  expect(await adasChat?.requestBacklog()).toEqual([])
  expect(knocks()).toBe(0)

  const bob = await openTestSpace('lan', { nodes: [node.url], allowPrivateAddresses: true })
  const bobsChat = await bob.joinChat('lobby')
  await online(
    bobsChat,
    [member, ada, bob].map(({ did }) => did),
  )
  await bobsChat.requestBacklog()
  await expect.poll(knocks, BACK).toBeGreaterThan(0)
}, 60_000)
