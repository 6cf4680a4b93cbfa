import { MemoryDatastore } from 'datastore-core'

/**
 * What libp2p remembers of peers, in memory. What it puts there is part of a buffer of 64 KiB that it encodes into, and would hold
 * all of it: 64 KiB for each peer that was ever connected.
 */
export class PeerDatastore extends MemoryDatastore {
  override put(
    ...[key, value, ...rest]: Parameters<MemoryDatastore['put']>
  ): ReturnType<MemoryDatastore['put']> {
    return super.put(key, value.slice(), ...rest)
  }
}
