import { describe, expect, it } from 'vitest'
import { decodeFrame, encodeFrame } from '../../../src/wire/frame.ts'
import { messageBy, testAuthor } from '../../support/authors.ts'

const utf8 = new TextEncoder()
const jwts = [1, 2, 3].map((number) => messageBy(testAuthor(1), `message ${number}`).jwt)
const lines = (count: number): string[] => Array.from({ length: count }, (_, index) => `line-${index}`)

describe('a frame', () => {
  it('holds a list of JWTs', () => {
    expect(decodeFrame(encodeFrame(jwts))).toEqual(jwts)
    expect(decodeFrame(encodeFrame(jwts.slice(0, 1)))).toEqual(jwts.slice(0, 1))
    expect(new TextDecoder().decode(encodeFrame(['a', 'b']))).toBe('a\nb')
  })

  it('holds 64 of them and no more', () => {
    expect(decodeFrame(encodeFrame(lines(64)))).toHaveLength(64)
    expect(decodeFrame(encodeFrame(lines(65)))).toBeUndefined()
  })

  it('is 32 KiB at most', () => {
    const half = 'x'.repeat(16 * 1024 - 1)
    expect(decodeFrame(encodeFrame([half, `${half}x`]))).toHaveLength(2)
    expect(decodeFrame(encodeFrame([`${half}y`, `${half}x`]))).toBeUndefined()
  })

  it.each([
    ['nothing', ''],
    ['an empty line', 'a\n\nb'],
    ['a final line feed', 'a\n'],
    ['a line feed at the beginning', '\na'],
    ['the same line twice', 'a\nb\na'],
    ['a line of over 16 KiB', 'x'.repeat(16 * 1024 + 1)],
  ])('refuses %s', (_what, text) => {
    expect(decodeFrame(utf8.encode(text))).toBeUndefined()
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(decodeFrame(new Uint8Array([0x61, 0xff]))).toBeUndefined()
  })

  it('refuses a byte that no JWT has', () => {
    const texts = ['é', 'a\r\nb', '\ufeffa', 'a\u0000', 'a b']
    expect(texts.filter((text) => decodeFrame(utf8.encode(text)) !== undefined)).toEqual([])
  })
})
