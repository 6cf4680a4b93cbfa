import { crc32 as zlibCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crc32 } from '../../src/wire/crc32.ts'
import { ipBytes } from '../../src/wire/ip-address.ts'
import { decodeStunRequest, encodeStunAnswer, STUN_MAX_FACTOR } from '../../src/wire/stun.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'
import { readMappedAddress, stunMessage } from '../support/stun.ts'

const datagram = fc.uint8Array({ maxLength: 1_400, size: 'max' })
const attributes = fc.array(
  fc.tuple(
    fc.oneof(fc.integer({ min: 0, max: 0x30 }), fc.integer({ min: 0, max: 0xffff })),
    fc.uint8Array({ maxLength: 12 }),
  ),
  { maxLength: 40 },
)
const message = fc.record({
  transactionId: fc.uint8Array({ minLength: 12, maxLength: 12 }),
  attributes,
  withFingerprint: fc.boolean(),
})
const port = fc.integer({ min: 1, max: 65_535 })

describe('STUN', () => {
  it('answers nothing to, and survives, arbitrary bytes and messages with bytes changed', () => {
    const changed = fc
      .tuple(message, fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 4 }))
      .map(([parts, changes]) => {
        const bytes = stunMessage(parts)
        for (const [at, byte] of changes) if (at < bytes.byteLength) bytes[at] = byte
        return bytes
      })
    fc.assert(
      property(fc.oneof(datagram, changed), (bytes) => {
        const request = decodeStunRequest(bytes)
        if (request === undefined) return
        expect(request.transactionId).toEqual(bytes.slice(8, 20))
        expect(Buffer.from(bytes).readUInt32BE(0) & 0xffff_0003).toBe(0x0001_0000)
      }),
      runs(5_000),
    )
  })

  it('answers every request with little more than it took, and with its transaction id', () => {
    const ip = fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
    )
    fc.assert(
      property(message, ip, port, (parts, source, from) => {
        fc.pre(!parts.attributes.some(([type]) => type === 0x8028))
        const asked = stunMessage(parts)
        const request = decodeStunRequest(asked)
        if (request === undefined) throw new Error('not understood')
        const answer = encodeStunAnswer(request, source, from)
        expect(answer.byteLength).toBeLessThanOrEqual(asked.byteLength * STUN_MAX_FACTOR)
        expect(answer.slice(8, 20)).toEqual(parts.transactionId)
        expect(answer.byteLength).toBe(20 + Buffer.from(answer).readUInt16BE(2))
        expect(request.hasFingerprint).toBe(parts.withFingerprint)
      }),
      runs(2_000),
    )
  })

  it('tells the address and the port that were seen', () => {
    const request = {
      transactionId: new Uint8Array(12).fill(9),
      unknownAttributes: [],
      hasFingerprint: false,
    }
    fc.assert(
      property(fc.oneof(fc.ipV4(), fc.ipV6()), port, (ip, from) => {
        const bytes = ipBytes(ip)
        if (bytes === undefined) throw new Error(`${ip} was not understood`)
        const seen = readMappedAddress(encodeStunAnswer(request, bytes, from))
        expect(seen.port).toBe(from)
        expect(ipBytes(seen.ip)).toEqual(bytes)
      }),
      runs(1_000),
    )
  })

  it('has the same CRC-32 as zlib', () => {
    fc.assert(
      property(datagram, (bytes) => {
        expect(crc32(bytes)).toBe(zlibCrc32(bytes))
      }),
      runs(),
    )
  })

  it('understands no text as an address that is none', () => {
    const near = fc.string({
      unit: fc.constantFrom(':', '.', '0', '1', 'f', 'F', '25', 'ffff', '%', 'g'),
      maxLength: 12,
    })
    fc.assert(
      property(near, (text) => {
        const bytes = ipBytes(text)
        const isUrlHost = text.includes(':') && !text.includes('%') && URL.canParse(`http://[${text}]`)
        if (isUrlHost) expect(bytes).toBeDefined()
        if (bytes !== undefined && text.includes(':') && !text.includes('%')) expect(isUrlHost).toBe(true)
      }),
      runs(5_000),
    )
  })
})
