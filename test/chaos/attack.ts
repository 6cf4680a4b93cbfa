import { type ChildProcess, fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type GhostChat, openSpace, type Space } from 'ghostchat'
import { createGhostNode, type GhostNode } from 'ghostchat/node'
import { type OpenGossip, spyOnGossip } from '../support/gossip-spy.ts'
import type { AttackNews, AttackOrders } from './attackers.ts'

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
export interface AttackResult extends AttackPlan {
  /** Messages of the honest to the honest: how many should have come, came within 10 s, and came twice. */
  expected: number
  delivered: number
  duplicates: number
  deliveredPercent: number
  /** How many lives the attackers had, and how many messages they sent. */
  lives: number
  attacks: number
  /** How long whoever attacked was in a mesh after its first message, in milliseconds. */
  inMeshMsMedian: number
  inMeshMsMax: number
  /** The lowest score an honest peer had at the node, and the node at an honest peer. */
  lowestHonestScore: number
  lowestNodeScore: number
  /** The time from sending to hearing, in milliseconds. */
  latencyMsMedian: number
  latencyMsP99: number
  /** How much memory the node and the honest took beyond what it was before the attack, at most, in MB … */
  memoryMb: number
  /** … and how much more of it was in use when the attack was over. */
  heapMb: number
}

const LOOK_MS = 100
/** What was sent last may take this long. */
const AFTER_MS = 10_000
const RETURNS_AFTER_MS = 500

const silent = { debug() {}, warn() {} }

/** Runs an attack on a room at a node, over real libp2p: the honest in this process, the attackers in one of their own. */
export async function runAttack(plan: AttackPlan): Promise<AttackResult> {
  const spy = await spyOnGossip()
  const node = await createGhostNode({ host: '127.0.0.1', port: 0, stunPort: false, logger: silent })
  const spaces: Space[] = []
  let attackers: ChildProcess | undefined
  try {
    const chats = await enterRoom(plan.honest, node, spaces)
    const crowd = new Crowd(chats)
    const watch = new Watch(node, spy.started, chats[0]?.topic ?? '')
    await crowd.talk(plan.messagesPerSecond, 2)
    crowd.reset()
    watch.begin()
    attackers = await startAttackers(plan, node, chats[0]?.topic ?? '', (news) => watch.tell(news))
    await crowd.talk(plan.messagesPerSecond, plan.seconds)
    await crowd.settle(AFTER_MS)
    return { ...plan, ...crowd.result(), ...watch.result() }
  } finally {
    attackers?.kill('SIGKILL')
    await Promise.all(spaces.map((space) => space.close()))
    await node.stop()
    spy.restore()
  }
}

async function enterRoom(count: number, node: GhostNode, spaces: Space[]): Promise<GhostChat[]> {
  for (let number = 0; number < count; number += 1) {
    const options = { identity: 'ephemeral', nodes: [node.url], direct: false, logger: silent } as const
    spaces.push(await openSpace('attack', options))
  }
  const chats = await Promise.all(spaces.map((space) => space.joinChat('hall')))
  while (chats.some((chat) => chat.onlineUsers().length < count)) await sleep(LOOK_MS)
  return chats
}

async function startAttackers(
  plan: AttackPlan,
  node: GhostNode,
  topic: string,
  onNews: (news: AttackNews) => void,
): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('attackers.ts', import.meta.url)), [], { execArgv: [] })
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`the attackers ended with ${code}`)))
    child.on('message', (news: AttackNews) => (news.kind === 'ready' ? resolve() : onNews(news)))
  })
  const orders: AttackOrders = {
    nodeAddress: node.multiaddrs[0] ?? '',
    topic,
    kind: plan.kind,
    attackers: plan.attackers,
    perSecond: plan.attacksPerSecond,
    returnsAfterMs: RETURNS_AFTER_MS,
  }
  child.send(orders)
  return child
}

/** The honest, and what they hear of each other. */
class Crowd {
  readonly #chats: GhostChat[]
  /** By text: when it was sent, and how often each of the honest heard it. */
  readonly #sent = new Map<string, { at: number; heard: number[] }>()
  #latencies: number[] = []
  #number = 0

  constructor(chats: GhostChat[]) {
    this.#chats = chats
    for (const [index, chat] of chats.entries()) {
      chat.on('message', (_did, { text }) => {
        const sent = this.#sent.get(text)
        if (sent === undefined) return
        sent.heard[index] = (sent.heard[index] ?? 0) + 1
        this.#latencies.push(Date.now() - sent.at)
      })
    }
  }

