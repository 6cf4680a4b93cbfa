import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Random } from '../../random.ts'
import { fromBase64url, toBase64url } from '../../wire/base64url.ts'
import { concat } from '../../wire/protobuf.ts'

/** How far a client has read a namespace. All numbers are sequence numbers of places, but for the two last. */
export interface Progress {
  /** Everything up to here was told. */
  from: number
  /** What came after `from` and up to here is being told, quiet addresses first … */
  to: number
  /** … and was told up to this place in that order. */
  rank: number
  sequence: number
  /** Names the first answer, which followed no order; 0 for none. */
  sample: number
}

const FIELDS = 5
const FIELD_BYTES = 6
const TAG_BYTES = 8
/** What base64url makes of the fields. */
const TEXT_BYTES = (FIELDS * FIELD_BYTES * 4) / 3

const utf8 = new TextEncoder()

/**
 * Cookies that say how far a client has read, so that the node remembers
 * nothing. They are bound to the namespace and to this run, and tell nobody
 * else anything: the tag signs the fields (HMAC-SHA256), and what hides them is
 * derived from it, as in a synthetic IV.
 *
 * rust-libp2p takes a cookie apart into 8 bytes and a UTF-8 text of 255 bytes at
 * the most, and refuses one that is not so: hence 8 bytes of tag, then base64url.
 */
export class Cookies {
  readonly #signingKey: Uint8Array
  readonly #hidingKey: Uint8Array

  constructor(random: Random) {
    this.#signingKey = random.bytes(32)
    this.#hidingKey = random.bytes(32)
  }

  write(scope: string, progress: Progress): Uint8Array<ArrayBuffer> {
    const { from, to, rank, sequence, sample } = progress
    const fields = new Uint8Array(FIELDS * FIELD_BYTES)
    const view = new DataView(fields.buffer)
    for (const [index, value] of [from, to, rank, sequence, sample].entries()) {
      view.setUint16(index * FIELD_BYTES, Math.floor(value / 2 ** 32))
      view.setUint32(index * FIELD_BYTES + 2, value % 2 ** 32)
    }
    const tag = this.#sign(scope, fields)
    return concat([tag, utf8.encode(toBase64url(this.#hide(tag, fields)))])
  }

  /** What {@link write} wrote in this run for this scope; for anything else `undefined`. */
  read(scope: string, cookie: Uint8Array): Progress | undefined {
    if (cookie.length !== TAG_BYTES + TEXT_BYTES) return undefined
    const tag = cookie.subarray(0, TAG_BYTES)
    const hidden = fromBase64url(new TextDecoder().decode(cookie.subarray(TAG_BYTES)))
    if (hidden === undefined || hidden.length !== FIELDS * FIELD_BYTES) return undefined
    const fields = this.#hide(tag, hidden)
    if (!this.#sign(scope, fields).every((byte, index) => byte === tag[index])) return undefined
    const view = new DataView(fields.buffer)
    const field = (index: number): number =>
      view.getUint16(index * FIELD_BYTES) * 2 ** 32 + view.getUint32(index * FIELD_BYTES + 2)
    return { from: field(0), to: field(1), rank: field(2), sequence: field(3), sample: field(4) }
  }

  #sign(scope: string, fields: Uint8Array): Uint8Array {
    return hmac(sha256, this.#signingKey, concat([fields, utf8.encode(scope)])).subarray(0, TAG_BYTES)
  }

  /** Twice is as it was. */
  #hide(tag: Uint8Array, fields: Uint8Array): Uint8Array<ArrayBuffer> {
    const mask = hmac(sha256, this.#hidingKey, tag)
    return Uint8Array.from(fields, (byte, index) => byte ^ (mask[index] ?? 0))
  }
}
