import type { Multiaddr } from '@multiformats/multiaddr'

/** Somebody who was found in a topic. */
export interface FoundPeer {
  /** In base58. */
  peerId: string
  /** 8 at most. Any address at all: whether to dial it, the caller decides. */
  addresses: Multiaddr[]
}
