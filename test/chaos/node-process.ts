/** A GhostNode in a process of its own. */
import { createGhostNode, type GhostNodeOptions } from 'ghostchat/node'
import { type MemorySample, sampleMemory } from './memory.ts'

/** What a node is told. */
export type NodeOrders =
  | { kind: 'start'; options: Omit<GhostNodeOptions, 'logger'> }
  /** To stop, saying goodbye, and to end. */
  | { kind: 'stop' }
  | { kind: 'measure' }

/** What a node tells. */
export type NodeNews =
  | { kind: 'ready' }
  | { kind: 'listens'; url: string }
  | { kind: 'measured'; sample: MemorySample }
  /** What must not happen. */
  | { kind: 'failed'; reason: string }

const tell = (news: NodeNews): void => void process.send?.(news)
const fail = (thrown: unknown): void => tell({ kind: 'failed', reason: String(thrown) })

process.on('unhandledRejection', fail)
process.on('uncaughtException', fail)

let stop = async (): Promise<void> => {}

async function obey(orders: NodeOrders): Promise<void> {
  if (orders.kind === 'measure') tell({ kind: 'measured', sample: sampleMemory() })
  else if (orders.kind === 'start') {
    const node = await createGhostNode({ ...orders.options, logger: { debug() {}, warn() {} } })
    stop = () => node.stop()
    tell({ kind: 'listens', url: node.url })
  } else {
    await stop()
    process.exit()
  }
}

process.on('message', (orders: NodeOrders) => {
  obey(orders).catch(fail)
})
process.on('disconnect', () => process.exit())
tell({ kind: 'ready' })
