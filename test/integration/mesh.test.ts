import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { webRTC } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { expect, test } from 'vitest'
import {
  chatGossipsub,
  type GhostChat,
  type OpenSpaceOptions,
  type PeerDiagnosis,
  type Space,
} from '../../src/index.ts'
import type { GhostNode } from '../../src/node/index.ts'
import { atEnd, barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { connected, eventOf, online } from '../support/wait.ts'

/**
 * A link takes a second or two. Node's native WebRTC loses one in thirty or so on the way: that attempt ends after
 * 15 s, and the next is made half a minute later.
 */
const LINKS = { timeout: 75_000, interval: 250 }
/** A pause between two attempts to reach a node is 15 s at the most. */
const BACK = { timeout: 30_000, interval: 250 }

/** Somebody in a room, and everything that was told there. */
interface Member {
  space: Space
  chat: GhostChat
  /** The texts of the messages that came, live or as backlog. */
  texts: string[]
  /** Who was said to have gone or come, and how the status changed. */
  events: string[]
}

async function enter(options: OpenSpaceOptions, name = 'mesh'): Promise<Member> {
  const space = await openTestSpace(name, options)
  const chat = await space.joinChat('lobby')
  const member: Member = { space, chat, texts: [], events: [] }
  chat.on('message', (_did, { text }) => member.texts.push(text))
  chat.on('backlog', (messages) => member.texts.push(...messages.map(String)))
  chat.on('user-left', (did) => member.events.push(`left ${did}`))
  chat.on('user-joined', (did) => member.events.push(`joined ${did}`))
  chat.on('status', ({ current }) => {
    // Each attempt in vain is told of as well.
    if (member.events.at(-1) !== current) member.events.push(current)
  })
  return member
}

/** Members of one room, who have all met, and of whom nothing was told yet. */
async function enterAll(...options: OpenSpaceOptions[]): Promise<Member[]> {
  const members = await Promise.all(options.map((each) => enter(each)))
  await allOnline(members)
  for (const member of members) member.events.splice(0)
  return members
}

async function allOnline(members: Member[]): Promise<void> {
  const dids = members.map(({ space }) => space.did)
  await Promise.all(members.map(({ chat }) => connected(chat)))
  await Promise.all(members.map(({ chat }) => online(chat, dids)))
}

/** How a member gets to the others, by their DIDs. */
async function pathsOf({ space }: Member): Promise<Record<string, PeerDiagnosis['path']>> {
  const { peers } = await space.diagnose()
  return Object.fromEntries(peers.map(({ did, path }) => [did, path]))
}

/** How many direct connections each of these members has. */
async function linksOf(members: Member[]): Promise<number[]> {
  const diagnoses = await Promise.all(members.map(({ space }) => space.diagnose()))
  return diagnoses.map(({ direct }) => direct.connections)
}

/** Resolves when each of these members is connected to each other one directly. */
async function linked(members: Member[]): Promise<void> {
  const paths = async (): Promise<unknown> =>
    (await Promise.all(members.map(pathsOf))).flatMap((all, index) => {
      const others = members.filter((_, other) => other !== index)
      return others.map(({ space }) => all[space.did])
    })
  const expected = members.flatMap(() => members.slice(1).map(() => 'direct'))
  await expect.poll(paths, LINKS).toEqual(expected)
}

/** Everybody says something at once; resolves when everybody has heard all of it, live. */
async function allTalk(members: Member[], what: string): Promise<void> {
  const texts = members.map((_, index) => `${what} of ${index}`)
  const heard = members.flatMap(({ chat }) =>
    texts.map((text) => eventOf(chat, 'message', (_did, message) => message.text === text)),
  )
  await Promise.all(members.map(({ chat }, index) => chat.send(texts[index] ?? '')))
  await Promise.all(heard)
}

/** Each member has heard each message of these rounds once. */
function expectOnce(members: Member[], ...rounds: string[]): void {
  const expected = rounds.flatMap((what) => members.map((_, index) => `${what} of ${index}`)).sort()
  for (const { texts } of members) expect([...texts].sort()).toEqual(expected)
}

async function health({ url }: GhostNode): Promise<Record<string, unknown>> {
  return (await (await fetch(`${url}/healthz`)).json()) as Record<string, unknown>
}

/** A node that can be stopped and started again: the same key, the same port. */
async function nodeThatReturns(): Promise<{ node: GhostNode; restart: () => Promise<GhostNode> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ghostchat-test-'))
  atEnd(() => rm(dataDir, { recursive: true }))
  const node = await startNode({ dataDir })
  return { node, restart: () => startNode({ dataDir, port: Number(new URL(node.url).port) }) }
}

test('a room whose members are connected directly goes on without its node, and all is as before when that is back', async () => {
  const { node, restart } = await nodeThatReturns()
  const options = { nodes: [node.url] }
  const members = await enterAll(options, options, options)
  await allTalk(members, 'before')
  await linked(members)
  expect(await health(node)).toMatchObject({ connections: 3, reservations: 3, registrations: 3 })
  expect(await linksOf(members)).toEqual([2, 2, 2])

  await node.stop()
  await allTalk(members, 'without')
  for (const { chat } of members) expect(chat.status.current).toBe('connected')
  const diagnosis = await members[0]?.space.diagnose()
  expect(diagnosis?.ok).toBe(true)
  expect(diagnosis?.problems.map(({ code }) => code)).toContain('node-unreachable')

  const again = await restart()
  expect(again.peerId).toBe(node.peerId)
  const counts = async (): Promise<unknown[]> => {
    const { connections, reservations, registrations } = await health(again)
    return [connections, reservations, registrations]
  }
  await expect.poll(counts, BACK).toEqual([3, 3, 3])
  await allTalk(members, 'after')
  expectOnce(members, 'before', 'without', 'after')
  expect(members.map(({ events }) => events)).toEqual([[], [], []])

  const newcomer = await enter(options)
  await allOnline([...members, newcomer])
  const backlog = await newcomer.chat.requestBacklog()
  expect(backlog.map(String).sort()).toEqual([...(members[0]?.texts ?? [])].sort())
}, 180_000)

test('who does not want direct connections makes none, and admits none', async () => {
  const node = await startNode()
  const options = { nodes: [node.url] }
  const members = await enterAll(options, options, { ...options, direct: false })
  const [ada, bob, eve] = members as [Member, Member, Member]
  await linked([ada, bob])
  expect((await pathsOf(ada))[eve.space.did]).toBe('node')
  expect(await pathsOf(eve)).toEqual({ [ada.space.did]: 'node', [bob.space.did]: 'node' })
  const { direct, problems, peerId } = await eve.space.diagnose()
  expect(direct).toMatchObject({ isWanted: false, isAvailable: false, connections: 0 })
  expect(problems).toEqual([])

  // Somebody who insists: it gets to Ada that way, and not to Eve.
  const insistent = await webRtcPeer()
  const way = (to: string): string => `${node.multiaddrs[0]}/p2p-circuit/webrtc/p2p/${to}`
  const adasId = (await ada.space.diagnose()).peerId
  const attempt = (): Promise<string> =>
    insistent.dial(multiaddr(way(adasId))).then(
      ({ status }) => status,
      () => 'failed',
    )
  await expect.poll(attempt, LINKS).toBe('open')
  await expect(insistent.dial(multiaddr(way(peerId)))).rejects.toThrow()
  expect((await eve.space.diagnose()).direct.connections).toBe(0)
  await allTalk(members, 'still')
  expectOnce(members, 'still')
}, 180_000)

/** A libp2p node that connects directly to whoever lets it, except at addresses it is not to dial. */
async function webRtcPeer(isDenied = (_address: string): boolean => false): Promise<Libp2p> {
  const peer = await createLibp2p({
    addresses: { listen: ['/p2p-circuit', '/webrtc'] },
    transports: [webSockets(), circuitRelayTransport(), webRTC()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: (address) => isDenied(address.toString()) },
    services: { identify: identify(), pubsub: chatGossipsub() },
  })
  atEnd(() => peer.stop())
  return peer
}

test('clients of two nodes that know each other are in one room, and no node keeps the other in it', async () => {
  const first = await startNode()
  const second = await startNode({ peers: [first.url] })
  const nodes = async (): Promise<unknown[]> =>
    (await Promise.all([first, second].map(health))).map((found) => found['nodes'])
  await expect.poll(nodes, BACK).toEqual([1, 1])

  const members = await enterAll(
    { nodes: [first.url], direct: false },
    { nodes: [second.url], direct: false },
  )
  await allTalk(members, 'across')
  expectOnce(members, 'across')
  const rooms = async (): Promise<unknown[]> =>
    (await Promise.all([first, second].map(health))).map((found) => found['rooms'])
  expect(await rooms()).toEqual([1, 1])

  await Promise.all(members.map(({ space }) => space.close()))
  await expect.poll(rooms, { timeout: 25_000, interval: 500 }).toEqual([0, 0])
}, 60_000)

test('a newcomer at one node gets the backlog from a member at another', async () => {
  const first = await startNode()
  const second = await startNode({ peers: [first.url] })
  await expect.poll(async () => (await health(second))['nodes'], BACK).toBe(1)
  const ada = await enter({ nodes: [first.url], direct: false })
  await connected(ada.chat)
  await ada.chat.send('written at the first node')
  await forgotten(first)
  const bob = await enter({ nodes: [second.url], direct: false })
  await online(bob.chat, [ada.space.did, bob.space.did])
  expect((await bob.chat.requestBacklog()).map(String)).toEqual(['written at the first node'])
}, 60_000)

/** Resolves when gossipsub has forgotten what was written: it offers a message to newcomers for five heartbeats. */
async function forgotten({ multiaddrs }: GhostNode): Promise<void> {
  const { pubsub } = (await barePeer(multiaddrs[0] ?? '')).services
  for (let beats = 0; beats < 6; beats += 1) {
    await new Promise((resolve) => pubsub.addEventListener('gossipsub:heartbeat', resolve, { once: true }))
  }
}

test('clients of two nodes talk as long as one of them runs, and again when one is back', async () => {
  const [first, second] = [await nodeThatReturns(), await nodeThatReturns()]
  const options = { nodes: [first.node.url, second.node.url], direct: false }
  const members = await enterAll(options, options)
  await expect.poll(async () => (await health(first.node))['connections']).toBe(2)
  await expect.poll(async () => (await health(second.node))['connections']).toBe(2)

  await first.node.stop()
  await allTalk(members, 'over the second')
  expect(members.map(({ events }) => events)).toEqual([[], []])

  const lost = members.map(({ chat }) => eventOf(chat, 'status', ({ current }) => current === 'reconnecting'))
  await second.node.stop()
  await Promise.all(lost)
  const back = members.map(({ chat }) => eventOf(chat, 'status', ({ current }) => current === 'connected'))
  await first.restart()
  await Promise.all(back)
  await allTalk(members, 'over the first')
  expectOnce(members, 'over the second', 'over the first')
  expect(members.map(({ events }) => events)).toEqual(members.map(() => ['reconnecting', 'connected']))
}, 180_000)

test('two halves of a room, each at a node of its own, are one as soon as somebody is at both nodes', async () => {
  const [first, second] = [await startNode(), await startNode()]
  const cable = await cableTo(second)
  cable.cut()
  const ada = await enter({ nodes: [first.url, cable.address], direct: false })
  const bob = await enter({ nodes: [second.url], direct: false })
  await Promise.all([ada, bob].map(({ chat }) => connected(chat)))
  await bob.chat.send('is anybody here?')
  await Promise.all([first, second].map(forgotten))

  const met = allOnline([ada, bob]).then(() => 'met')
  await cable.mend()
  const states = async (): Promise<string[]> => (await ada.space.diagnose()).nodes.map(({ state }) => state)
  await expect.poll(states, BACK).toEqual(['connected', 'connected'])
  // A presence that nobody heard is renewed every 30 s; who has just come within reach does not wait for that.
  const tooLate = new Promise<string>((resolve) => setTimeout(resolve, 10_000, 'too late'))
  expect(await Promise.race([met, tooLate])).toBe('met')
  await expect.poll(() => ada.texts, BACK).toEqual(['is anybody here?'])
}, 60_000)

test('who loses the way to one of its nodes and keeps the other is not taken for gone', async () => {
  const first = await startNode()
  const second = await startNode()
  const cable = await cableTo(first)
  const [ada, bob] = (await enterAll(
    { nodes: [first.url, second.url], direct: false },
    { nodes: [cable.address, second.url], direct: false },
  )) as [Member, Member]
  const wills = async (): Promise<unknown> => (await health(first))['wills']
  await expect.poll(wills).toBe(2)

  cable.cut()
  await expect.poll(async () => (await health(first))['connections']).toBe(1)
  // When it has waited for 10 s in vain, the node publishes what Bob left with it, or has dropped it before.
  await expect.poll(wills, { timeout: 20_000, interval: 250 }).toBe(1)
  await allTalk([ada, bob], 'still here')
  expect([ada.events, bob.events]).toEqual([[], []])
}, 60_000)

/** A way to a node that can be cut, and mended. */
async function cableTo(
  node: GhostNode,
): Promise<{ address: string; cut: () => void; mend: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(new URL(node.url).port), '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far).pipe(near)
  })
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  const cut = (): void => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  atEnd(cut)
  return {
    address: `/ip4/127.0.0.1/tcp/${port}/ws/p2p/${node.peerId}`,
    cut,
    mend: () => listen(port),
  }
}

