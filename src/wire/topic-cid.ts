import { sha256 } from '@noble/hashes/sha2.js'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'

/** Codec raw. */
const RAW = 0x55
/** Multihash sha2-256. */
const SHA2_256 = 0x12

/** What go-libp2p-pubsub puts before a topic when it advertises it (its `discovery.go`). */
const PREFIX = 'floodsub:'

const utf8 = new TextEncoder()

/** The sha2-256 under which the subscribers of a topic advertise themselves. */
export function topicDigest(topic: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(sha256(utf8.encode(PREFIX + topic)))
}

/**
 * The CID under which the subscribers of a topic are found in content routing:
 * CIDv1, raw, sha2-256 of `floodsub:<topic>`. So Kubo and everything else built
 * on go-libp2p-pubsub and go-libp2p's routing discovery (`nsToCid`) advertises it.
 */
export function topicCid(topic: string): CID {
  return CID.createV1(RAW, Digest.create(SHA2_256, topicDigest(topic)))
}
