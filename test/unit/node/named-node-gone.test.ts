import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p, PeerId, StreamHandler } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Ping } from '@libp2p/ping'
import type { Multiaddr } from '@multiformats/multiaddr'
import { ManualClock, settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NodePeers } from '../../../src/node/node-peers.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'

const named = peerIdFromString(realPeerId(1))
const PEER = `/ip4/192.0.2.1/tcp/4001/p2p/${named.toString()}`

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

function disconnect(peerId: PeerId): void {
  open = open.filter((other) => !other.equals(peerId))
  events.dispatchEvent(new CustomEvent('peer:disconnect', { detail: peerId }))
}

describe('the other nodes of a node', () => {
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
})
