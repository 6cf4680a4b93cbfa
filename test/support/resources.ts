import { afterEach } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { type OpenSpaceOptions, openSpace, type Space } from '../../src/index.ts'
import { silentLogger } from '../../src/logger.ts'
import { DialPolicy } from '../../src/network/dial-policy.ts'
import { createOwnLibp2p, type OwnLibp2p } from '../../src/network/own-libp2p.ts'
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

/** The libp2p node of a client, stopped when the test is over. */
export async function ownLibp2p(): Promise<OwnLibp2p> {
  const policy = new DialPolicy({ allowPrivate: true, isTrusted: () => true })
  const libp2p = await createOwnLibp2p({ policy, clock: systemClock, iceServers: async () => [] })
  atEnd(() => libp2p.stop())
  return libp2p
}

/** A {@link createBarePeer} that is stopped when the test is over. */
export async function barePeer(nodeAddress: string): ReturnType<typeof createBarePeer> {
  const peer = await createBarePeer(nodeAddress)
  atEnd(() => peer.stop())
  return peer
}
