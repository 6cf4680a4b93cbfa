import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FRAME_MAX_BYTES } from '../../src/limits.ts'
import { decodeFrame, encodeFrame } from '../../src/wire/frame.ts'
import { decodeLength } from '../../src/wire/length-prefix.ts'
import { decodeSync, encodeSync } from '../../src/wire/sync.ts'
import { frameLines, syncFrame } from '../support/arbitraries.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

/**
 * What a bad cable, or somebody on purpose, makes of bytes: some changed, cut out, put in, cut off, or spelled as a
 * number with a needless group.
 */
const damage = fc.array(
  fc.record({
    at: fc.nat(),
    byte: fc.nat(255),
    how: fc.constantFrom('change', 'insert', 'remove', 'cut', 'stretch'),
  }),
  { minLength: 1, maxLength: 3 },
)

function damaged(
  bytes: Uint8Array,
  changes: typeof damage extends fc.Arbitrary<infer T> ? T : never,
): Uint8Array {
  const list = [...bytes]
  for (const { at, byte, how } of changes) {
    const place = at % (list.length + 1)
    if (how === 'cut') list.length = place
    else if (how === 'stretch') list.splice(place, 1, (list[place] ?? 0) | 0x80, 0)
    else list.splice(place, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [byte]))
  }
  return Uint8Array.from(list)
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

describe('the frames of a comparison', () => {
  it('come out as they went in', () => {
    fc.assert(
      property(syncFrame, (frame) => {
        expect(decodeSync(encodeSync(frame))).toEqual(frame)
      }),
      runs(500),
    )
  })

  it('have one spelling: what is damaged is another frame or none, and never throws', () => {
    fc.assert(
      property(syncFrame, damage, (frame, changes) => {
        const bytes = damaged(encodeSync(frame), changes)
        const said = decodeSync(bytes)
        if (said !== undefined) expect(isSame(encodeSync(said), bytes)).toBe(true)
      }),
      runs(1_000),
    )
  })

  it('cost no more than they are long, whatever numbers are in them', () => {
    const varint = fc.constantFrom([0], [1], [0xff, 0x7f], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f])
    const numbers = fc.array(varint, { maxLength: 60 }).map((parts) => parts.flat())
    fc.assert(
      property(fc.constantFrom(1, 2), numbers, fc.boolean(), (tag, body, isLong) => {
        const salt = tag === 1 ? new Uint8Array(16) : []
        const filling = new Uint8Array(isLong ? FRAME_MAX_BYTES - body.length - 17 : 0)
        const bytes = Uint8Array.from([tag, ...salt, ...body, ...filling])
        const said = decodeSync(bytes)
        if (said !== undefined) expect(isSame(encodeSync(said), bytes)).toBe(true)
      }),
      runs(500),
    )
  })
})

describe('frames of events', () => {
  it('have one list of lines, and it one frame: also one that is damaged', () => {
    fc.assert(
      property(frameLines, damage, (lines, changes) => {
        const bytes = encodeFrame(lines)
        expect(decodeFrame(bytes)).toEqual(lines)
        const other = damaged(bytes, changes)
        const decoded = decodeFrame(other)
        if (decoded === undefined) return
        expect(isSame(encodeFrame(decoded), other)).toBe(true)
        expect(new Set(decoded).size).toBe(decoded.length)
        expect(decoded.every((line) => /^[\w.-]+$/.test(line))).toBe(true)
      }),
      runs(500),
    )
  })

  it('are refused where they are too long or too many, whatever is in them', () => {
    const size = fc.integer({ min: 1, max: 40 })
    fc.assert(
      property(fc.integer({ min: 1, max: 140 }), size, size, (count, length, times) => {
        const lines = Array.from({ length: count }, (_, index) => `${index}`.padStart(length * times, 'x'))
        const decoded = decodeFrame(encodeFrame(lines))
        const bytes = encodeFrame(lines).byteLength
        expect(decoded !== undefined).toBe(count <= 64 && bytes <= FRAME_MAX_BYTES)
      }),
      runs(300),
    )
  })
})

describe('the length before a frame', () => {
  /** As protobuf writes numbers. */
  const varint = (value: number): number[] =>
    value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))]

  it('is read as it was written, from bytes that come one by one', () => {
    fc.assert(
      property(fc.nat(2 ** 28 - 1), fc.uint8Array({ maxLength: 4 }), (length, after) => {
        const bytes = varint(length)
        for (let end = 0; end < bytes.length; end += 1) {
          expect(() => decodeLength(Uint8Array.from(bytes.slice(0, end)))).toThrow(RangeError)
        }
        expect(decodeLength(Uint8Array.from([...bytes, ...after]))).toBe(length)
      }),
      runs(300),
    )
  })

  it('is a number below 2^28, or there is none, or not yet: never anything else', () => {
    fc.assert(
      property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        try {
          const length = decodeLength(bytes)
          expect(Number.isInteger(length) && length >= 0 && length < 2 ** 28).toBe(true)
        } catch (thrown) {
          const goesOn = bytes.length < 4 && bytes.every((byte) => byte >= 0x80)
          expect(thrown).toBeInstanceOf(Error)
          expect(thrown instanceof RangeError).toBe(goesOn)
        }
      }),
      runs(300),
    )
  })
})
