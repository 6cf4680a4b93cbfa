import { describe, expect, it } from 'vitest'
import { fromBase64url, toBase64url } from '../../../src/wire/base64url.ts'

describe('base64url', () => {
  it.each([
    [[], ''],
    [[0x66], 'Zg'],
    [[0x66, 0x6f], 'Zm8'],
    [[0x66, 0x6f, 0x6f], 'Zm9v'],
    [[0xfb, 0xff], '-_8'],
  ])('%j ↔ %j', (bytes, text) => {
    expect(toBase64url(new Uint8Array(bytes))).toBe(text)
    expect(fromBase64url(text)).toEqual(new Uint8Array(bytes))
  })

  it.each([
    ['padding', 'Zg=='],
    ['padding where none belongs', 'Zm9v='],
    ['the other alphabet', '+/8'],
    ['bits left over', 'Zh'],
    ['a character too few', 'Zm9vZ'],
    ['white space', 'Zm 9v'],
    ['a line feed', 'Zm9v\n'],
    ['a letter outside ASCII', 'Zm9é'],
  ])('refuses %s', (_what, text) => {
    expect(fromBase64url(text)).toBeUndefined()
  })
})
