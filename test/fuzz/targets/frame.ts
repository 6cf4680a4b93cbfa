import { EVENT_MAX_BYTES, FRAME_MAX_BYTES, FRAME_MAX_EVENTS } from '../../../src/limits.ts'
import { encodeClaims } from '../../../src/wire/claims.ts'
import { decodeFrame, encodeFrame } from '../../../src/wire/frame.ts'
import { jwtAround, someClaims } from '../support/events.ts'
import { areEqual, bytesOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

/** The lines of a gossip message. */
export const frame: Target = {
  name: 'frame',
  run(input) {
    const jwts = decodeFrame(input)
    if (jwts === undefined) return
    promise(areEqual(encodeFrame(jwts), input), 'a list of JWTs has one frame')
    promise(input.length <= FRAME_MAX_BYTES, 'a frame is 32 KiB at the most')
    promise(jwts.length > 0 && jwts.length <= FRAME_MAX_EVENTS, 'a frame has 64 events at the most')
    promise(new Set(jwts).size === jwts.length, 'no line comes twice')
    promise(
      jwts.every((jwt) => jwt.length > 0 && jwt.length <= EVENT_MAX_BYTES),
      'no event is over 16 KiB',
    )
  },
  seeds: () => {
    const jwts = someClaims(8).map((claims) => jwtAround(bytesOf(encodeClaims(claims))))
    const numbers = Array.from({ length: FRAME_MAX_EVENTS + 1 }, (_, number) => String(number))
    return [
      ...[jwts.slice(0, 1), jwts.slice(0, 3), ['a', 'b', 'a'], numbers, numbers.slice(1)].map(encodeFrame),
      bytesOf('x'.repeat(EVENT_MAX_BYTES)),
      bytesOf(`${'x'.repeat(EVENT_MAX_BYTES)}\n${'y'.repeat(EVENT_MAX_BYTES - 1)}`),
    ]
  },
  words: ['\n', '.', 'eyJ'],
  maxBytes: FRAME_MAX_BYTES + 16,
  runs: 400_000,
}
