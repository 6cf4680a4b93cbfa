import { type GossipSub, type GossipSubComponents, gossipsub, TopicValidatorResult } from '@libp2p/gossipsub'
import { createPeerScoreParams, PeerScore, type PeerScoreParams } from '@libp2p/gossipsub/score'
import { RejectReason } from '@libp2p/gossipsub/types'
import { identify } from '@libp2p/identify'
import type { ComponentLogger, Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import fc from 'fast-check'
import { createLibp2p } from 'libp2p'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { chatGossipsub, hubGossip, subscribe } from '../../../src/network/gossip.ts'
import {
  Debits,
  debit,
  forgetTopic,
  GRAYLIST_SCORE,
  scoreOf,
  scoreTopic,
  scoring,
} from '../../../src/network/score.ts'
import { topicOf } from '../../../src/wire/topic.ts'
import { NOW, TOPIC } from '../../support/authors.ts'
import { runs } from '../../support/runs.ts'

const OTHER = topicOf('space', 'other')
const PEER = 'peer'
const silent = { forComponent: () => () => {} } as unknown as ComponentLogger

/** Gossipsub's own score, with our parameters, in time that is moved by hand. */
class Scores {
  readonly debits = new Debits()
  readonly #score: PeerScore
  #messages = 0

  constructor(topics = [TOPIC]) {
    const params = createPeerScoreParams(scoring(this.debits).scoreParams) as PeerScoreParams
    this.#score = new PeerScore(params, null, silent, { scoreCacheValidityMs: 0 })
    for (const topic of topics) scoreTopic({ score: this.#score } as unknown as GossipSub, topic)
    this.#score.addPeer(PEER)
    this.#score.addIP(PEER, '192.0.2.1')
  }

  /** So many others are at the same address. */
  crowd(count: number): void {
    for (let number = 0; number < count; number += 1) {
      this.#score.addPeer(`${number}`)
      this.#score.addIP(`${number}`, '192.0.2.1')
    }
  }

  get current(): number {
    vi.setSystemTime(Date.now() + 1)
    return this.#score.score(PEER)
  }

  seconds(count: number): void {
    for (let second = 0; second < count; second += 1) {
      vi.setSystemTime(Date.now() + 1_000)
      this.#score.background()
    }
  }

  graft(topic = TOPIC): void {
    this.#score.graft(PEER, topic)
  }

  prune(topic = TOPIC): void {
    this.#score.prune(PEER, topic)
  }

  /** A message the gate accepts. */
  right(topic = TOPIC): void {
    const id = this.#nextId()
    this.#score.validateMessage(id)
    this.#score.deliverMessage(PEER, id, topic)
  }

  /** A message the gate ignores: late, known, or over a rate. */
  ignored(topic = TOPIC): void {
    this.#score.rejectMessage(PEER, this.#nextId(), topic, RejectReason.Ignore)
  }

  /** A message another neighbour brought first. */
  duplicate(topic = TOPIC): void {
    const id = this.#nextId()
    this.#score.validateMessage(id)
    this.#score.deliverMessage('somebody else', id, topic)
    this.#score.duplicateMessage(PEER, id, topic)
  }

  /** A message nobody honest passes on. */
  wrong(topic = TOPIC): void {
    this.#score.rejectMessage(PEER, this.#nextId(), topic, RejectReason.Reject)
  }

  /** It asked for a place in a mesh too early, or did not send in time what it had offered. */
  clumsy(): void {
    this.#score.addPenalty(PEER, 1, 'graft_backoff' as never)
  }

  disconnect(): void {
    this.#score.removePeer(PEER)
  }

  connect(): void {
    this.#score.addPeer(PEER)
  }

  #nextId(): string {
    this.#messages += 1
    return `message ${this.#messages}`
  }
}

describe('the score of a neighbour', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  type Act = (scores: Scores) => void
  const honest: Record<string, fc.Arbitrary<Act>> = {
    'is in the mesh': fc.constant((scores) => scores.graft()),
    'leaves the mesh': fc.constant((scores) => scores.prune()),
    'is quiet': fc.integer({ min: 1, max: 600 }).map((seconds) => (scores) => scores.seconds(seconds)),
    talks: fc.integer({ min: 1, max: 500 }).map((count) => (scores) => {
      for (let times = 0; times < count; times += 1) scores.right()
    }),
    'comes second': fc.constant((scores) => scores.duplicate()),
    'is late': fc.integer({ min: 1, max: 300 }).map((count) => (scores) => {
      for (let times = 0; times < count; times += 1) scores.ignored()
    }),
    'reloads its page': fc.constant((scores) => {
      scores.disconnect()
      scores.seconds(1)
      scores.connect()
      scores.graft()
    }),
    'comes back into 40 rooms too early': fc.constant((scores) => {
      scores.seconds(12)
      for (let room = 0; room < 40; room += 1) scores.clumsy()
    }),
    'breaks promises on a slow link for a minute, one a second': fc.constant((scores) => {
      for (let second = 0; second < 60; second += 1) {
        scores.clumsy()
        scores.seconds(1)
      }
    }),
    'sends a whole burst into a room that others flood': fc.constant((scores) => {
      scores.seconds(60)
      for (let messages = 0; messages < 98; messages += 1) scores.debits.add(PEER)
    }),
  }
  const honestAct = fc.oneof(...Object.values(honest))

  it('never falls below zero by anything that who behaves does', () => {
    fc.assert(
      fc.property(fc.array(honestAct, { maxLength: 25 }), (acts) => {
        const scores = new Scores()
        for (const act of acts) {
          act(scores)
          expect(scores.current).toBeGreaterThanOrEqual(0)
        }
      }),
      runs(300),
    )
  })

  const floods: Record<string, (scores: Scores) => void> = {
    'sends nothing but wrong messages': (scores) => scores.wrong(),
    'asks for a place in the mesh again and again': (scores) => {
      for (let times = 0; times < 20; times += 1) scores.clumsy()
    },
    'brings far too much': (scores) => {
      for (let times = 0; times < 20; times += 1) scores.debits.add(PEER)
    },
  }

  it.each(Object.entries(floods))('stays above zero for nobody who only %s', (_what, misbehave) => {
    for (const rooms of [1, 2, 3, 5, 8]) {
      for (const isInMesh of [false, true]) {
        const topics = Array.from({ length: rooms }, (_, number) => topicOf('space', `${number}`))
        const scores = new Scores([TOPIC, ...topics])
        if (isInMesh) for (const topic of [TOPIC, ...topics]) scores.graft(topic)
        for (let second = 0; second < 20; second += 1) {
          misbehave(scores)
          scores.seconds(1)
        }
        expect(scores.current).toBeLessThan(GRAYLIST_SCORE)
        // And never comes back to it while it goes on.
        for (let second = 0; second < 60; second += 1) {
          misbehave(scores)
          scores.seconds(1)
          expect(scores.current).toBeLessThan(0)
        }
      }
    }
  })

  it('is below zero after one wrong message, whatever was earned in 12 rooms', () => {
    const topics = Array.from({ length: 12 }, (_, number) => topicOf('space', `${number}`))
    const scores = new Scores(topics)
    for (const topic of topics) {
      scores.graft(topic)
      for (let times = 0; times < 100; times += 1) scores.right(topic)
    }
    scores.seconds(600)
    for (const topic of topics) for (let times = 0; times < 100; times += 1) scores.right(topic)
    expect(scores.current).toBeGreaterThan(9)
    scores.wrong(topics[0])
    expect(scores.current).toBeLessThan(0)
  })

  it('after one mistake still hears what is new, and is whole again within two minutes', () => {
    const scores = new Scores()
    scores.wrong()
    expect(scores.current).toBeLessThan(0)
    expect(scores.current).toBeGreaterThanOrEqual(scoring(new Debits()).scoreThresholds.gossipThreshold ?? 0)
    scores.seconds(120)
    expect(scores.current).toBe(0)
  })

  it('is below the last threshold after three wrong messages, or 121 too many', () => {
    const forger = new Scores()
    for (let times = 0; times < 3; times += 1) forger.wrong()
    expect(forger.current).toBeLessThan(GRAYLIST_SCORE)
    const flooder = new Scores()
    for (let times = 0; times < 120; times += 1) flooder.debits.add(PEER)
    expect(flooder.current).toBeGreaterThanOrEqual(GRAYLIST_SCORE)
    flooder.debits.add(PEER)
    expect(flooder.current).toBeLessThan(GRAYLIST_SCORE)
    flooder.seconds(20)
    expect(flooder.current).toBe(0)
  })

  it('does not depend on how many share its address', () => {
    const scores = new Scores()
    scores.crowd(1_000)
    expect(scores.current).toBe(0)
  })
})

it('debits are remembered of so many neighbours only', () => {
  const debits = new Debits()
  for (let number = 0; number < 5_000; number += 1) debits.add(`${number}`, 1_000)
  expect(debits.size).toBe(4_096)
  expect(debits.scoreOf('0')).toBe(0)
  expect(debits.scoreOf('4999')).toBeLessThan(GRAYLIST_SCORE)
})

describe('in rooms that are made at run time', () => {
  type Peer = Libp2p<{ pubsub: GossipSub }>
  const meshOf = ({ services }: Peer): string[] =>
    (services.pubsub as GossipSub & { getMeshPeers(topic: string): string[] }).getMeshPeers(TOPIC)

  async function peerWith(pubsub: (components: GossipSubComponents) => GossipSub): Promise<Peer> {
    const peer = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
      transports: [webSockets()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: { denyDialMultiaddr: () => false },
      services: { identify: identify(), pubsub },
    })
    onTestFinished(async () => void (await peer.stop()))
    return peer
  }

  /** Somebody who judges what comes, and a neighbour of it that sends it something. */
  async function judgeAndNeighbour(
    create: (components: GossipSubComponents) => GossipSub,
    verdict: TopicValidatorResult,
  ): Promise<[judge: Peer, neighbour: Peer, heard: () => number]> {
    const judge = await peerWith(create)
    const neighbour = await peerWith(gossipsub({ globalSignaturePolicy: 'StrictNoSign' }))
    let count = 0
    judge.services.pubsub.topicValidators.set(TOPIC, () => {
      count += 1
      return verdict
    })
    subscribe(judge.services.pubsub, TOPIC, false)
    neighbour.services.pubsub.subscribe(TOPIC)
    await neighbour.dial(judge.getMultiaddrs())
    await expect.poll(() => neighbour.services.pubsub.getSubscribers(TOPIC)).toHaveLength(1)
    await expect.poll(() => meshOf(judge), { timeout: 5_000 }).toHaveLength(1)
    return [judge, neighbour, () => count]
  }

  let sent = 0
  async function sends({ services }: Peer, count: number): Promise<void> {
    for (let number = 0; number < count; number += 1) {
      sent += 1
      await services.pubsub.publish(TOPIC, new Uint8Array([sent]))
    }
  }

  /** The next time gossipsub looks after its mesh. */
  function heartbeat({ services }: Peer): Promise<void> {
    return new Promise((resolve) => {
      services.pubsub.addEventListener('gossipsub:heartbeat', () => resolve(), { once: true })
    })
  }

  it.each([
    ['a client', chatGossipsub],
    ['a node', hubGossip],
  ])(
    '%s takes whoever sends wrong messages out of its mesh, and stops listening',
    async (_who, create) => {
      const [judge, neighbour, heard] = await judgeAndNeighbour(create(), TopicValidatorResult.Reject)
      await sends(neighbour, 4)
      await expect.poll(heard).toBe(4)
      const { pubsub } = judge.services
      const id = neighbour.peerId.toString()
      await expect.poll(() => scoreOf(pubsub, id), { timeout: 3_000 }).toBeLessThan(GRAYLIST_SCORE)
      await expect.poll(() => meshOf(judge), { timeout: 3_000 }).toEqual([])
      // It may have been let in for a second before the score was looked at.
      await heartbeat(judge)
      await sends(neighbour, 9)
      await heartbeat(judge)
      expect(heard()).toBe(4)
    },
    15_000,
  )

  it('blames nobody for what is ignored', async () => {
    const [judge, neighbour, heard] = await judgeAndNeighbour(chatGossipsub(), TopicValidatorResult.Ignore)
    await sends(neighbour, 100)
    await expect.poll(heard).toBe(100)
    expect(scoreOf(judge.services.pubsub, neighbour.peerId.toString())).toBeGreaterThanOrEqual(0)
    expect(meshOf(judge)).toHaveLength(1)
  })

  it('blames whoever brings too much, little by little', async () => {
    const [judge, neighbour] = await judgeAndNeighbour(hubGossip(), TopicValidatorResult.Ignore)
    const { pubsub } = judge.services
    const id = neighbour.peerId.toString()
    debit(pubsub, id, 100)
    expect(scoreOf(pubsub, id)).toBeGreaterThanOrEqual(0)
    debit(pubsub, id, 150)
    await expect.poll(() => scoreOf(pubsub, id), { timeout: 3_000 }).toBeLessThan(0)
    await expect.poll(() => meshOf(judge), { timeout: 3_000 }).toEqual([])
  })

  it('forgets a topic that was left, and what was counted in it, and survives its neighbours', async () => {
    const [judge, neighbour, heard] = await judgeAndNeighbour(chatGossipsub(), TopicValidatorResult.Reject)
    const { pubsub } = judge.services
    const { score } = pubsub as GossipSub & {
      score?: { params: { topics: object }; peerStats: Map<string, { topics: object }> }
    }
    await sends(neighbour, 2)
    await expect.poll(heard).toBe(2)
    scoreTopic(pubsub, OTHER)
    pubsub.unsubscribe(TOPIC)
    forgetTopic(pubsub, TOPIC)
    expect(Object.keys(score?.params.topics ?? {})).toEqual([OTHER])
    expect([...(score?.peerStats.values() ?? [])].flatMap(({ topics }) => Object.keys(topics))).toEqual([])
    await neighbour.stop()
    await expect.poll(() => pubsub.getPeers()).toEqual([])
    expect(pubsub.getSubscribers(TOPIC)).toEqual([])
  }, 15_000)

  it('does without scores where the gossipsub of a dapp has none', () => {
    const plain = {} as GossipSub
    scoreTopic(plain, TOPIC)
    debit(plain, PEER)
    forgetTopic(plain, TOPIC)
    expect(scoreOf(plain, PEER)).toBe(0)
  })
})
