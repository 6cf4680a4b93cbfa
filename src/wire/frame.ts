import { EVENT_MAX_BYTES, FRAME_MAX_BYTES, FRAME_MAX_EVENTS } from '../limits.ts'

/**
 * A gossip message: one or several JWTs, one a line, without a final line feed.
 * A JWT has no line feed in it, so a list of JWTs has one frame and a frame one list.
 */
export function encodeFrame(jwts: readonly string[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(jwts.join('\n'))
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What JWTs are written with, and what separates them. */
const CHARACTERS = /^[A-Za-z0-9_.\-\n]+$/

/**
 * The JWTs of a gossip message, or `undefined` when the message is over 32 KiB,
 * holds none or more than 64, an empty or over-long line, the same line twice,
 * or a byte that no JWT has.
 */
export function decodeFrame(data: Uint8Array): string[] | undefined {
  if (data.byteLength === 0 || data.byteLength > FRAME_MAX_BYTES) return undefined
  let text: string
  try {
    text = strictUtf8.decode(data)
  } catch {
    return undefined
  }
  if (!CHARACTERS.test(text)) return undefined
  const jwts = text.split('\n', FRAME_MAX_EVENTS + 1)
  if (jwts.length > FRAME_MAX_EVENTS || new Set(jwts).size !== jwts.length) return undefined
  return jwts.every((jwt) => jwt !== '' && jwt.length <= EVENT_MAX_BYTES) ? jwts : undefined
}
