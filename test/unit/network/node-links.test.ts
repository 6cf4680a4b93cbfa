import { generateKeyPair } from '@libp2p/crypto/keys'
import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { ManualClock, settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GhostChatError } from '../../../src/errors.ts'
import { NodeLink } from '../../../src/network/node-links.ts'
import { NOW } from '../../support/authors.ts'
import { settles } from '../../support/world.ts'

const address = multiaddr('/ip4/127.0.0.1/tcp/1/ws')
let clock: ManualClock
let node: PeerId
let other: PeerId
let dials: number[]
let connected: boolean
let others: object[]
let dial: (addresses: Multiaddr[], options: { signal: AbortSignal }) => Promise<{ remotePeer: PeerId }>
let described: Promise<void>
let resolve: (signal: AbortSignal) => Promise<Multiaddr[]>
let failures: GhostChatError[]
let attempts: number[]
let told: string[]
let answersPing: boolean
let noAnswer: Error
let events: EventTarget
let gossiping: boolean
let link: NodeLink
let running: Promise<void>

beforeEach(async () => {
  clock = new ManualClock(NOW)
  node = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  other = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  dials = []
  failures = []
  attempts = []
  told = []
  answersPing = true
  noAnswer = new Error('no answer')
  connected = false
  others = []
  gossiping = true
  events = new EventTarget()
  resolve = async () => [address]
  described = Promise.resolve()
  dial = async () => Promise.reject(new Error('no route'))
  const libp2p = {
    dial: (addresses: Multiaddr[], options: { signal: AbortSignal }) => {
      dials.push(clock.now() - NOW)
      return dial(addresses, options)
    },
    peerStore: { merge: async () => ({}) },
    getConnections: () => [
      ...others,
      ...(connected ? [{ status: 'open', remotePeer: node, remoteAddr: address }] : []),
    ],
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
    hangUp: async (peerId: PeerId) => disconnect(peerId),
  } as unknown as Libp2p
  link = new NodeLink({
    libp2p,
    clock,
    random: { bytes: (length) => new Uint8Array(length), fraction: () => 1 },
    name: 'https://node.example',
    resolve: async (signal) => ({ addresses: await resolve(signal), described }),
    pubsub: { streamsOutbound: { has: () => gossiping } } as unknown as GossipSub,
    ping: async () => (answersPing ? undefined : Promise.reject(noAnswer)),
    onConnected: ({ remotePeer }) =>
      told.push(remotePeer === node ? 'connected' : 'connected to somebody else'),
    onLost: () => told.push('lost'),
    onFailure: (error, at) => {
      failures.push(error)
      attempts.push(at - NOW)
    },
  })
})
afterEach(async () => {
  link.close()
  expect(await settles(running)).toBe(true)
  expect(clock.pending).toBe(0)
})

function run(): void {
  running = link.run()
}

function succeed(): void {
  dial = async () => {
    connected = true
    return { remotePeer: node }
  }
}

function disconnect(peerId: PeerId): void {
  if (peerId === node) connected = false
  events.dispatchEvent(new CustomEvent('peer:disconnect', { detail: peerId }))
}

