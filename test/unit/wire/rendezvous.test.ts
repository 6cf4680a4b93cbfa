import { describe, expect, it } from 'vitest'
import {
  decodeRendezvous,
  encodeRendezvous,
  RENDEZVOUS_PROTOCOL,
  RENDEZVOUS_STATUS,
  type RendezvousMessage,
  registrationBytes,
} from '../../../src/wire/rendezvous.ts'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')
const record = Uint8Array.of(1, 2, 3)

describe('the rendezvous protocol', () => {
  it('has the name and the status numbers of the spec', () => {
    expect(RENDEZVOUS_PROTOCOL).toBe('/rendezvous/1.0.0')
    expect(RENDEZVOUS_STATUS).toEqual({
      OK: 0,
      E_INVALID_NAMESPACE: 100,
      E_INVALID_SIGNED_PEER_RECORD: 101,
      E_INVALID_TTL: 102,
      E_INVALID_COOKIE: 103,
      E_NOT_AUTHORIZED: 200,
      E_INTERNAL_ERROR: 300,
      E_UNAVAILABLE: 400,
    })
  })
})

/** Worked out by hand from the spec's protobuf: tag = number * 8 + wire type. */
const WIRE: [string, RendezvousMessage, string][] = [
  [
    'REGISTER',
    { type: 'register', namespace: 'a', signedPeerRecord: record, ttlSeconds: 7200 },
    '0800 120b 0a0161 1203010203 18a038',
  ],
  ['REGISTER without a TTL', { type: 'register', namespace: 'a' }, '0800 1203 0a0161'],
  [
    'REGISTER_RESPONSE OK',
    { type: 'register-response', status: 'OK', ttlSeconds: 7200 },
    '0801 1a05 0800 18a038',
  ],
  [
    'REGISTER_RESPONSE with a fault',
    { type: 'register-response', status: 'E_UNAVAILABLE', statusText: 'no' },
    '0801 1a07 089003 12026e6f',
  ],
  ['UNREGISTER', { type: 'unregister', namespace: 'a' }, '0802 2203 0a0161'],
  ['DISCOVER everything', { type: 'discover' }, '0803 2a00'],
  [
    'DISCOVER',
    { type: 'discover', namespace: 'a', limit: 300, cookie: Uint8Array.of(9) },
    '0803 2a09 0a0161 10ac02 1a0109',
  ],
  [
    'DISCOVER_RESPONSE',
    {
      type: 'discover-response',
      registrations: [{ namespace: 'a', signedPeerRecord: record, ttlSeconds: 1 }],
      cookie: Uint8Array.of(9),
      status: 'OK',
    },
    '0804 3211 0a0a 0a0161 1203010203 1801 120109 1800',
  ],
  [
    'DISCOVER_RESPONSE with a fault',
    { type: 'discover-response', registrations: [], status: 'E_INVALID_COOKIE', statusText: 'no' },
    '0804 3206 1867 22026e6f',
  ],
]

describe('a message', () => {
  it.each(WIRE)('is to the byte what the spec says: %s', (_what, message, wire) => {
    expect(hex(encodeRendezvous(message))).toBe(wire.replaceAll(' ', ''))
    expect(decodeRendezvous(bytes(wire))).toEqual(message)
  })

  it('without a type is a REGISTER, and an answer without a status is OK: their zeros may stay away', () => {
    expect(decodeRendezvous(bytes('1203 0a0161'))).toEqual({ type: 'register', namespace: 'a' })
    expect(decodeRendezvous(bytes('0801 1a03 18a038'))).toEqual({
      type: 'register-response',
      status: 'OK',
      ttlSeconds: 7200,
    })
  })

  it('may have fields of later versions, of any kind, and the id that UNREGISTER once had', () => {
    expect(decodeRendezvous(bytes('0802 2206 0a0161 120109'))).toEqual({ type: 'unregister', namespace: 'a' })
    expect(
      decodeRendezvous(bytes('0803 2a00 9806 05 a206 0101 a906 0102030405060708 ad06 01020304')),
    ).toEqual({
      type: 'discover',
    })
  })

  it('of which a field comes twice has the last one', () => {
    expect(decodeRendezvous(bytes('0802 0803 2a03 0a0161 2a03 0a0162'))).toEqual({
      type: 'discover',
      namespace: 'b',
    })
  })

  it('has its numbers held within what a number can say', () => {
    expect(decodeRendezvous(bytes('0803 2a0b 10ffffffffffffffffff01'))).toEqual({
      type: 'discover',
      limit: Number.MAX_SAFE_INTEGER,
    })
  })

  it('whose status nobody knows is a fault, not OK', () => {
    expect(decodeRendezvous(bytes('0801 1a02 0863'))).toMatchObject({ status: 'E_INTERNAL_ERROR' })
  })

  it.each([
    ['nothing', ''],
    ['a type without its body', '0803'],
    ['the body of another type', '0803 1203 0a0161'],
    ['a type that there is not', '0805 3200'],
    ['a length beyond the end', '0803 2a7f 0a0161'],
    ['a body that is cut short', '0803 2a02 0a05'],
    ['a number that does not end', '08ffffffffffffffffffffff'],
    ['a number of more than 64 bits', '0803 2a0b 10ffffffffffffffffff02'],
    ['a group', '0803 2a00 0b0c'],
    ['a field numbered 0', '0803 2a00 0001'],
    ['a namespace that is not UTF-8', '0802 2203 0a01ff'],
    ['a body of the wrong kind', '0803 2801'],
  ])('is none where there is %s', (_what, wire) => {
    expect(decodeRendezvous(bytes(wire))).toBeUndefined()
  })

  it('has 1,000 registrations at the most', () => {
    const answer = (count: number): Uint8Array =>
      encodeRendezvous({
        type: 'discover-response',
        registrations: Array.from({ length: count }, () => ({ namespace: 'a' })),
        status: 'OK',
      })
    expect(decodeRendezvous(answer(1_000))).toMatchObject({ registrations: { length: 1_000 } })
    expect(decodeRendezvous(answer(1_001))).toBeUndefined()
  })

  it('has no more fields than the spec gives it and some to come', () => {
    expect(decodeRendezvous(bytes(`0803 2a00 ${'a20600'.repeat(30)}`))).toEqual({ type: 'discover' })
    expect(decodeRendezvous(bytes(`0803 2a00 ${'a20600'.repeat(31)}`))).toBeUndefined()
  })

  it('takes no more for a registration than is reckoned with', () => {
    const signedPeerRecord = new Uint8Array(4_096)
    const namespace = 'n'.repeat(255)
    const size = (count: number): number =>
      encodeRendezvous({
        type: 'discover-response',
        registrations: Array.from({ length: count }, () => ({
          namespace,
          signedPeerRecord,
          ttlSeconds: 259_200,
        })),
        status: 'OK',
      }).length
    expect(size(2) - size(1)).toBeLessThanOrEqual(
      registrationBytes(namespace.length, signedPeerRecord.length),
    )
  })
})
