import { describe, expect, it } from 'vitest'
import { decodeLength } from '../../../src/wire/length-prefix.ts'

describe('the length before a message', () => {
  it.each([
    [[0], 0],
    [[127], 127],
    [[0x80, 1], 128],
    [[0xff, 0xff, 0xff, 0x7f], 2 ** 28 - 1],
    [[5, 0xff], 5],
  ])('is an unsigned varint: %j', (bytes, length) => {
    expect(decodeLength(Uint8Array.from(bytes))).toBe(length)
  })

  it('is waited for while it can still come', () => {
    for (const bytes of [[], [0x80], [0xff, 0xff, 0xff]]) {
      expect(() => decodeLength(Uint8Array.from(bytes))).toThrow(RangeError)
    }
  })

  it('is given up when it does not end', () => {
    const thrown = (() => {
      try {
        return decodeLength(new Uint8Array(4).fill(0xff))
      } catch (error) {
        return error
      }
    })()
    expect(thrown).toBeInstanceOf(Error)
    expect(thrown).not.toBeInstanceOf(RangeError)
  })
})