  reset(): void {
    this.#sent.clear()
    this.#latencies = []
  }

  async talk(perSecond: number, seconds: number): Promise<void> {
    const began = Date.now()
    for (let said = 0; said < perSecond * seconds; ) {
      const due = Math.min(perSecond * seconds, ((Date.now() - began) / 1_000) * perSecond)
      for (; said < due; said += 1) {
        this.#number += 1
        const text = `honest ${this.#number}`
        this.#sent.set(text, { at: Date.now(), heard: [] })
        this.#chats[this.#number % this.#chats.length]?.send(text).catch(() => {})
      }
      await sleep(20)
    }
  }

  async settle(ms: number): Promise<void> {
    const end = Date.now() + ms
    while (Date.now() < end && this.#counts.delivered < this.#counts.expected) await sleep(LOOK_MS)
  }

  get #counts(): { expected: number; delivered: number; duplicates: number } {
    const heard = [...this.#sent.values()].flatMap((sent) => sent.heard.filter((count) => count > 0))
    return {
      expected: this.#sent.size * this.#chats.length,
      delivered: heard.length,
      duplicates: heard.reduce((sum, count) => sum + count - 1, 0),
    }
  }

  result() {
    const counts = this.#counts
    return {
      ...counts,
      deliveredPercent: Math.round((counts.delivered / counts.expected) * 100_000) / 1_000,
      latencyMsMedian: quantile(this.#latencies, 0.5),
      latencyMsP99: quantile(this.#latencies, 0.99),
    }
  }
}

/** Looks at meshes, scores and memory while an attack goes on. */
class Watch {
  readonly #node: OpenGossip | undefined
  readonly #honest: OpenGossip[]
  readonly #topic: string
  /** By peer id of an attacker: since when, and until when it was in a mesh. */
  readonly #attacks = new Map<string, { at: number; inMeshUntil: number }>()
  #before = process.memoryUsage()
  #lives = 0
  #sent = 0
  #lowestHonestScore = Number.POSITIVE_INFINITY
  #lowestNodeScore = Number.POSITIVE_INFINITY
  #rss = 0
  #timer: NodeJS.Timeout | undefined

  constructor(node: GhostNode, started: OpenGossip[], topic: string) {
    this.#node = started.find(({ components }) => components.peerId.toString() === node.peerId)
    this.#honest = started.filter((pubsub) => pubsub !== this.#node)
    this.#topic = topic
  }

  begin(): void {
    collectGarbage()
    this.#before = process.memoryUsage()
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  tell(news: AttackNews): void {
    if (news.kind === 'attacks') {
      this.#lives += 1
      this.#attacks.set(news.peerId, { at: news.at, inMeshUntil: news.at })
    } else if (news.kind === 'out') this.#sent += news.sent
  }

  #look(): void {
    const now = Date.now()
    const meshes = [this.#node, ...this.#honest].map((pubsub) => pubsub?.mesh.get(this.#topic))
    for (const [peerId, attack] of this.#attacks) {
      if (meshes.some((mesh) => mesh?.has(peerId))) attack.inMeshUntil = now
    }
    const nodeId = this.#node?.components.peerId.toString() ?? ''
    for (const pubsub of this.#honest) {
      const score = this.#node?.getScore(pubsub.components.peerId.toString()) ?? Number.NaN
      this.#lowestHonestScore = Math.min(this.#lowestHonestScore, score)
      this.#lowestNodeScore = Math.min(this.#lowestNodeScore, pubsub.getScore(nodeId))
    }
    this.#rss = Math.max(this.#rss, process.memoryUsage().rss)
  }

  result() {
    clearInterval(this.#timer)
    collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    const inMesh = [...this.#attacks.values()].map(({ at, inMeshUntil }) => inMeshUntil - at)
    return {
      lives: this.#lives,
      attacks: this.#sent,
      inMeshMsMedian: quantile(inMesh, 0.5),
      inMeshMsMax: quantile(inMesh, 1),
      lowestHonestScore: this.#lowestHonestScore,
      lowestNodeScore: this.#lowestNodeScore,
      memoryMb: megabytes(this.#rss - this.#before.rss),
      heapMb: megabytes(heapUsed + external - this.#before.heapUsed - this.#before.external),
    }
  }
}

function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

/** What nobody uses any more is no use of memory. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}
