import { afterEach } from 'vitest'
import { type OpenSpaceOptions, openSpace, type Space } from '../../src/index.ts'
import { silentLogger } from '../../src/logger.ts'
import { createGhostNode, type GhostNode, type GhostNodeOptions } from '../../src/node/index.ts'
import { createBarePeer } from './bare-peer.ts'

const cleanups: (() => Promise<unknown> | unknown)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** Does something when the test is over. */
export function atEnd(cleanup: () => Promise<unknown> | unknown): void {
  cleanups.push(cleanup)
}

/** A node on a free port of this machine, stopped when the test is over. */
export async function startNode(options: GhostNodeOptions = {}): Promise<GhostNode> {
  const node = await createGhostNode({ host: '127.0.0.1', port: 0, logger: silentLogger, ...options })
  atEnd(() => node.stop())
  return node
}

/** A space of somebody new, closed when the test is over. */
export async function openTestSpace(name: string, options: OpenSpaceOptions): Promise<Space> {
  const space = await openSpace(name, { identity: 'ephemeral', logger: silentLogger, ...options })
  atEnd(() => space.close())
  return space
}

/** A {@link createBarePeer} that is stopped when the test is over. */
export async function barePeer(nodeAddress: string): ReturnType<typeof createBarePeer> {
  const peer = await createBarePeer(nodeAddress)
  atEnd(() => peer.stop())
  return peer
}
