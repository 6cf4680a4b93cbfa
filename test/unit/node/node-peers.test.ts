import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p, PeerId, Stream, StreamHandler } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Ping } from '@libp2p/ping'
import type { Multiaddr } from '@multiformats/multiaddr'
import { ManualClock, settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NODE_PROTOCOL, NodePeers } from '../../../src/node/node-peers.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'
import { codeOf } from '../../support/world.ts'

const [named, stranger] = [peerIdFromString(realPeerId(1)), peerIdFromString(realPeerId(2))]
const PEER = `/ip4/192.0.2.1/tcp/4001/p2p/${named.toString()}`
const IDENTIFY = '/ipfs/id/1.0.0'

let clock: ManualClock
let events: EventTarget
let dials: string[]
let dial: () => Promise<{ remotePeer: PeerId }>
let open: PeerId[]
let handlers: Map<string, StreamHandler>
let warnings: string[]
let changes: string[][]
let answersPing: boolean
let addressOf: (peerId: string) => string | undefined
let peers: NodePeers

beforeEach(() => {
  clock = new ManualClock(NOW)
  events = new EventTarget()
  dials = []
  open = []
  handlers = new Map()
  warnings = []
  changes = []
  answersPing = true
  addressOf = () => undefined
  dial = async () => {
    open = [named]
    return { remotePeer: named }
  }
})
afterEach(async () => {
  peers.stop()
  await settle()
  expect(clock.pending).toBe(0)
})

function createPeers(...names: string[]): NodePeers {
  const libp2p = {
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
    handle: async (protocol: string, handler: StreamHandler) => void handlers.set(protocol, handler),
    getConnections: (peerId: PeerId) => open.filter((other) => other.equals(peerId)),
    peerStore: { merge: async () => ({}) },
    hangUp: async (peerId: PeerId) => disconnect(peerId),
    dial: (addresses: Multiaddr[]) => {
      dials.push(...addresses.map(String))
      return dial()
    },
  } as unknown as Libp2p
  const created: NodePeers = new NodePeers({
    libp2p,
    pubsub: { getPeers: () => open } as unknown as GossipSub,
    ping: {
      ping: async () => (answersPing ? 1 : Promise.reject(new Error('no answer'))),
    } as unknown as Ping,
    clock,
    random: { bytes: (length) => new Uint8Array(length), fraction: () => 1 },
    logger: { debug: () => {}, warn: (message) => void warnings.push(message) },
    peers: names,
    addressOf: (peerId) => addressOf(peerId),
    onChange: () => changes.push(created.connected.map(String)),
  })
  return created
}

async function start(...names: string[]): Promise<void> {
  peers = createPeers(...names)
  await peers.start()
  await settle()
}

function identified(peerId: PeerId, ...protocols: string[]): void {
  if (!open.some((other) => other.equals(peerId))) open = [...open, peerId]
  identifiedLate(peerId, ...protocols)
}

/** What it says of itself comes, whether or not it is still there. */
function identifiedLate(peerId: PeerId, ...protocols: string[]): void {
  events.dispatchEvent(new CustomEvent('peer:identify', { detail: { peerId, protocols } }))
}

function disconnect(peerId: PeerId): void {
  open = open.filter((other) => !other.equals(peerId))
  events.dispatchEvent(new CustomEvent('peer:disconnect', { detail: peerId }))
}

