import { EVENT_MAX_BYTES, FRAME_MAX_BYTES, FRAME_MAX_EVENTS } from '../limits.ts'

/**
 * A gossip message: one or several JWTs, one a line, without a final line feed.
 * A JWT has no line feed in it, so a list of JWTs has one frame and a frame one list.
 */
export function encodeFrame(jwts: readonly string[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(jwts.join('\n'))
}

const LINE_FEED = 10
const oneByteEach = new TextDecoder('latin1')

/** What JWTs are written with. */
const CHARACTERS = /^[A-Za-z0-9_.-]+$/

/**
 * The JWTs of a gossip message, or `undefined` when the message is over 32 KiB,
 * holds none or more than 64, an empty or over-long line, the same line twice,
 * or a byte that no JWT has.
 *
 * Each is a text of its own: a part of the text of the whole message would keep that in memory as long as it is kept itself.
 */
export function decodeFrame(data: Uint8Array): string[] | undefined {
  if (data.byteLength > FRAME_MAX_BYTES) return undefined
  const jwts: string[] = []
  for (let start = 0; start <= data.byteLength; ) {
    const found = data.indexOf(LINE_FEED, start)
    const end = found < 0 ? data.byteLength : found
    if (end - start > EVENT_MAX_BYTES || jwts.length === FRAME_MAX_EVENTS) return undefined
    const jwt = oneByteEach.decode(data.subarray(start, end))
    if (!CHARACTERS.test(jwt)) return undefined
    jwts.push(jwt)
    start = end + 1
  }
  return new Set(jwts).size === jwts.length ? jwts : undefined
}
