import type { GossipSub } from '@libp2p/gossipsub'
import { createBarePeer } from './bare-peer.ts'

/** What gossipsub's class has and its interface does not. */
export type OpenGossip = GossipSub & {
  mesh: Map<string, Set<string>>
  getScore(peerId: string): number
  components: { peerId: { toString(): string } }
}

/**
 * Every gossipsub that is started in this process from now on, ours and those of
 * others, so that meshes and scores can be looked at which nobody shows.
 */
export async function spyOnGossip(): Promise<{ started: OpenGossip[]; restore(): void }> {
  const started: OpenGossip[] = []
  const peer = await createBarePeer()
  const prototype = Object.getPrototypeOf(peer.services.pubsub) as { start(): Promise<void> }
  await peer.stop()
  const { start } = prototype
  prototype.start = function (this: OpenGossip): Promise<void> {
    if (!started.includes(this)) started.push(this)
    return start.call(this)
  }
  return {
    started,
    restore: () => {
      prototype.start = start
    },
  }
}
