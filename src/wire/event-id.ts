import { sha256 } from '@noble/hashes/sha2.js'
import { base32 } from 'multiformats/bases/base32'

declare const brand: unique symbol

/** The id of an event: the CIDv1 (raw, sha2-256, base32) of the bytes of its JWT. */
export type EventId = string & { readonly [brand]: 'EventId' }

/** CIDv1, codec raw (0x55), multihash sha2-256 (0x12) of 32 bytes (0x20). */
const CID_PREFIX = [0x01, 0x55, 0x12, 0x20]

/** 36 bytes in base32, of which the prefix settles 32 bits; the last character carries three bits only. */
const SHAPE = /^bafkrei[a-h][a-z2-7]{50}[aeimquy4]$/

const utf8 = new TextEncoder()

/** The id of the event with this JWT. */
export function eventId(jwt: string): EventId {
  const cid = new Uint8Array(36)
  cid.set(CID_PREFIX)
  cid.set(sha256(utf8.encode(jwt)), CID_PREFIX.length)
  return base32.encode(cid) as EventId
}

/** Whether a value is written as {@link eventId} writes one. */
export function isEventId(value: unknown): value is EventId {
  return typeof value === 'string' && SHAPE.test(value)
}
