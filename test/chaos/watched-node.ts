/**
 * A GhostNode in a process of its own, whose meshes, scores and memory are looked at
 * while it is attacked.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createGhostNode } from '../../src/node/index.ts'
import { type OpenGossip, spyOnGossip } from '../support/gossip-spy.ts'

/** What the node is told. */
export type NodeOrders =
  /** The attack begins. */
  | { kind: 'begin'; topic: string; honest: string[] }
  /** Somebody begins to attack. */
  | { kind: 'attacks'; peerId: string; at: number }
  /** The attack is over. */
  | { kind: 'end' }

/** What the node tells. */
export type NodeNews =
  | { kind: 'started'; url: string; multiaddr: string }
  /** The garbage is collected, and it looks. */
  | { kind: 'begun' }
  | { kind: 'ended'; report: NodeReport }

/** What was seen at the node. */
export interface NodeReport {
  /** How long whoever attacked was in its mesh after its first message, in milliseconds. */
  inMeshMsMedian: number
  inMeshMsMax: number
  /** The lowest score an honest peer had. */
  lowestHonestScore: number
  /** How much more memory the node had in use than before the attack, at most, in MB: heap and buffers, without garbage. */
  memoryMb: number
  /** How much more the process had taken from the system, at most, garbage included. */
  rssMb: number
}

const LOOK_MS = 100
/** How often memory is measured: garbage has to be collected for it. */
const MEASURE_MS = 4_000

class Watch {
  readonly #pubsub: OpenGossip | undefined
  readonly #topic: string
  readonly #honest: readonly string[]
  /** By peer id of an attacker: since when, and until when it was in the mesh. */
  readonly #attacks = new Map<string, { at: number; until: number }>()
  readonly #before: { used: number; rss: number }
  #measuredAt = Date.now()
  #used = 0
  readonly #timer: NodeJS.Timeout
  #lowestHonestScore = Number.POSITIVE_INFINITY
  #rss = 0

  constructor(pubsub: OpenGossip | undefined, topic: string, honest: readonly string[]) {
    this.#pubsub = pubsub
    this.#topic = topic
    this.#honest = honest
    this.#before = measure()
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  attacks(peerId: string, at: number): void {
    this.#attacks.set(peerId, { at, until: at })
  }

  #look(): void {
    const mesh = this.#pubsub?.mesh.get(this.#topic)
    for (const [peerId, attack] of this.#attacks) if (mesh?.has(peerId)) attack.until = Date.now()
    const scores = this.#honest.map((peerId) => this.#pubsub?.getScore(peerId) ?? Number.NaN)
    this.#lowestHonestScore = Math.min(this.#lowestHonestScore, ...scores)
    this.#rss = Math.max(this.#rss, process.memoryUsage().rss)
    if (Date.now() - this.#measuredAt < MEASURE_MS) return
    this.#used = Math.max(this.#used, measure().used)
    this.#measuredAt = Date.now()
  }

  end(): NodeReport {
    clearInterval(this.#timer)
    this.#used = Math.max(this.#used, measure().used)
    const inMesh = [...this.#attacks.values()].map(({ at, until }) => until - at).sort((a, b) => a - b)
    return {
      inMeshMsMedian: inMesh[Math.floor(inMesh.length / 2)] ?? 0,
      inMeshMsMax: inMesh.at(-1) ?? 0,
      lowestHonestScore: this.#lowestHonestScore,
      memoryMb: megabytes(this.#used - this.#before.used),
      rssMb: megabytes(this.#rss - this.#before.rss),
    }
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}

/** What nobody uses any more is no use of memory, and is collected first. */
function measure(): { used: number; rss: number } {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { used: heapUsed + external, rss }
}

const tell = (news: NodeNews): void => void process.send?.(news)

const spy = await spyOnGossip()
const node = await createGhostNode({
  host: '127.0.0.1',
  port: 0,
  stunPort: false,
  logger: { debug() {}, warn() {} },
})
let watch: Watch | undefined
process.on('message', (orders: NodeOrders) => {
  if (orders.kind === 'attacks') watch?.attacks(orders.peerId, orders.at)
  else if (orders.kind === 'begin') {
    const pubsub = spy.started.find(({ components }) => components.peerId.toString() === node.peerId)
    watch = new Watch(pubsub, orders.topic, orders.honest)
    tell({ kind: 'begun' })
  } else if (watch !== undefined) tell({ kind: 'ended', report: watch.end() })
})
process.on('disconnect', () => process.exit())
tell({ kind: 'started', url: node.url, multiaddr: node.multiaddrs[0] ?? '' })
