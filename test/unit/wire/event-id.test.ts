import { createHash } from 'node:crypto'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create } from 'multiformats/hashes/digest'
import { describe, expect, it } from 'vitest'
import { eventId, isEventId } from '../../../src/wire/event-id.ts'
import { messageBy, testAuthor } from '../../support/authors.ts'

/** The CID as multiformats and OpenSSL make it, without our code. */
function cidOf(text: string): string {
  const digest = create(0x12, createHash('sha256').update(text).digest())
  return CID.createV1(raw.code, digest).toString()
}

/** A CIDv1 of any bytes, whatever they say. */
function base32(bytes: number[]): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return `b${(bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')}`
}

describe('eventId', () => {
  it('is the CID of a known vector', () => {
    // sha-256 of "hello world": b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9.
    expect(eventId('hello world')).toBe('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
  })

  it.each(['', 'a', messageBy(testAuthor(1), 'hello').jwt])('is the CID that multiformats makes', (text) => {
    expect(eventId(text)).toBe(cidOf(text))
    expect(isEventId(eventId(text))).toBe(true)
    expect(CID.parse(eventId(text)).multihash.code).toBe(0x12)
  })
})

describe('isEventId', () => {
  const id = eventId('x')

  it.each([
    ['nothing', ''],
    ['undefined', undefined],
    ['an object', { toString: () => id }],
    ['capitals', id.toUpperCase()],
    ['a character less', id.slice(0, -1)],
    ['a character more', `${id}a`],
    ['a line feed', `${id}\n`],
    ['a CIDv0', 'QmaozNR7DZHQK1ZcU9p7QdrshMvXqWK6gpu5rmrkPdT3L4'],
    ['another codec', base32([1, 0x70, 0x12, 0x20, ...new Array<number>(32).fill(1)])],
    ['another hash', base32([1, 0x55, 0x13, 0x20, ...new Array<number>(32).fill(1)])],
    ['bits left over', `${id.slice(0, -1)}b`],
  ])('refuses %s', (_what, value) => {
    expect(isEventId(value)).toBe(false)
  })

  it('refuses what says that its hash has another length', () => {
    expect(isEventId(base32([1, 0x55, 0x12, 0x20, ...new Array<number>(32).fill(1)]))).toBe(true)
    expect(isEventId(base32([1, 0x55, 0x12, 0x21, ...new Array<number>(32).fill(1)]))).toBe(false)
    expect(isEventId(base32([1, 0x55, 0x12, 0x23, ...new Array<number>(32).fill(255)]))).toBe(false)
  })
})
