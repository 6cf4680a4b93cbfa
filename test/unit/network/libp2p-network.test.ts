import { TopicValidatorResult } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type ChatLibp2p, Libp2pNetwork } from '../../../src/network/libp2p-network.ts'
import type { ChannelHandler } from '../../../src/network/network.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'

const [own, node, member, otherNode] = [1, 2, 3, 4].map((number) => peerIdFromString(realPeerId(number))) as [
  PeerId,
  PeerId,
  PeerId,
  PeerId,
]

/** As much of gossipsub as it takes: nobody is subscribed to anything. */
class FakePubsub extends EventTarget {
  readonly topicValidators = new Map<string, (from: PeerId, message: object) => Promise<string>>()
  subscribe(): void {}
  unsubscribe(): void {}
  getSubscribers(): PeerId[] {
    return []
  }
}

/** A libp2p node with connections that carry nothing. */
class FakeLibp2p extends EventTarget {
  connected: PeerId[] = []
  readonly peerId = own
  readonly services = { pubsub: new FakePubsub() }
  async handle(): Promise<void> {}
  async unhandle(): Promise<void> {}
  getConnections(): { remotePeer: PeerId }[] {
    return this.connected.map((remotePeer) => ({ remotePeer }))
  }
}

let libp2p: FakeLibp2p
let network: Libp2pNetwork
let clock: ManualClock
let lost: string[]
const handler: ChannelHandler = {
  onGossip: async () => 'accept',
  onNeighbours() {},
  onWider() {},
  onPeerLost: (peerId) => lost.push(peerId),
  onStream() {},
}

beforeEach(async () => {
  libp2p = new FakeLibp2p()
  clock = new ManualClock(NOW)
  lost = []
  network = new Libp2pNetwork({
    libp2p: libp2p as unknown as ChatLibp2p,
    clock,
    routesTo: () => [],
    isNode: (peerId) => peerId.equals(node) || peerId.equals(otherNode),
    onTopics() {},
    lookUp: async () => {},
    onOffence() {},
    onClose: async () => {},
  })
  await network.start()
  network.join('a', handler)
})

describe('the end of a connection', () => {
  it('to a node is told of in every room, also before the node took part in it: it has our wills', async () => {
    libp2p.dispatchEvent(new CustomEvent('peer:disconnect', { detail: node }))
    await settle()
    expect(lost).toEqual([node.toString()])
  })

  it('to somebody who was no neighbour is nothing', async () => {
    libp2p.dispatchEvent(new CustomEvent('peer:disconnect', { detail: member }))
    await settle()
    expect(lost).toEqual([])
  })
})

it('a message that names a room again and again has it looked at as often as one that names it once', () => {
  const { pubsub } = libp2p.services
  const looked = vi.spyOn(pubsub, 'getSubscribers')
  const name = (times: number): number => {
    looked.mockClear()
    const subscriptions = Array(times).fill({ topic: 'a', subscribe: true })
    pubsub.dispatchEvent(
      new CustomEvent('subscription-change', { detail: { peerId: member, subscriptions } }),
    )
    return looked.mock.calls.length
  }
  expect(name(1_000)).toBe(name(1))
})

describe('what others wrote', () => {
  /** How many of 100 messages that a peer brings in a room are passed on. */
  async function passedOn(from: PeerId, topic = 'a'): Promise<number> {
    const validate = libp2p.services.pubsub.topicValidators.get(topic)
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => validate?.(from, {})))
    expect(new Set(verdicts).size).toBeLessThanOrEqual(2)
    return verdicts.filter((verdict) => verdict === TopicValidatorResult.Accept).length
  }

  it('is passed on to a node within what that assures to everybody, for all rooms and peers together', async () => {
    libp2p.connected = [member, node]
    expect(await passedOn(member)).toBe(10)
    network.join('b', handler)
    expect(await passedOn(member, 'b')).toBe(0)
    await clock.advance(3_000)
    expect(await passedOn(member, 'b')).toBe(6)
  })

  it('is passed on from one node to another in the same way', async () => {
    libp2p.connected = [node, otherNode]
    expect(await passedOn(node)).toBe(10)
  })

  it('is passed on between members, and from a node to members, as it comes', async () => {
    libp2p.connected = [member]
    expect(await passedOn(member)).toBe(100)
    libp2p.connected = [member, node]
    expect(await passedOn(node)).toBe(100)
  })
})
