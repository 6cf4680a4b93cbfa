import { crc32 } from './crc32.ts'

/**
 * STUN (RFC 8489) as far as a server needs it that tells a client its outside
 * address: Binding requests, and the two answers to them.
 *
 * - Whatever is not a well-formed Binding request is ignored (§6.3): other
 *   methods (TURN), indications, answers, a wrong FINGERPRINT.
 * - So are requests without the magic cookie, from clients of RFC 3489 (2003).
 *   §11 would let us answer them, but no browser has ever sent one, and the
 *   cookie is what tells a request from any other datagram.
 * - No credentials (§12) and no SOFTWARE: nothing to check, nothing to tell.
 * - An error has no reason phrase: `420` says it, and an answer stays small.
 *
 * An answer is at most {@link STUN_MAX_FACTOR} times as long as its request,
 * since the source of a UDP datagram can be forged.
 */

/** The longest request read: what fits the smallest IPv6 packet that always passes, 1,280 − 48 bytes (§6.1). */
export const STUN_REQUEST_MAX_BYTES = 1_232
/** How many times as long as its request an answer may be: 44 bytes to an IPv6 address for 20. */
export const STUN_MAX_FACTOR = 2.2

const HEADER_BYTES = 20
const COOKIE = 0x21_12_a4_42
const BINDING_REQUEST = 0x0001
const BINDING_SUCCESS = 0x0101
const BINDING_ERROR = 0x0111

const MESSAGE_INTEGRITY = 0x0008
const ERROR_CODE = 0x0009
const UNKNOWN_ATTRIBUTES = 0x000a
const MESSAGE_INTEGRITY_SHA256 = 0x001c
const XOR_MAPPED_ADDRESS = 0x0020
const FINGERPRINT = 0x8028
const FINGERPRINT_XOR = 0x53_54_55_4e

/** Attributes from here on may be ignored by who does not know them (§14). */
const OPTIONAL = 0x8000
/** The others that RFC 8489 defines: known, so no error, and of no use here, so ignored (§6.3). */
const KNOWN = new Set([
  0x0001, // MAPPED-ADDRESS
  0x0006, // USERNAME
  MESSAGE_INTEGRITY,
  ERROR_CODE,
  UNKNOWN_ATTRIBUTES,
  0x0014, // REALM
  0x0015, // NONCE
  MESSAGE_INTEGRITY_SHA256,
  0x001d, // PASSWORD-ALGORITHM
  0x001e, // USERHASH
  XOR_MAPPED_ADDRESS,
])

/** A Binding request that was understood. */
export interface StunRequest {
  /** 12 bytes. */
  readonly transactionId: Uint8Array
  /** The types of attributes that must be understood and are not, each once. */
  readonly unknownAttributes: readonly number[]
  /** Whether it ends in a FINGERPRINT; then its answer does as well. */
  readonly hasFingerprint: boolean
}

/** Understands a Binding request. Answers `undefined` for anything else, however malformed. */
export function decodeStunRequest(datagram: Uint8Array): StunRequest | undefined {
  const { byteLength } = datagram
  if (byteLength < HEADER_BYTES || byteLength > STUN_REQUEST_MAX_BYTES) return undefined
  const view = viewOf(datagram)
  if (view.getUint16(0) !== BINDING_REQUEST || view.getUint32(4) !== COOKIE) return undefined
  if (view.getUint16(2) !== byteLength - HEADER_BYTES || byteLength % 4 !== 0) return undefined
  const unknown = new Set<number>()
  let isSealed = false
  for (let at = HEADER_BYTES; at < byteLength; ) {
    const type = view.getUint16(at)
    const length = view.getUint16(at + 2)
    const end = at + 4 + padded(length)
    if (end > byteLength) return undefined
    if (type === FINGERPRINT) {
      // It is the last attribute (§14.7): its value is that of all but the last eight bytes.
      if (length !== 4 || view.getUint32(at + 4) !== fingerprint(datagram)) return undefined
      return { transactionId: datagram.slice(8, 20), unknownAttributes: [...unknown], hasFingerprint: true }
    }
    // What comes after the integrity check is ignored (§14.5, §14.6).
    if (!isSealed && type < OPTIONAL && !KNOWN.has(type)) unknown.add(type)
    isSealed ||= type === MESSAGE_INTEGRITY || type === MESSAGE_INTEGRITY_SHA256
    at = end
  }
  return { transactionId: datagram.slice(8, 20), unknownAttributes: [...unknown], hasFingerprint: false }
}

/**
 * The answer to a request: where it came from, or error 420 where it asks for
 * what this server does not know (§6.3.1).
 *
 * @param ip 4 or 16 bytes, as {@link ipBytes} answers them
 */
export function encodeStunAnswer(request: StunRequest, ip: Uint8Array, port: number): Uint8Array {
  const { transactionId, unknownAttributes, hasFingerprint } = request
  const isError = unknownAttributes.length > 0
  const length = isError ? 8 + 4 + padded(2 * unknownAttributes.length) : 8 + ip.byteLength
  const answer = new Uint8Array(HEADER_BYTES + length + (hasFingerprint ? 8 : 0))
  const view = viewOf(answer)
  view.setUint16(0, isError ? BINDING_ERROR : BINDING_SUCCESS)
  view.setUint16(2, answer.byteLength - HEADER_BYTES)
  view.setUint32(4, COOKIE)
  answer.set(transactionId, 8)
  if (isError) writeUnknownAttributes(view, unknownAttributes)
  else writeXorMappedAddress(answer, view, ip, port)
  if (hasFingerprint) {
    const at = answer.byteLength - 8
    view.setUint16(at, FINGERPRINT)
    view.setUint16(at + 2, 4)
    view.setUint32(at + 4, fingerprint(answer))
  }
  return answer
}

/** ERROR-CODE 420 without a phrase, and UNKNOWN-ATTRIBUTES (§14.8, §14.9). */
function writeUnknownAttributes(view: DataView, types: readonly number[]): void {
  view.setUint16(HEADER_BYTES, ERROR_CODE)
  view.setUint16(HEADER_BYTES + 2, 4)
  view.setUint8(HEADER_BYTES + 6, 4)
  view.setUint8(HEADER_BYTES + 7, 20)
  view.setUint16(HEADER_BYTES + 8, UNKNOWN_ATTRIBUTES)
  view.setUint16(HEADER_BYTES + 10, 2 * types.length)
  for (const [at, type] of types.entries()) view.setUint16(HEADER_BYTES + 12 + 2 * at, type)
}

/** XOR-MAPPED-ADDRESS (§14.2): the header's cookie and transaction id hide it from NATs that rewrite addresses. */
function writeXorMappedAddress(answer: Uint8Array, view: DataView, ip: Uint8Array, port: number): void {
  view.setUint16(HEADER_BYTES, XOR_MAPPED_ADDRESS)
  view.setUint16(HEADER_BYTES + 2, 4 + ip.byteLength)
  view.setUint8(HEADER_BYTES + 5, ip.byteLength === 4 ? 0x01 : 0x02)
  view.setUint16(HEADER_BYTES + 6, port ^ (COOKIE >>> 16))
  for (const [at, byte] of ip.entries()) answer[HEADER_BYTES + 8 + at] = byte ^ (answer[4 + at] ?? 0)
}

/** What the FINGERPRINT at the end of a message has to be (§14.7). */
function fingerprint(message: Uint8Array): number {
  return (crc32(message.subarray(0, -8)) ^ FINGERPRINT_XOR) >>> 0
}

/** Attributes end on a boundary of four bytes. */
function padded(length: number): number {
  return (length + 3) & ~3
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
