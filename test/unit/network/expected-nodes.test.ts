import type { GossipSub } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { ExpectedNodes } from '../../../src/network/expected-nodes.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'

const [node, other] = [peerIdFromString(realPeerId(1)), peerIdFromString(realPeerId(2))]
const [id, otherId] = [node.toString(), other.toString()]

/** As much of gossipsub as it takes: who is subscribed, what was grafted, and what was told on the way. */
class FakePubsub {
  readonly streamsInbound = new Map<string, unknown>()
  readonly streamsOutbound = new Map<string, unknown>()
  readonly mesh = new Map<string, Set<string>>()
  readonly backoff = new Map<string, Map<string, number>>()
  readonly calls: unknown[][] = []
  readonly #subscribers = new Map<string, Set<PeerId>>()
  takes = true

  getSubscribers(topic: string): PeerId[] {
    return [...(this.#subscribers.get(topic) ?? [])]
  }

  handleReceivedSubscription(peerId: PeerId, topic: string, subscribe: boolean): boolean {
    this.calls.push([subscribe ? 'subscribed' : 'unsubscribed', topic, peerId.toString()])
    const subscribers = this.#subscribers.get(topic) ?? new Set()
    this.#subscribers.set(topic, subscribers)
    if (!this.takes) return false
    if (subscribe) subscribers.add(peerId)
    else subscribers.delete(peerId)
    return true
  }

  addToMesh(peerId: string, topic: string, reason: string): void {
    this.calls.push(['in the mesh', topic, peerId, reason])
    this.mesh.get(topic)?.add(peerId)
  }

  sendGraft(peerId: string, topics: string[]): void {
    this.calls.push(['grafted', ...topics, peerId])
  }

  /** Gossipsub has a stream each way with this peer. */
  connect(peerId: string): void {
    this.streamsInbound.set(peerId, {})
    this.streamsOutbound.set(peerId, {})
  }
}

let clock: ManualClock
let pubsub: FakePubsub
let disappointed: [topic: string, peerId: string][]
let expected: ExpectedNodes

beforeEach(() => {
  clock = new ManualClock(NOW)
  pubsub = new FakePubsub()
  for (const topic of ['a', 'b']) pubsub.mesh.set(topic, new Set())
  disappointed = []
  expected = expectedAt(pubsub)
})

function expectedAt(pubsub: object): ExpectedNodes {
  return new ExpectedNodes({
    pubsub: pubsub as unknown as GossipSub,
    clock,
    onDisappointed: (...disappointment) => disappointed.push(disappointment),
  })
}

describe('a node that hears of a topic', () => {
  it('is taken for subscribed, and asked for messages, once there is a stream each way', () => {
    pubsub.connect(id)
    expect(expected.expect('a', node)).toBe(true)
    expect(pubsub.calls).toEqual([
      ['subscribed', 'a', id],
      ['in the mesh', 'a', id, 'subscribed'],
      ['grafted', 'a', id],
    ])
    expect(clock.pending).toBe(1)
  })

  it('is expected once, however often it is looked at', async () => {
    pubsub.connect(id)
    expected.expect('a', node)
    const before = pubsub.calls.length
    expect(expected.expect('a', node)).toBe(true)
    // Also when gossipsub forgot it meanwhile.
    pubsub.handleReceivedSubscription(node, 'a', false)
    expect(expected.expect('a', node)).toBe(true)
    expect(pubsub.calls).toHaveLength(before + 1)
    expect(clock.pending).toBe(1)
  })

  it('is not expected again after it was in vain, or after it said that it left, until it is connected anew', async () => {
    pubsub.connect(id)
    expected.expect('a', node)
    await clock.advance(5_000)
    expected.expect('b', node)
    expected.heard(node, ['b'])
    pubsub.handleReceivedSubscription(node, 'b', false)
    const presumed = (): number => pubsub.calls.filter(([what]) => what === 'subscribed').length
    const before = presumed()
    expect([expected.expect('a', node), expected.expect('b', node)]).toEqual([true, true])
    expect(presumed()).toBe(before)
    expected.gone(node)
    pubsub.connect(id)
    expect(expected.expect('a', node)).toBe(true)
    expect(presumed()).toBe(before + 1)
  })

  it('is asked for messages, once, when it has said already that it is in the topic', () => {
    pubsub.connect(id)
    pubsub.handleReceivedSubscription(node, 'a', true)
    expect([expected.expect('a', node), expected.expect('a', node)]).toEqual([true, true])
    const calls = pubsub.calls.map(([what]) => what)
    expect(calls.filter((what) => what === 'subscribed')).toHaveLength(1)
    expect(calls).toHaveLength(3)
    expect(clock.pending).toBe(0)
  })

  it.each([
    ['none', []],
    ['one from it', ['streamsInbound']],
    ['one to it', ['streamsOutbound']],
  ] as const)('is too early as long as of two streams there is %s', (_what, streams) => {
    for (const stream of streams) pubsub[stream].set(id, {})
    expect(expected.expect('a', node)).toBe(false)
    expect(pubsub.calls).toEqual([])
    pubsub.connect(id)
    expect(expected.expect('a', node)).toBe(true)
    expect(pubsub.calls).toContainEqual(['subscribed', 'a', id])
  })

  it('is too early for 5 s at the most: then it speaks for itself', async () => {
    expect(expected.expect('a', node)).toBe(false)
    await clock.advance(4_999)
    expect(expected.expect('a', node)).toBe(false)
    expect(expected.expect('a', other)).toBe(false)
    await clock.advance(1)
    expect([expected.expect('a', node), expected.expect('b', node)]).toEqual([true, true])
    expect(expected.expect('a', other)).toBe(false)
    expect(pubsub.calls).toEqual([])
  })

  it('gets 5 s anew when it comes back', async () => {
    expected.expect('a', node)
    await clock.advance(5_000)
    expect(expected.expect('a', node)).toBe(true)
    expected.gone(node)
    expect(expected.expect('a', node)).toBe(false)
  })

  it.each([
    ['it may not be grafted yet', () => pubsub.backoff.set('a', new Map([[id, NOW + 1]]))],
    ['it is in the mesh', () => pubsub.mesh.get('a')?.add(id)],
    ['this device is not in the topic', () => pubsub.mesh.delete('a')],
  ])('is subscribed and not grafted when %s', (_what, arrange) => {
    arrange()
    pubsub.connect(id)
    expect(expected.expect('a', node)).toBe(true)
    expect(pubsub.calls).toEqual([['subscribed', 'a', id]])
    expect(clock.pending).toBe(1)
  })

  it('is grafted though another node is in backoff, and it itself in another topic', () => {
    pubsub.backoff.set('a', new Map([[otherId, NOW + 1]]))
    pubsub.backoff.set('b', new Map([[id, NOW + 1]]))
    pubsub.connect(id)
    expected.expect('a', node)
    expect(pubsub.calls).toContainEqual(['grafted', 'a', id])
  })

  it('is not waited for when gossipsub does not take the subscription', () => {
    pubsub.takes = false
    pubsub.connect(id)
    expect(expected.expect('a', node)).toBe(true)
    expect(pubsub.calls).toEqual([['subscribed', 'a', id]])
    expect(clock.pending).toBe(0)
  })
})

describe('a node that is expected in a topic', () => {
  beforeEach(() => {
    for (const each of [node, other]) {
      pubsub.connect(each.toString())
      for (const topic of ['a', 'b']) expected.expect(topic, each)
    }
    pubsub.calls.splice(0)
    expect(clock.pending).toBe(4)
  })

  it('is taken out again, and told as a disappointment, when it does not say within 5 s that it is there', async () => {
    expected.heard(node, ['b'])
    expected.heard(other, ['a', 'b'])
    await clock.advance(4_999)
    expect([pubsub.calls, disappointed]).toEqual([[], []])
    await clock.advance(1)
    expect(pubsub.calls).toEqual([['unsubscribed', 'a', id]])
    expect(disappointed).toEqual([['a', id]])
    expect(pubsub.getSubscribers('a')).toEqual([other])
    expect(clock.pending).toBe(0)
    // Hoped for again at every look, a node that is full would be connected and lost every 5 s.
    expect(expected.expect('a', node)).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('is waited for no more once it has spoken of that topic', async () => {
    expected.heard(node, ['a', 'c'])
    expect(clock.pending).toBe(3)
    expected.heard(node, ['b'])
    expected.heard(other, ['a', 'b'])
    expect(clock.pending).toBe(0)
    await clock.advance(60_000)
    expect([pubsub.calls, disappointed]).toEqual([[], []])
  })

  it('is waited for in no topic when it is gone', async () => {
    expected.gone(node)
    expect(clock.pending).toBe(2)
    expected.gone(other)
    expect(clock.pending).toBe(0)
    await clock.advance(60_000)
    expect([pubsub.calls, disappointed]).toEqual([[], []])
  })

  it('is waited for no more when the network is closed', async () => {
    expected.close()
    expect(clock.pending).toBe(0)
    await clock.advance(60_000)
    expect([pubsub.calls, disappointed]).toEqual([[], []])
  })
})

describe('a pubsub that does not show what it has inside', () => {
  it('is left alone', () => {
    const calls: string[] = []
    const bare = expectedAt({ getSubscribers: (topic: string) => calls.push(topic) && [] })
    expect(bare.expect('a', node)).toBe(true)
    bare.heard(node, ['a'])
    bare.gone(node)
    bare.close()
    expect([calls, disappointed, clock.pending]).toEqual([[], [], 0])
  })

  it.each(['addToMesh', 'sendGraft', 'mesh'])('is not asked to graft without its %s', (name) => {
    pubsub.connect(id)
    Object.defineProperty(pubsub, name, { value: undefined })
    expect(expected.expect('a', node)).toBe(true)
    expect(pubsub.calls).toEqual([['subscribed', 'a', id]])
  })
})