test('a direct connection that ends while both are connected to the node is no loss', async () => {
  const node = await startNode()
  const cable = await cableTo(node)
  let isBroken = false
  const own = await webRtcPeer((address) => isBroken && address.includes('/webrtc/'))
  const [ada, bob, eve] = (await enterAll(
    { nodes: [node.url], libp2p: own },
    { nodes: [node.url] },
    { nodes: [cable.address], direct: false },
  )) as [Member, Member, Member]
  await linked([ada, bob])
  await expect.poll(async () => (await health(node))['wills'], BACK).toBe(3)

  // The direct way ends, and nobody finds another: no offer gets out, and none is taken.
  isBroken = true
  await own.unhandle('/webrtc-signaling/0.0.1')
  const bobsId = peerIdFromString((await bob.space.diagnose()).peerId)
  const path = async (): Promise<unknown> => (await pathsOf(ada))[bob.space.did]
  const pathOnceCut = async (): Promise<unknown> => {
    // One that was being made may have come about meanwhile.
    await own.hangUp(bobsId)
    return path()
  }
  await expect.poll(pathOnceCut, LINKS).toBe('node')

  // Eve goes later, and without a word. Once she is taken for gone, Bob would have been long ago.
  const noticed = [ada, bob].map(({ chat }) => eventOf(chat, 'user-left', (did) => did === eve.space.did))
  cable.cut()
  await Promise.all(noticed)
  expect([ada.events, bob.events]).toEqual([[`left ${eve.space.did}`], [`left ${eve.space.did}`]])
  expect(await path()).toBe('node')
  await allTalk([ada, bob], 'still here')
  expectOnce([ada, bob], 'still here')
}, 180_000)
