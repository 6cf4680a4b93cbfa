import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type ChatLibp2p, Libp2pNetwork } from '../../../src/network/libp2p-network.ts'
import type { ChannelHandler } from '../../../src/network/network.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'

const [own, node, member] = [1, 2, 3].map((number) => peerIdFromString(realPeerId(number))) as [
  PeerId,
  PeerId,
  PeerId,
]

/** As much of gossipsub as it takes: nobody is subscribed to anything. */
class FakePubsub extends EventTarget {
  readonly topicValidators = new Map()
  subscribe(): void {}
  unsubscribe(): void {}
  getSubscribers(): PeerId[] {
    return []
  }
}

/** A libp2p node without connections. */
class FakeLibp2p extends EventTarget {
  readonly peerId = own
  readonly services = { pubsub: new FakePubsub() }
  async handle(): Promise<void> {}
  async unhandle(): Promise<void> {}
  getConnections(): [] {
    return []
  }
}

let libp2p: FakeLibp2p
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
  lost = []
  const network = new Libp2pNetwork({
    libp2p: libp2p as unknown as ChatLibp2p,
    clock: new ManualClock(NOW),
    routesTo: () => [],
    isNode: (peerId) => peerId.equals(node),
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
