import { type GossipSub, type GossipSubComponents, type GossipsubOpts, gossipsub } from '@libp2p/gossipsub'
import type { PeerScoreParams, PeerScoreThresholds, TopicScoreParams } from '@libp2p/gossipsub/score'
import { type Clock, steady, systemClock } from '../clock.ts'
import { AUTHOR_BURST_MESSAGES } from '../limits.ts'

/**
 * Scores of gossip neighbours. This file alone reaches into gossipsub for them:
 * rooms are made at run time, and gossipsub knows no way to score a topic after it
 * was made.
 */

/** What gossipsub's class has and its interface does not. */
type Internals = GossipSub & {
  score?: {
    params: { topics: Record<string, TopicScoreParams> }
    peerStats: Map<string, { topics: Record<string, unknown> }>
    scoreCache?: Map<string, unknown>
    score(peerId: string): number
  }
}

/** Below this a neighbour is not listened to at all, and whoever can hangs up. */
export const GRAYLIST_SCORE = -80

/**
 * Below 0 nobody is in a mesh. One wrong message costs 10, and whoever sent one
 * still hears of what is new (`gossipThreshold`); two end that; three, or 121
 * messages over a rate, are the end.
 */
const THRESHOLDS: PeerScoreThresholds = {
  gossipThreshold: -10,
  publishThreshold: -50,
  graylistThreshold: GRAYLIST_SCORE,
  acceptPXThreshold: 1_000,
  opportunisticGraftThreshold: 1,
}

/**
 * - An address says nothing: an office, a household, everybody behind one proxy
 *   share one (`IPColocationFactorWeight` 0).
 * - Being asked too early for a place in a mesh, and messages that were offered and came late,
 *   are what pages that reload and slow links look like: 100 of them are forgiven, a
 *   device that is in 40 rooms makes 80 by coming back at once. A flood of them is not.
 * - A mistake is forgotten after two minutes (`decayToZero`).
 */
const PARAMS: Omit<PeerScoreParams, 'topics' | 'appSpecificScore'> = {
  topicScoreCap: 50,
  appSpecificWeight: 1,
  IPColocationFactorWeight: 0,
  IPColocationFactorThreshold: 1,
  IPColocationFactorWhitelist: new Set(),
  behaviourPenaltyWeight: -1,
  behaviourPenaltyThreshold: 100,
  behaviourPenaltyDecay: 0.9,
  decayInterval: 1_000,
  decayToZero: 0.1,
  retainScore: 10 * 60_000,
}

/**
 * What a neighbour's part in a room counts.
 *
 * - Merits are small, 0.8 in each room: they put the better neighbour first, and one wrong message
 *   outweighs those of 12 rooms.
 * - A quiet room blames nobody for being quiet (`meshMessageDeliveriesWeight` 0).
 * - A wrong message counts half after 34 s. Whoever sends one in 12 s is below the last
 *   threshold for good.
 */
const TOPIC_PARAMS: TopicScoreParams = {
  topicWeight: 1,
  timeInMeshWeight: 0.001,
  timeInMeshQuantum: 1_000,
  timeInMeshCap: 300,
  firstMessageDeliveriesWeight: 0.05,
  firstMessageDeliveriesDecay: 0.9,
  firstMessageDeliveriesCap: 10,
  meshMessageDeliveriesWeight: 0,
  meshMessageDeliveriesDecay: 0.5,
  meshMessageDeliveriesCap: 1,
  meshMessageDeliveriesThreshold: 1,
  meshMessageDeliveriesWindow: 10,
  meshMessageDeliveriesActivation: 5_000,
  meshFailurePenaltyWeight: 0,
  meshFailurePenaltyDecay: 0.5,
  invalidMessageDeliveriesWeight: -10,
  invalidMessageDeliveriesDecay: 0.98,
}