describe('the link to a node', () => {
  it('dials, and rests while it is connected', async () => {
    succeed()
    run()
    await settle()
    await clock.advance(100_000)
    expect(dials).toEqual([0])
    expect(failures).toEqual([])
    expect(told).toEqual(['connected'])
    expect(link.state).toEqual({ kind: 'connected', since: NOW })
    expect(link.peerId?.equals(node)).toBe(true)
  })

  it('dials again at once when a connection that held is lost, and only then', async () => {
    succeed()
    run()
    await settle()
    await clock.advance(12_000)
    disconnect(other)
    await settle()
    expect(dials).toEqual([0])
    disconnect(node)
    await settle()
    expect(dials).toEqual([0, 12_000])
    expect(told).toEqual(['connected', 'lost', 'connected'])
  })

  it('backs off from a node that accepts and drops, without calling it unreachable', async () => {
    dial = async () => ({ remotePeer: node })
    run()
    await settle()
    await clock.advance(20_000)
    const pauses = dials.slice(1).map((at, index) => at - (dials[index] ?? 0))
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000])
    expect(failures).toEqual([])
  })

  it('ends a connection over which nothing can be gossiped any more, and makes another', async () => {
    succeed()
    run()
    await settle()
    await clock.advance(14_000)
    gossiping = false
    await clock.advance(1_000)
    gossiping = true
    await clock.advance(60_000)
    expect(dials).toEqual([0, 15_000])
  })

  it('doubles its pauses from half a second to 15 s', async () => {
    run()
    await settle()
    await clock.advance(60_000)
    const pauses = dials.slice(1).map((at, index) => at - (dials[index] ?? 0))
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000])
    expect(failures[0]).toMatchObject({ code: 'node-unreachable' })
    expect(failures[0]?.message).toContain('https://node.example')
    expect(failures[0]?.message).toContain('no route')
    expect(failures[0]?.message).toContain('0.5 s')
    expect(attempts.slice(0, 3)).toEqual([500, 1_500, 3_500])
    expect(link.state).toEqual({ kind: 'waiting', nextAttemptAt: NOW + 60_500, reason: 'no route' })
  })

  it('begins its pauses anew after a success', async () => {
    run()
    await settle()
    await clock.advance(10_000)
    succeed()
    await clock.advance(30_000)
    dial = async () => Promise.reject(new Error('no route'))
    dials.length = 0
    const lostAt = clock.now() - NOW
    disconnect(node)
    await settle()
    await clock.advance(2_000)
    expect(dials.map((at) => at - lostAt)).toEqual([0, 500, 1_500])
  })

  it('tries at once when it is woken', async () => {
    run()
    await settle()
    await clock.advance(10_000)
    const before = dials.length
    succeed()
    link.wake()
    await settle()
    expect(dials.slice(before)).toEqual([10_000])
    link.wake()
    await settle()
    expect(dials).toHaveLength(before + 1)
  })

  it('keeps its connection where another ping is under way when it is woken', async () => {
    succeed()
    run()
    await settle()
    answersPing = false
    noAnswer = Object.assign(new Error('1/1'), { name: 'TooManyOutboundProtocolStreamsError' })
    link.wake()
    await settle()
    expect(told).toEqual(['connected'])
  })

  it('gives a connection up that does not answer when it is woken, and keeps one that does', async () => {
    succeed()
    run()
    await settle()
    await clock.advance(20_000)
    link.wake()
    await settle()
    expect(dials).toEqual([0])
    answersPing = false
    link.wake()
    await settle()
    expect(dials).toEqual([0, 20_000])
  })

  it('says what the description says is wrong, which is more than a WebSocket does', async () => {
    described = Promise.reject(new Error('it answers 404'))
    described.catch(() => {})
    run()
    await settle()
    expect(failures[0]?.message).toContain('it answers 404')
    expect(failures[0]?.message).not.toContain('no route')
  })

  it('does not take a direct connection to a member, whose address begins with the node, for one to the node', async () => {
    const way = multiaddr(`${address}/p2p/${node.toString()}/p2p-circuit/webrtc/p2p/${other.toString()}`)
    others = [{ status: 'open', remotePeer: other, remoteAddr: way }]
    succeed()
    run()
    await settle()
    expect(dials).toEqual([0])
    expect(told).toEqual(['connected'])
  })

  it('uses a connection there is already', async () => {
    connected = true
    run()
    await settle()
    await clock.advance(10_000)
    expect(dials).toEqual([])
    expect(told).toEqual(['connected'])
  })

  it('connects to a node that does not describe itself', async () => {
    described = Promise.reject(new Error('it answers 404'))
    described.catch(() => {})
    succeed()
    run()
    await settle()
    expect(told).toEqual(['connected'])
    expect(failures).toEqual([])
  })

  it('asks anew where the node is before each attempt', async () => {
    let asked = 0
    resolve = async () => {
      asked += 1
      if (asked < 3) throw new Error('it answers 502')
      return [address]
    }
    succeed()
    run()
    await settle()
    await clock.advance(1_500)
    expect([asked, dials.length]).toEqual([3, 1])
    expect(failures.map(({ message }) => message.includes('it answers 502'))).toEqual([true, true])
  })

  it.each(['resolve', 'dial'] as const)('gives an attempt 10 s: %s', async (step) => {
    const hang = (signal: AbortSignal): Promise<never> =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    if (step === 'resolve') resolve = hang
    else dial = (_addresses, { signal }) => hang(signal)
    run()
    await settle()
    await clock.advance(9_999)
    expect(failures).toEqual([])
    await clock.advance(1)
    expect(failures.map(({ message }) => message)).toEqual([expect.stringContaining('no answer in 10 s')])
  })

  it('ends when it is closed: connected, pausing or dialling, and blames nobody', async () => {
    dial = (_addresses, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    run()
    await settle()
    link.close()
    expect(await settles(running)).toBe(true)
    expect(failures).toEqual([])
    link.wake()
    await settle()
    expect(dials).toEqual([0])
  })

  it('ends when it is closed in a pause', async () => {
    run()
    await settle()
    link.close()
    expect(await settles(running)).toBe(true)
    expect(dials).toEqual([0])
  })
})
