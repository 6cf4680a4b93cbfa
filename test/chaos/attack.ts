import { setTimeout as sleep } from 'node:timers/promises'
import { type GhostChat, openSpace, type Space } from 'ghostchat'
import { type OpenGossip, spyOnGossip } from '../support/gossip-spy.ts'
import type { AttackNews, AttackOrders } from './attackers.ts'
import { Child } from './child.ts'
import { Crowd, type CrowdReport } from './crowd.ts'
import type { NodeNews, NodeOrders, NodeReport } from './watched-node.ts'

/** How an attack is run. */
export interface AttackPlan {
  kind: AttackOrders['kind']
  honest: number
  attackers: number
  /** How many messages each attacker sends. */
  attacksPerSecond: number
  /** How many messages the honest send, all together. */
  messagesPerSecond: number
  /** How long the attack lasts. */
  seconds: number
}

/** What an attack did. */
export interface AttackResult extends AttackPlan, CrowdReport, NodeReport {
  /** How many lives the attackers had, and how many messages they sent in those that ended. */
  lives: number
  attacks: number
  /** The lowest score the node had at one of the honest. */
  lowestNodeScore: number
}

const LOOK_MS = 100
/** What was sent last may take this long. */
const AFTER_MS = 30_000
const RETURNS_AFTER_MS = 500

/**
 * Runs an attack on a room at a node, over real libp2p: the honest in this
 * process, the node in one of its own, and the attackers in a third.
 */
export async function runAttack(plan: AttackPlan): Promise<AttackResult> {
  const spy = await spyOnGossip()
  const node = new Child<NodeOrders, NodeNews>('watched-node.ts')
  const attackers = new Child<AttackOrders, AttackNews>('attackers.ts')
  const ready = attackers.next('ready')
  const spaces: Space[] = []
  let timer: NodeJS.Timeout | undefined
  try {
    const { url, multiaddr } = await node.next('started')
    await ready
    const chats = await enterRoom(plan.honest, url, spaces)
    const topic = chats[0]?.topic ?? ''
    const crowd = new Crowd(chats)
    await crowd.talk(plan.messagesPerSecond, 2)
    await crowd.settle(AFTER_MS)
    crowd.reset()
    const begun = node.next('begun')
    node.tell({ kind: 'begin', topic, honest: spy.started.map(idOf) })
    await begun

    const counts = { lives: 0, attacks: 0, lowestNodeScore: Number.POSITIVE_INFINITY }
    attackers.onNews = (news) => {
      if (news.kind === 'out') counts.attacks += news.sent
      if (news.kind !== 'attacks') return
      counts.lives += 1
      node.tell(news)
    }
    const nodeId = multiaddr.split('/').at(-1) ?? ''
    timer = setInterval(() => {
      counts.lowestNodeScore = Math.min(
        counts.lowestNodeScore,
        ...spy.started.map((pubsub) => pubsub.getScore(nodeId)),
      )
    }, LOOK_MS)
    attackers.tell({
      nodeAddress: multiaddr,
      topic,
      kind: plan.kind,
      attackers: plan.attackers,
      perSecond: plan.attacksPerSecond,
      returnsAfterMs: RETURNS_AFTER_MS,
    })
    await crowd.talk(plan.messagesPerSecond, plan.seconds)
    await crowd.settle(AFTER_MS)
    const ended = node.next('ended')
    node.tell({ kind: 'end' })
    return { ...plan, ...crowd.report, ...counts, ...(await ended).report }
  } finally {
    clearInterval(timer)
    attackers.stop()
    await Promise.all(spaces.map((space) => space.close()))
    node.stop()
    spy.restore()
  }
}

const idOf = ({ components }: OpenGossip): string => components.peerId.toString()

async function enterRoom(count: number, nodeUrl: string, spaces: Space[]): Promise<GhostChat[]> {
  const logger = { debug() {}, warn() {} }
  for (let number = 0; number < count; number += 1) {
    spaces.push(await openSpace('attack', { identity: 'ephemeral', nodes: [nodeUrl], direct: false, logger }))
  }
  const chats = await Promise.all(spaces.map((space) => space.joinChat('hall')))
  while (chats.some((chat) => chat.onlineUsers().length < count)) await sleep(LOOK_MS)
  return chats
}
