import { generateKeyPair } from '@libp2p/crypto/keys'
import { type GossipSub, type TopicValidatorFn, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { createVerifier } from '../../../src/identity/verifier.ts'
import { silentLogger } from '../../../src/logger.ts'
import { Hub } from '../../../src/node/hub.ts'
import { decodeFrame, encodeFrame } from '../../../src/wire/frame.ts'
import { topicOf } from '../../../src/wire/topic.ts'
import {
  claimsBy,
  eventBy,
  messageBy,
  NOW,
  signClaims,
  TOPIC,
  testAuthor,
  testPeerId,
} from '../../support/authors.ts'

/** A gossipsub whose peers are moved by hand. */
class FakePubsub extends EventTarget {
  readonly topicValidators = new Map<string, TopicValidatorFn>()
  readonly subscribed: string[] = []
  readonly unsubscribed: string[] = []
  readonly published: [string, string[] | undefined][] = []
  readonly #subscribers = new Map<string, PeerId[]>()

  getSubscribers(topic: string): PeerId[] {
    return this.#subscribers.get(topic) ?? []
  }

  subscribe(topic: string): void {
    this.subscribed.push(topic)
  }

  unsubscribe(topic: string): void {
    this.unsubscribed.push(topic)
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    this.published.push([topic, decodeFrame(data)])
  }

  /** How many are connected. */
  peers = 1

  getPeers(): PeerId[] {
    return Array.from({ length: this.peers }, () => client)
  }

  /** Who is in a topic now, as gossipsub tells it. */
  set(topic: string, ...peers: PeerId[]): void {
    const before = this.getSubscribers(topic)
    for (const peerId of before) if (!peers.includes(peerId)) this.say(peerId, [topic], false)
    for (const peerId of peers) if (!before.includes(peerId)) this.say(peerId, [topic])
  }

  /** Somebody says in one message that it is in topics, or has left them. */
  say(peerId: PeerId, topics: string[], subscribe = true): void {
    for (const topic of topics) {
      const others = this.getSubscribers(topic).filter((other) => other !== peerId)
      this.#subscribers.set(topic, subscribe ? [...others, peerId] : others)
    }
    const subscriptions = topics.map((topic) => ({ topic, subscribe }))
    this.dispatchEvent(new CustomEvent('subscription-change', { detail: { peerId, subscriptions } }))
  }
}

/** A libp2p node to which everybody is connected who has not gone. */
class FakeLibp2p extends EventTarget {
  readonly #gone = new Set<PeerId>()

  getConnections(peerId: PeerId): unknown[] {
    return this.#gone.has(peerId) ? [] : [{ remotePeer: peerId }]
  }

  /** Gossipsub forgets it only later, or not at all. */
  disconnect(peerId: PeerId): void {
    this.#gone.add(peerId)
    this.dispatchEvent(new CustomEvent('peer:disconnect', { detail: peerId }))
  }
}

const ada = testAuthor(1)
const other = topicOf('space', 'other room')
let client: PeerId
let stranger: PeerId
let clock: ManualClock
let pubsub: FakePubsub
let libp2p: FakeLibp2p
let hub: Hub
let nodes: PeerId[]
let named: PeerId[]
let offences: [peerId: string, kind: string][]
let seen: string[]
/** By peer id. Default: nobody knows. */
let addresses: Map<string, string>

async function newPeer(): Promise<PeerId> {
  return peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
}

function createHub(maxRooms = 100): Hub {
  const created = new Hub({
    libp2p: libp2p as unknown as Libp2p,
    pubsub: pubsub as unknown as GossipSub,
    verifier: createVerifier(),
    clock,
    logger: silentLogger,
    maxRooms,
    isNode: (peerId) => nodes.includes(peerId),
    isNamed: (peerId) => named.includes(peerId),
    onOffence: (peerId, kind) => offences.push([peerId.toString(), kind]),
    addressOf: (peerId) => addresses.get(peerId),
    onEvents: (events) => seen.push(...events.map(({ id }) => id)),
  })
  created.start()
  return created
}

beforeEach(async () => {
  client = await newPeer()
  stranger = await newPeer()
  clock = new ManualClock(NOW)
  pubsub = new FakePubsub()
  libp2p = new FakeLibp2p()
  addresses = new Map()
  nodes = []
  named = []
  offences = []
  seen = []
  hub = createHub()
})

describe('a hub', () => {
  it('enters a room with its first client, once', () => {
    pubsub.set(TOPIC, client)
    pubsub.set(TOPIC, client, stranger)
    expect(pubsub.subscribed).toEqual([TOPIC])
    expect(pubsub.topicValidators.has(TOPIC)).toBe(true)
    expect(hub.rooms).toBe(1)
  })

  it('does not enter a room for another node, and leaves one when its clients turn out to be nodes', async () => {
    nodes = [stranger]
    pubsub.set(TOPIC, stranger)
    expect(hub.rooms).toBe(0)
    pubsub.set(TOPIC, stranger, client)
    expect(hub.rooms).toBe(1)
    nodes = [stranger, client]
    hub.review(client)
    await clock.advance(15_000)
    expect([hub.rooms, pubsub.unsubscribed]).toEqual([0, [TOPIC]])
  })

  it('looks for no more than one client of a room to know that it is in use', async () => {
    const crowd = await Promise.all(Array.from({ length: 50 }, newPeer))
    pubsub.set(TOPIC, ...crowd)
    const looked = vi.spyOn(libp2p, 'getConnections')
    pubsub.say(client, [TOPIC])
    // Whether it is connected itself, and one of the others.
    expect(looked.mock.calls.length).toBeLessThanOrEqual(2)
  })

  it('leaves a room 15 s after its last client went', async () => {
    pubsub.set(TOPIC, client, stranger)
    pubsub.set(TOPIC, stranger)
    await clock.advance(20_000)
    pubsub.set(TOPIC)
    await clock.advance(14_999)
    expect([hub.rooms, pubsub.unsubscribed]).toEqual([1, []])
    await clock.advance(1)
    expect([hub.rooms, pubsub.unsubscribed]).toEqual([0, [TOPIC]])
    expect(pubsub.topicValidators.size).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it('leaves a room whose last client was disconnected, which gossipsub notes only later', async () => {
    pubsub.set(TOPIC, client)
    libp2p.disconnect(client)
    await clock.advance(15_000)
    expect(pubsub.unsubscribed).toEqual([TOPIC])
  })

  it('looks at the rooms of whoever goes, and at no others', () => {
    pubsub.say(client, [TOPIC])
    pubsub.say(stranger, [other])
    const looked = vi.spyOn(pubsub, 'getSubscribers')
    libp2p.disconnect(stranger)
    expect(looked.mock.calls).toEqual([[other]])
  })

  it('looks once at a room that a message names again and again', () => {
    pubsub.set(TOPIC, client)
    const looked = vi.spyOn(pubsub, 'getSubscribers')
    pubsub.dispatchEvent(
      new CustomEvent('subscription-change', {
        detail: { peerId: client, subscriptions: Array(1_000).fill({ topic: TOPIC, subscribe: true }) },
      }),
    )
    expect(looked).toHaveBeenCalledTimes(1)
  })

  it('does not enter a room for somebody who has gone', () => {
    libp2p.disconnect(client)
    pubsub.set(TOPIC, client)
    expect(hub.rooms).toBe(0)
  })

  it('stays where a client comes back within 15 s, and counts anew', async () => {
    pubsub.set(TOPIC, client)
    pubsub.set(TOPIC)
    await clock.advance(14_999)
    pubsub.set(TOPIC, client)
    expect(clock.pending).toBe(0)
    await clock.advance(20_000)
    pubsub.set(TOPIC)
    await clock.advance(14_999)
    expect([hub.rooms, pubsub.unsubscribed]).toEqual([1, []])
    expect(pubsub.subscribed).toEqual([TOPIC])
  })

  it('enters a room again that it left', async () => {
    pubsub.set(TOPIC, client)
    pubsub.set(TOPIC)
    await clock.advance(15_000)
    pubsub.set(TOPIC, client)
    expect(pubsub.subscribed).toEqual([TOPIC, TOPIC])
    expect(pubsub.topicValidators.has(TOPIC)).toBe(true)
  })

  it.each([
    ['of something else', 'other.topic'],
    ['without a room', '3box.chat.space'],
    ['with an empty room', '3box.chat.space.'],
    ['with a third part', '3box.chat.a.b.c'],
    ['written in another way', '3box.chat.sp%61ce.room'],
    ['with a broken escape', '3box.chat.space.%zz'],
    ['that is too long', `3box.chat.space.${'x'.repeat(250)}`],
  ])('ignores a topic %s', (_what, topic) => {
    pubsub.set(topic, client)
    expect(pubsub.subscribed).toEqual([])
    expect(hub.rooms).toBe(0)
  })

  it('enters a room there was no place for when another one ends', async () => {
    hub.stop()
    hub = createHub(1)
    pubsub.set(TOPIC, client)
    pubsub.set(other, client)
    expect(pubsub.subscribed).toEqual([TOPIC])
    pubsub.set(TOPIC)
    await clock.advance(15_000)
    expect(pubsub.subscribed).toEqual([TOPIC, other])
    expect(hub.rooms).toBe(1)
  })

  it('does not enter a refused room whose clients have gone meanwhile', async () => {
    hub.stop()
    hub = createHub(1)
    pubsub.set(TOPIC, client)
    pubsub.set(other, client)
    pubsub.set(other)
    pubsub.set(TOPIC)
    await clock.advance(15_000)
    expect(pubsub.subscribed).toEqual([TOPIC])
    expect(hub.rooms).toBe(0)
  })

  it('goes on to the next refused room where the clients of the first have gone', async () => {
    hub.stop()
    hub = createHub(2)
    const [third, fourth] = [topicOf('space', '3'), topicOf('space', '4')]
    for (const topic of [TOPIC, other, third, fourth]) pubsub.set(topic, client)
    pubsub.set(third)
    pubsub.set(TOPIC)
    await clock.advance(15_000)
    expect(pubsub.subscribed).toEqual([TOPIC, other, fourth])
  })

  it('stops without telling its clients that it leaves: it may be back in a second', async () => {
    pubsub.set(TOPIC, client)
    pubsub.set(other, client)
    pubsub.set(other)
    hub.stop()
    expect(clock.pending).toBe(0)
    await clock.advance(60_000)
    expect(pubsub.unsubscribed).toEqual([])
    pubsub.set(topicOf('space', 'late'), client)
    libp2p.disconnect(client)
    await settle()
    expect(pubsub.subscribed).toEqual([TOPIC, other])
  })
})

describe('many rooms', () => {
  const topics = (count: number, of = 'many'): string[] =>
    Array.from({ length: count }, (_, number) => topicOf(of, `${number}`))

  it('are entered a few at a time, as many as can be announced in a turn', async () => {
    pubsub.peers = 30
    pubsub.say(client, topics(20))
    expect(hub.rooms).toBe(4)
    await clock.advance(0)
    expect(hub.rooms).toBe(20)
  })

  it('are entered one at a time where many are connected', () => {
    pubsub.peers = 1_000
    for (const topic of topics(20)) pubsub.say(client, [topic])
    expect(hub.rooms).toBe(1)
  })

  it('of one address keep no other waiting', async () => {
    addresses.set(client.toString(), '192.0.2.1').set(stranger.toString(), '192.0.2.2')
    pubsub.peers = 1_000
    pubsub.say(client, topics(20))
    pubsub.say(stranger, [TOPIC])
    await clock.advance(0)
    expect(pubsub.subscribed.indexOf(TOPIC)).toBeLessThanOrEqual(2)
  })

  it('are left a few at a time', async () => {
    pubsub.peers = 30
    pubsub.say(client, topics(20))
    await clock.advance(0)
    pubsub.say(client, topics(20), false)
    let left = 0
    // After the waits of all of them have ended, and before the next turn.
    clock.after(15_000, () => {
      left = pubsub.unsubscribed.length
    })
    await clock.advance(15_000)
    expect([left, hub.rooms]).toEqual([4, 0])
  })

  it('of one address do not keep out those of another, as long as that has fewer', () => {
    hub.stop()
    hub = createHub(4)
    addresses.set(client.toString(), '192.0.2.1').set(stranger.toString(), '192.0.2.2')
    pubsub.say(client, topics(6))
    expect(hub.rooms).toBe(4)
    const wanted = topics(4, 'honest')
    for (const topic of wanted) pubsub.say(stranger, [topic])
    expect(pubsub.subscribed.slice(4)).toEqual(wanted.slice(0, 2))
    expect(pubsub.unsubscribed).toHaveLength(2)
    expect(hub.rooms).toBe(4)
  })

  it('make room at the cost of one that others are not in', () => {
    hub.stop()
    hub = createHub(3)
    addresses.set(client.toString(), '192.0.2.1').set(stranger.toString(), '192.0.2.2')
    const [shared = '', own = '', alsoShared = ''] = topics(3)
    pubsub.say(client, [shared, own, alsoShared])
    pubsub.say(stranger, [shared, alsoShared])
    pubsub.say(stranger, [TOPIC])
    expect([pubsub.unsubscribed, pubsub.subscribed.at(-1)]).toEqual([[own], TOPIC])
  })

  it('that had to make room are entered again when there is some', async () => {
    hub.stop()
    hub = createHub(2)
    addresses.set(client.toString(), '192.0.2.1').set(stranger.toString(), '192.0.2.2')
    pubsub.say(client, topics(2))
    pubsub.say(stranger, [TOPIC])
    const given = pubsub.unsubscribed[0]
    expect(given).toBeDefined()
    pubsub.say(stranger, [TOPIC], false)
    await clock.advance(15_000)
    expect(pubsub.subscribed.at(-1)).toBe(given)
    expect(hub.rooms).toBe(2)
  })
})

describe('what a hub says to a gossip message', () => {
  const validateFrom = async (peerId: PeerId, ...jwts: string[]): Promise<unknown> =>
    pubsub.topicValidators.get(TOPIC)?.(peerId, {
      type: 'unsigned',
      topic: TOPIC,
      data: encodeFrame(jwts),
    })
  const validate = (...jwts: string[]): Promise<unknown> => validateFrom(client, ...jwts)

  beforeEach(() => pubsub.set(TOPIC, client))

  it('is accept for what is new, ignore for what is known', async () => {
    const { jwt } = messageBy(ada, 'hello')
    expect(await validate(jwt)).toBe(TopicValidatorResult.Accept)
    expect(await validate(jwt)).toBe(TopicValidatorResult.Ignore)
  })

  it('is ignore for what is known of before the hub left the room: it remembers for all rooms together', async () => {
    const { jwt } = messageBy(ada, 'hello')
    expect(await validate(jwt)).toBe(TopicValidatorResult.Accept)
    pubsub.set(TOPIC)
    await clock.advance(15_000)
    pubsub.set(TOPIC, client)
    expect(await validate(jwt)).toBe(TopicValidatorResult.Ignore)
    expect(await validate(messageBy(ada, 'news').jwt)).toBe(TopicValidatorResult.Accept)
  })

  it('is ignore for what has expired, reject for a forgery and for another room', async () => {
    expect(await validate(messageBy(ada, 'old', { at: NOW - 86_400_000 }).jwt)).toBe(
      TopicValidatorResult.Ignore,
    )
    const forged = signClaims(testAuthor(2), claimsBy(ada, 'message', { text: 'forged' }))
    expect(await validate(forged)).toBe(TopicValidatorResult.Reject)
    expect(await validate(messageBy(ada, 'elsewhere', { topic: other }).jwt)).toBe(
      TopicValidatorResult.Reject,
    )
    expect(offences).toEqual([
      [client.toString(), 'reject'],
      [client.toString(), 'reject'],
    ])
  })

  /** Messages of 60 events by a second author, until the hub has no place for more. */
  async function flood(from: PeerId, limit: number): Promise<number> {
    for (let frames = 0; frames < limit; frames += 1) {
      const jwts = Array.from({ length: 60 }, (_, number) => messageBy(testAuthor(2), `${number}`).jwt)
      if ((await validateFrom(from, ...jwts)) !== TopicValidatorResult.Accept) return frames
    }
    return limit
  }

  it('is ignore for a client that floods, before anybody else has to verify it, and others go on', async () => {
    expect(await flood(client, 100)).toBeLessThan(100)
    expect(offences.at(-1)).toEqual([client.toString(), 'excess'])
    const before = seen.length
    expect(await validate(messageBy(testAuthor(2), 'more', { at: NOW + 1 }).jwt)).toBe(
      TopicValidatorResult.Accept,
    )
    expect(await flood(client, 100)).toBe(0)
    expect(seen.length - before).toBe(1)
    expect(await validateFrom(stranger, messageBy(ada, 'hello').jwt)).toBe(TopicValidatorResult.Accept)
  }, 20_000)

  it('is accept for more of a node that was named: it brings what many write', async () => {
    named = [stranger]
    let frames = 0
    for (; frames < 55; frames += 1) {
      const jwts = Array.from({ length: 60 }, (_, at) => messageBy(testAuthor(3 + (at % 3)), `${frames}`).jwt)
      if ((await validateFrom(stranger, ...jwts)) !== TopicValidatorResult.Accept) break
    }
    expect(frames).toBe(55)
    expect(offences).toEqual([])
  }, 20_000)
})

describe('a will', () => {
  const leave = (): string => eventBy(ada, 'leave', { peer: testPeerId(1) }).jwt

  it('is published once, where the gate of its room accepts it', async () => {
    pubsub.set(TOPIC, client)
    const jwt = leave()
    await Promise.all([hub.publish(TOPIC, jwt), hub.publish(TOPIC, jwt)])
    await hub.publish(TOPIC, jwt)
    expect(pubsub.published).toEqual([[TOPIC, [jwt]]])
  })

  it('is not published in a room the hub is not in, nor when it is forged or late', async () => {
    await hub.publish(TOPIC, leave())
    pubsub.set(TOPIC, client)
    const peer = testPeerId(1)
    await hub.publish(TOPIC, signClaims(testAuthor(2), claimsBy(ada, 'leave', { peer })))
    await hub.publish(TOPIC, eventBy(ada, 'leave', { peer }, { at: NOW - 10 * 86_400_000 }).jwt)
    await hub.publish(TOPIC, 'not a JWT')
    expect(pubsub.published).toEqual([])
  })

  it('would be accepted of a client that is in the room, and is not used up by the question', async () => {
    const jwt = leave()
    expect(await hub.wouldAccept(TOPIC, jwt, client.toString())).toBe(false)
    pubsub.set(TOPIC, client)
    expect(await hub.wouldAccept(TOPIC, jwt, client.toString())).toBe(true)
    expect(await hub.wouldAccept(TOPIC, jwt, stranger.toString())).toBe(false)
    expect(await hub.wouldAccept(other, jwt, client.toString())).toBe(false)
    const forged = signClaims(testAuthor(2), claimsBy(ada, 'leave', { peer: testPeerId(1) }))
    expect(await hub.wouldAccept(TOPIC, forged, client.toString())).toBe(false)
    await hub.publish(TOPIC, jwt)
    expect(pubsub.published).toHaveLength(1)
    expect(await hub.wouldAccept(TOPIC, jwt, client.toString())).toBe(false)
  })

  it('is charged to whoever leaves it: nobody has as many verified as it likes', async () => {
    pubsub.set(TOPIC, client, stranger)
    const jwt = leave()
    let asked = 0
    while (asked < 10_000 && (await hub.wouldAccept(TOPIC, jwt, client.toString()))) asked += 1
    expect(asked).toBeLessThan(4_001)
    expect(await hub.wouldAccept(TOPIC, jwt, client.toString())).toBe(false)
    expect(await hub.wouldAccept(TOPIC, jwt, stranger.toString())).toBe(true)
  }, 20_000)
})
