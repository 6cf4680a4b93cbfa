import { sha256 } from '@noble/hashes/sha2.js'

declare const brand: unique symbol

/** The id of an event: the CIDv1 (raw, sha2-256, base32) of the bytes of its JWT. */
export type EventId = string & { readonly [brand]: 'EventId' }

/** CIDv1, codec raw (0x55), multihash sha2-256 (0x12) of 32 bytes (0x20). */
const CID_PREFIX = [0x01, 0x55, 0x12, 0x20]

/** 36 bytes in base32, of which the prefix settles 32 bits; the last character carries three bits only. */
const SHAPE = /^bafkrei[a-h][a-z2-7]{50}[aeimquy4]$/

const utf8 = new TextEncoder()

/** Base32 (RFC 4648 §6) in lower case. */
const ALPHABET = [...'abcdefghijklmnopqrstuvwxyz234567'].map((character) => character.charCodeAt(0))

/** The id of the event with this JWT. */
export function eventId(jwt: string): EventId {
  const cid = new Uint8Array(36)
  cid.set(CID_PREFIX)
  cid.set(sha256(utf8.encode(jwt)), CID_PREFIX.length)
  return multibase(cid)
}

/** One text from all characters: where it is put together one by one, V8 keeps every step, a kilobyte for each id. */
function multibase(bytes: Uint8Array): EventId {
  const codes = [98]
  let [bits, value] = [0, 0]
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; ) {
      bits -= 5
      codes.push(ALPHABET[(value >> bits) & 31] ?? 0)
    }
  }
  if (bits > 0) codes.push(ALPHABET[(value << (5 - bits)) & 31] ?? 0)
  return String.fromCharCode(...codes) as EventId
}

/** Whether a value is written as {@link eventId} writes one. */
export function isEventId(value: unknown): value is EventId {
  return typeof value === 'string' && SHAPE.test(value)
}