describe('the other nodes of a node', () => {
  it('asks a node it was told of every 5 s whether it is there, and connects anew to one that is not', async () => {
    await start(PEER)
    await clock.advance(60_000)
    expect(dials).toEqual([PEER])
    answersPing = false
    await clock.advance(5_000)
    expect(dials).toEqual([PEER, PEER])
  })

  it('tries one that does not answer at least every 2 s: whole rooms may wait for it', async () => {
    dial = async () => Promise.reject(new Error('no route'))
    await start(PEER)
    await clock.advance(60_000)
    expect(dials.length).toBeGreaterThanOrEqual(30)
  })

  it('are those it was told of, once they were reached', async () => {
    await start(PEER)
    expect(dials).toEqual([PEER])
    expect(peers.has(named)).toBe(true)
    expect(changes).toEqual([[named.toString()]])
    expect(peers.addresses).toEqual([PEER])
  })

  it('are none of those it was told of that went in the moment they were reached', async () => {
    dial = async () => {
      // It is gone before its tag was written.
      queueMicrotask(() => disconnect(named))
      open = [named]
      return { remotePeer: named }
    }
    await start(PEER)
    expect(open).toEqual([])
    expect(peers.has(named)).toBe(false)
    expect(peers.connected).toEqual([])
    dial = async () => Promise.reject(new Error('no route'))
    await clock.advance(60_000)
    expect(peers.connected).toEqual([])
  })

  it('are those that were told of it: they speak the protocol of nodes', async () => {
    await start()
    identified(stranger, IDENTIFY, NODE_PROTOCOL)
    expect(peers.has(stranger)).toBe(true)
    expect(peers.connected.map(String)).toEqual([stranger.toString()])
    expect(changes).toEqual([[stranger.toString()]])
    expect(peers.addresses).toEqual([])
  })

  it('are not its clients', async () => {
    await start(PEER)
    changes = []
    identified(stranger, IDENTIFY, '/meshsub/1.2.0')
    expect(peers.has(stranger)).toBe(false)
    disconnect(stranger)
    expect(changes).toEqual([])
  })

  it('count once, however it got to know them', async () => {
    await start(PEER)
    identified(named, NODE_PROTOCOL)
    identified(named, NODE_PROTOCOL)
    expect(peers.connected).toHaveLength(1)
    expect(changes).toHaveLength(1)
  })

  it('are none any more when the connection ends, and the link to one it was told of is made again', async () => {
    await start(PEER)
    identified(stranger, NODE_PROTOCOL)
    await clock.advance(20_000)
    changes = []
    disconnect(stranger)
    disconnect(named)
    expect(changes).toEqual([[named.toString()], []])
    await settle()
    expect(dials).toHaveLength(2)
    expect(peers.connected.map(String)).toEqual([named.toString()])
    await clock.advance(60_000)
    expect(peers.has(stranger)).toBe(false)
  })

  it('are none of those that went before what they said of themselves was read', async () => {
    await start()
    identifiedLate(stranger, NODE_PROTOCOL)
    expect(peers.has(stranger)).toBe(false)
    expect(changes).toEqual([])
  })

  it('are 64 at the most', async () => {
    addressOf = (peerId) => peerId
    await start()
    const many = Array.from({ length: 65 }, (_, index) => peerIdFromString(realPeerId(index + 10)))
    for (const peerId of many) identified(peerId, NODE_PROTOCOL)
    expect(peers.connected).toHaveLength(64)
    disconnect(many[0] ?? stranger)
    identified(many[64] ?? stranger, NODE_PROTOCOL)
    expect(peers.has(many[64] ?? stranger)).toBe(true)
  })

  it('are 16 of one address at the most', async () => {
    await start()
    const many = Array.from({ length: 17 }, (_, index) => peerIdFromString(realPeerId(index + 10)))
    for (const peerId of many) identified(peerId, NODE_PROTOCOL)
    expect(peers.connected).toHaveLength(16)
  })

  it('give way at the most crowded address to one from elsewhere, and are told of then', async () => {
    const many = Array.from({ length: 64 }, (_, index) => peerIdFromString(realPeerId(index + 10)))
    // Sixteen at each of four addresses.
    addressOf = (peerId) => String(many.findIndex((other) => other.toString() === peerId) % 4)
    await start()
    for (const peerId of many) identified(peerId, NODE_PROTOCOL)
    expect(peers.connected).toHaveLength(64)
    changes = []
    identified(stranger, NODE_PROTOCOL)
    expect(peers.has(stranger)).toBe(true)
    expect(changes.map(({ length }) => length)).toEqual([63, 64])
  })

  it('that were named give way to nobody, also when they were there before they were reached', async () => {
    let reach = (): void => {}
    dial = () => new Promise((resolve) => (reach = () => resolve({ remotePeer: named })))
    await start(PEER)
    const many = Array.from({ length: 15 }, (_, index) => peerIdFromString(realPeerId(index + 10)))
    addressOf = () => 'one address'
    for (const peerId of [named, ...many]) identified(peerId, NODE_PROTOCOL)
    open = [named]
    reach()
    await settle()
    // The place it had is another's now.
    identified(stranger, NODE_PROTOCOL)
    expect(peers.connected).toHaveLength(17)
    expect([named, stranger].map((peerId) => peers.has(peerId))).toEqual([true, true])
  })

  it('are tried again when they cannot be reached, and a warning says so', async () => {
    dial = async () => Promise.reject(new Error('no route'))
    await start(PEER)
    await clock.advance(1_500)
    expect(dials).toHaveLength(3)
    expect(warnings[0]).toContain(`unable to reach the node ${PEER}; no route`)
    expect([changes, peers.connected]).toEqual([[], []])
  })

  it('have nothing to say over the protocol they know each other by', async () => {
    await start()
    const aborted: Error[] = []
    const stream = { abort: (error: Error) => aborted.push(error) } as unknown as Stream
    await handlers.get(NODE_PROTOCOL)?.(stream, {} as never)
    expect(aborted).toHaveLength(1)
  })

  it('are given up when the node stops', async () => {
    await start(PEER)
    peers.stop()
    disconnect(named)
    identified(stranger, NODE_PROTOCOL)
    await clock.advance(60_000)
    expect(dials).toHaveLength(1)
    expect(changes).toEqual([[named.toString()]])
  })

  it('are refused when their names make no sense', async () => {
    await start()
    expect(await codeOf(() => createPeers('node.example'))).toBe('invalid-node')
  })
})
