import { peerIdFromString } from '@libp2p/peer-id'
import { ManualClock, settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { KnownNodes } from '../../../src/network/known-nodes.ts'
import type { NodeInfo } from '../../../src/wire/node-info.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'
import { codeOf } from '../../support/world.ts'

const [id, otherId, memberId] = [realPeerId(1), realPeerId(2), realPeerId(3)]
const URL_NAME = 'https://node.example'
const URL_ADDRESS = '/dns/node.example/tcp/443/tls/ws'
const ADDRESS_NAME = `/dns4/other.example/tcp/443/tls/ws/p2p/${otherId}`
const TURN = { urls: 'turn:turn.example:3478', username: '1', credential: 'secret' }
const MINUTES = 60_000
const never = new AbortController().signal

let clock: ManualClock
let asked: string[]
/** What the nodes say of themselves; one that is not in it does not answer. */
let infos: Map<string, Partial<NodeInfo>>
/** How long an answer takes. */
let answerMs: number
let known: KnownNodes

beforeEach(() => {
  clock = new ManualClock(NOW)
  known = new KnownNodes(clock)
  asked = []
  infos = new Map([
    ['node.example', {}],
    ['other.example', { peerId: otherId }],
    ['192.0.2.1', {}],
    ['[2001:db8::1]', {}],
  ])
  answerMs = 0
  vi.stubGlobal('fetch', async (url: URL) => {
    asked.push(url.href)
    const info = infos.get(url.hostname)
    if (answerMs > 0) await clock.advance(answerMs)
    if (info === undefined) throw new TypeError('fetch failed')
    const whole = {
      version: '1.2.3',
      peerId: id,
      multiaddrs: [],
      time: clock.now(),
      iceServers: [],
      peers: [],
    }
    return Response.json({ ...whole, ...info })
  })
})
afterEach(() => {
  vi.unstubAllGlobals()
})

/** Adds a node and looks up where it is, and what it says of itself. */
async function locate(entry: string): Promise<string[]> {
  const { addresses, described } = await known.locate(known.add(entry), never)
  await described
  return addresses.map(String)
}

describe('the nodes of a client', () => {
  it('are one for each name', async () => {
    const node = known.add(URL_NAME)
    expect(known.add(URL_NAME)).toBe(node)
    known.add(ADDRESS_NAME)
    expect(known.all.map(({ name }) => name)).toEqual([URL_NAME, ADDRESS_NAME])
    known.remove(node)
    expect(known.all.map(({ name }) => name)).toEqual([ADDRESS_NAME])
    expect(await codeOf(() => known.add('node.example'))).toBe('invalid-node')
    expect(known.all).toHaveLength(1)
  })

  it('are at the host and port of their URL, and asked for the rest on the side, each time', async () => {
    expect(await locate(URL_NAME)).toEqual([URL_ADDRESS])
    expect(await locate('http://[2001:db8::1]:8787')).toEqual(['/ip6/2001:db8::1/tcp/8787/ws'])
    expect(await locate('http://192.0.2.1:8787')).toEqual(['/ip4/192.0.2.1/tcp/8787/ws'])
    expect(await locate(URL_NAME)).toEqual([URL_ADDRESS])
    expect(asked[0]).toBe('https://node.example/.well-known/ghostchat.json')
    expect(asked).toHaveLength(4)
  })

  it('are where their multiaddr says, and asked for the rest on the side', async () => {
    infos.set('other.example', { stunPort: 3478 })
    expect(await locate(ADDRESS_NAME)).toEqual([ADDRESS_NAME])
    expect(asked).toEqual(['https://other.example/.well-known/ghostchat.json'])
    expect(await known.iceServers()).toEqual([{ urls: 'stun:other.example:3478' }])
  })

  it('are asked where they are at a URL that has a path', async () => {
    const multiaddrs = [`/dns/inside.example/tcp/443/tls/ws/p2p/${id}`]
    infos.set('node.example', { multiaddrs: [...multiaddrs, `/ip4/10.0.0.1/tcp/1/ws/p2p/${otherId}`] })
    expect(await locate(`${URL_NAME}/base`)).toEqual(multiaddrs)
    expect(asked).toEqual(['https://node.example/base/.well-known/ghostchat.json'])
    infos.clear()
    await expect(known.locate(known.add(`${URL_NAME}/base`), never)).rejects.toThrow('fetch failed')
  })

  it('need not describe themselves, and say why they do not to who wants to know', async () => {
    infos.clear()
    for (const name of [URL_NAME, ADDRESS_NAME]) {
      const { addresses, described } = await known.locate(known.add(name), never)
      expect(addresses).toHaveLength(1)
      // A promise that nobody looks at yet must not take the process down.
      await settle()
      await expect(described).rejects.toThrow('fetch failed')
    }
    expect(await locate(`/ip4/192.0.2.1/tcp/4001/p2p/${id}`)).toEqual([`/ip4/192.0.2.1/tcp/4001/p2p/${id}`])
    expect(asked).toHaveLength(2)
  })

  it.each([
    ['as long as it was asked after what it says', -45_000, 45_000],
    ['as long as it answered before what it says', 200 + 45_000, -45_000],
    ['and not where it may have looked at its clock in between', 150, 0],
  ])('tell how far this clock is off theirs, %s', async (_when, time, clockOffsetMs) => {
    answerMs = 200
    infos.set('node.example', { time: NOW + time })
    const node = known.add(URL_NAME)
    await (await known.locate(node, never)).described
    expect(node).toMatchObject({ clockOffsetMs, infoMs: 200, infoAt: NOW + 200 })
  })

  it('are not taken for off because their answer took minutes', async () => {
    answerMs = 180_000
    infos.set('node.example', { time: NOW + 179_000 })
    const node = known.add(URL_NAME)
    await (await known.locate(node, never)).described
    expect(node.clockOffsetMs).toBe(0)
  })

  it('are known by their peer ids once they were reached', () => {
    const node = known.add(URL_NAME)
    expect(known.has(peerIdFromString(id))).toBe(false)
    node.peerId = peerIdFromString(id)
    expect([id, otherId].map((peerId) => known.has(peerIdFromString(peerId)))).toEqual([true, false])
  })
})

describe('what the nodes of a client vouch for', () => {
  it('is their own machine and port, and those of the nodes they exchange gossip with', async () => {
    const peer = `/ip4/10.0.0.2/tcp/8787/ws/p2p/${otherId}`
    infos.set('node.example', { peers: [peer, 'rubbish'] })
    const node = known.add(URL_NAME)
    expect(known.isTrusted('/ip4/10.0.0.2/tcp/8787/ws')).toBe(false)
    await locate(URL_NAME)
    const trusted = ['/dns/node.example/tcp/443/tls/ws', '/ip4/10.0.0.2/tcp/8787/ws']
    expect(trusted.map((host) => known.isTrusted(host))).toEqual([true, true])
    for (const host of [
      '/ip4/10.0.0.2/tcp/22/ws',
      '/ip4/10.0.0.2/tcp/8787',
      '/ip4/10.0.0.3/tcp/8787/ws',
      '',
    ]) {
      expect(known.isTrusted(host)).toBe(false)
    }
    known.remove(node)
    expect(trusted.map((host) => known.isTrusted(host))).toEqual([false, false])
  })

  it('is the machines of 16 peers and not one more', async () => {
    const peers = Array.from({ length: 17 }, (_, index) => `/ip4/10.0.0.${index}/tcp/1/ws/p2p/${otherId}`)
    infos.set('node.example', { peers })
    await locate(URL_NAME)
    expect(known.isTrusted('/ip4/10.0.0.15/tcp/1/ws')).toBe(true)
    expect(known.isTrusted('/ip4/10.0.0.16/tcp/1/ws')).toBe(false)
  })

  it('is no machine that nobody named: an empty host of a peer is none', async () => {
    infos.set('node.example', { peers: [`/p2p/${otherId}`, `/p2p-circuit/p2p/${otherId}`] })
    await locate(URL_NAME)
    expect(known.isTrusted('')).toBe(false)
  })
})

describe('the ways to a member', () => {
  it('lead through all nodes that were looked up', async () => {
    known.add('https://unknown.example')
    await locate(URL_NAME)
    await locate(ADDRESS_NAME)
    const [node] = known.all.filter(({ name }) => name === URL_NAME)
    if (node !== undefined) node.peerId = peerIdFromString(id)
    expect(known.routesTo(memberId).map(String)).toEqual([
      `${URL_ADDRESS}/p2p/${id}/p2p-circuit/p2p/${memberId}`,
      `${ADDRESS_NAME}/p2p-circuit/p2p/${memberId}`,
    ])
  })

  it('name the node by its peer id once it was reached', async () => {
    await locate(URL_NAME)
    expect(known.routesTo(memberId).map(String)).toEqual([`${URL_ADDRESS}/p2p-circuit/p2p/${memberId}`])
  })
})

describe('the ICE servers of the nodes', () => {
  it('are STUN of each node and what it names, of nodes that answered', async () => {
    infos.set('node.example', { stunPort: 8787, iceServers: [TURN] })
    known.add('https://unknown.example')
    await locate(URL_NAME)
    await locate(ADDRESS_NAME)
    expect(await known.iceServers()).toEqual([{ urls: 'stun:node.example:8787' }, TURN])
  })

  it('write an IPv6 address as a URL does', async () => {
    infos.set('[2001:db8::1]', { stunPort: 8787 })
    await locate('http://[2001:db8::1]:8787')
    expect(await known.iceServers()).toEqual([{ urls: 'stun:[2001:db8::1]:8787' }])
  })

  it('have credentials that are fetched anew when they are ten minutes old, and not before', async () => {
    infos.set('node.example', { iceServers: [TURN] })
    await locate(URL_NAME)
    await locate(ADDRESS_NAME)
    asked = []
    const renewed = { ...TURN, credential: 'renewed' }
    infos.set('node.example', { iceServers: [renewed] })
    await clock.advance(10 * MINUTES - 1)
    expect(await known.iceServers()).toEqual([TURN])
    await clock.advance(1)
    expect(await known.iceServers()).toEqual([renewed])
    expect(await known.iceServers()).toEqual([renewed])
    expect(asked).toEqual(['https://node.example/.well-known/ghostchat.json'])
  })

  it('stay as they were when the node does not answer', async () => {
    infos.set('node.example', { iceServers: [TURN] })
    await locate(URL_NAME)
    infos.clear()
    await clock.advance(10 * MINUTES)
    expect(await known.iceServers()).toEqual([TURN])
  })
})