/** How many messages over a rate a neighbour is forgiven: a whole burst of an outbox into a room that others flood. */
const DEBITS_FREE = AUTHOR_BURST_MESSAGES
/** What each further one costs: 21 of them are the end. */
const DEBIT_WEIGHT = 4
/** After how long a debit counts half. 7 a second for ever stay within what is forgiven. */
const DEBIT_HALF_LIFE_MS = 10_000
/** Of how many neighbours debits are remembered; whoever was debited longest ago is forgotten. */
const DEBITS_MAX_PEERS = 4_096

/** What neighbours owe for bringing too much: little for each message, forgotten in time. */
export class Debits {
  readonly #clock: Clock
  readonly #owed = new Map<string, { amount: number; at: number }>()

  constructor(clock: Clock = systemClock) {
    this.#clock = steady(clock)
  }

  /** Of how many neighbours it remembers any. */
  get size(): number {
    return this.#owed.size
  }

  add(peerId: string, amount = 1): void {
    const owed = this.#amountOf(peerId) + amount
    this.#owed.delete(peerId)
    this.#owed.set(peerId, { amount: owed, at: this.#clock.now() })
    if (this.#owed.size > DEBITS_MAX_PEERS) {
      const [oldest] = this.#owed.keys()
      if (oldest !== undefined) this.#owed.delete(oldest)
    }
  }

  /** What the debits of a neighbour make of its score: 0, or less. */
  scoreOf(peerId: string): number {
    return Math.min(0, DEBIT_WEIGHT * (DEBITS_FREE - this.#amountOf(peerId)))
  }

  #amountOf(peerId: string): number {
    const owed = this.#owed.get(peerId)
    if (owed === undefined) return 0
    return owed.amount * 0.5 ** ((this.#clock.now() - owed.at) / DEBIT_HALF_LIFE_MS)
  }
}

/** The parameters of a scored gossipsub, without rooms yet. */
export function scoring(debits: Debits): Required<Pick<GossipsubOpts, 'scoreParams' | 'scoreThresholds'>> {
  return {
    scoreThresholds: { ...THRESHOLDS },
    scoreParams: { ...PARAMS, topics: {}, appSpecificScore: (peerId) => debits.scoreOf(peerId) },
  }
}

/** By gossipsub: what its neighbours owe. One that a dapp made in its own way has none. */
const debitsOf = new WeakMap<GossipSub, Debits>()

/** A gossipsub that scores its neighbours. */
export function scoredGossipsub(
  options: Partial<GossipsubOpts>,
): (components: GossipSubComponents) => GossipSub {
  return (components) => {
    const debits = new Debits()
    const pubsub = gossipsub({ ...options, ...scoring(debits) })(components)
    debitsOf.set(pubsub, debits)
    return pubsub
  }
}

/** From now on it counts what neighbours do in a topic. To be called before subscribing: what comes earlier counts nothing. */
export function scoreTopic(pubsub: GossipSub, topic: string): void {
  const { score } = pubsub as Internals
  if (score !== undefined) score.params.topics[topic] = { ...TOPIC_PARAMS }
}

/**
 * Forgets a topic after unsubscribing. What is counted of each neighbour goes with
 * the parameters: gossipsub throws where it finds the one without the other.
 */
export function forgetTopic(pubsub: GossipSub, topic: string): void {
  const { score } = pubsub as Internals
  if (score === undefined) return
  for (const { topics } of score.peerStats.values()) delete topics[topic]
  delete score.params.topics[topic]
}

/** The score of a neighbour, now: gossipsub's own may be a second old. 0 where it is not scored. */
export function scoreOf(pubsub: GossipSub, peerId: string): number {
  const { score } = pubsub as Internals
  score?.scoreCache?.delete(peerId)
  return score?.score(peerId) ?? 0
}

/** Notes that a neighbour brought a message too many. */
export function debit(pubsub: GossipSub, peerId: string, amount = 1): void {
  debitsOf.get(pubsub)?.add(peerId, amount)
}
