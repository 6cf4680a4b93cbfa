import type { CID } from 'multiformats/cid'

/** Somebody who can be found. */
export interface PeerEntry {
  readonly peerId: string
  /** Multiaddrs. */
  readonly addresses: readonly string[]
  /** What it serves, in the terms of IPIP-484's `filter-protocols`; unknown where left out. */
  readonly protocols?: readonly string[]
}

/** What delegated routing answers from. */
export interface PeerDirectory {
  /** Who advertises itself under a CID. The multihash decides, not the version or codec. A peer listed twice counts once. */
  providers(cid: CID): readonly PeerEntry[]
  /** A peer, by its id in base58. */
  peer(peerId: string): PeerEntry | undefined
}
