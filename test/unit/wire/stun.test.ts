import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../src/wire/crc32.ts'
import { ipBytes } from '../../../src/wire/ip-address.ts'
import {
  decodeStunRequest,
  encodeStunAnswer,
  STUN_MAX_FACTOR,
  STUN_REQUEST_MAX_BYTES,
} from '../../../src/wire/stun.ts'
import { fromHex, stunMessage, toHex } from '../../support/stun.ts'

/** RFC 5769 §2.1: of an ICE agent, with SOFTWARE, PRIORITY, ICE-CONTROLLED, USERNAME, MESSAGE-INTEGRITY, FINGERPRINT. */
const RFC5769_REQUEST = fromHex(`
  00010058 2112a442 b7e7a701bc34d686fa87dfae 80220010 5354554e207465737420636c69656e74
  00240004 6e0001ff 80290008 932ff9b151263b36 00060009 6576746a3a68367659202020
  00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf`)
/** §2.2 and §2.3: the answers to 192.0.2.1 and 2001:db8:1234:5678:11:2233:4455:6677, port 32853. */
const RFC5769_IPV4 = fromHex(`
  0101003c 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
  00200008 0001a147e112a643 00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96`)
const RFC5769_IPV6 = fromHex(`
  01010048 2112a442 b7e7a701bc34d686fa87dfae 8022000b 7465737420766563746f7220
  00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9
  00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c`)

const transactionId = fromHex('b7e7a701bc34d686fa87dfae')
const v4 = ipBytes('192.0.2.1') ?? new Uint8Array()
const v6 = ipBytes('2001:db8:1234:5678:11:2233:4455:6677') ?? new Uint8Array()
const request = { transactionId, unknownAttributes: [], hasFingerprint: false }

describe('a STUN request', () => {
  it('may be a header alone', () => {
    expect(decodeStunRequest(stunMessage({ transactionId }))).toEqual(request)
  })

  it('is understood where it lies inside a larger buffer', () => {
    const inside = new Uint8Array(64)
    inside.set(stunMessage({ transactionId }), 16)
    expect(decodeStunRequest(inside.subarray(16, 36))).toEqual(request)
  })

  it('is that of RFC 5769: its FINGERPRINT is right, and of all it carries only PRIORITY is unknown here', () => {
    expect(decodeStunRequest(RFC5769_REQUEST)).toEqual({
      transactionId,
      unknownAttributes: [0x0024],
      hasFingerprint: true,
    })
  })

  it('is ignored when its FINGERPRINT is wrong, wherever a bit was changed', () => {
    // But not in the type of the FINGERPRINT itself: without one, a request is as good.
    const places = [...RFC5769_REQUEST.keys()].filter((at) => at !== 100 && at !== 101)
    for (const at of places) {
      const changed = RFC5769_REQUEST.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(decodeStunRequest(changed)).toBeUndefined()
    }
  })

  it('is ignored when something comes after the FINGERPRINT, or the FINGERPRINT is not four bytes long', () => {
    const after: [number, Uint8Array][] = [
      [0x8028, fromHex('00000000')],
      [0x8022, fromHex('41')],
    ]
    expect(decodeStunRequest(stunMessage({ attributes: after }))).toBeUndefined()
    const short = stunMessage({ withFingerprint: true })
    expect(decodeStunRequest(short)).toBeDefined()
    short[23] = 3
    expect(decodeStunRequest(short)).toBeUndefined()
  })

  it('may carry what every server knows and this one has no use for', () => {
    const known = [0x0001, 0x0006, 0x0008, 0x0009, 0x000a, 0x0014, 0x0015, 0x001c, 0x001d, 0x001e, 0x0020]
    const attributes = known.map((type) => [type, fromHex('0102')] as const)
    expect(decodeStunRequest(stunMessage({ transactionId, attributes }))).toEqual(request)
  })

  it('may carry attributes that need not be understood', () => {
    const attributes = [0x8000, 0x8022, 0xffff].map((type) => [type, fromHex('010203')] as const)
    expect(decodeStunRequest(stunMessage({ transactionId, attributes }))).toEqual(request)
  })

  it('names what it does not know and should, each once', () => {
    const attributes = [0x0003, 0x7fff, 0x0003].map((type) => [type, new Uint8Array()] as const)
    expect(decodeStunRequest(stunMessage({ attributes }))?.unknownAttributes).toEqual([0x0003, 0x7fff])
  })

  it.each([0x0008, 0x001c])('may carry anything behind its integrity check %i, which is ignored', (check) => {
    const attributes = [
      [check, new Uint8Array(20)],
      [0x0003, new Uint8Array(4)],
    ] as const
    expect(decodeStunRequest(stunMessage({ attributes }))?.unknownAttributes).toEqual([])
  })

  it.each([
    ['nothing', new Uint8Array()],
    ['half a header', stunMessage({}).subarray(0, 19)],
    ['a length that is not the datagram’s', fromHex(`00010004 2112a442 ${'00'.repeat(12)}`)],
    ['a length that is no multiple of four', fromHex(`00010002 2112a442 ${'00'.repeat(12)} 8022`)],
    ['an attribute that goes beyond the end', fromHex(`00010004 2112a442 ${'00'.repeat(12)} 80220001`)],
    ['no magic cookie (RFC 3489)', stunMessage({ cookie: 0x2112a443 })],
    ['an indication', stunMessage({ type: 0x0011 })],
    ['a success', stunMessage({ type: 0x0101 })],
    ['an error', stunMessage({ type: 0x0111 })],
    ['TURN’s Allocate', stunMessage({ type: 0x0003 })],
    ['a type with its first bits set', stunMessage({ type: 0xc001 })],
    ['an answer of RFC 5769', RFC5769_IPV4],
  ])('is not %s', (_name, datagram) => {
    expect(decodeStunRequest(datagram)).toBeUndefined()
  })

  it('is 1,232 bytes at most', () => {
    const padded = (bytes: number): Uint8Array =>
      stunMessage({ transactionId, attributes: [[0x8022, new Uint8Array(bytes - 24)]] })
    expect(padded(STUN_REQUEST_MAX_BYTES).byteLength).toBe(1_232)
    expect(decodeStunRequest(padded(STUN_REQUEST_MAX_BYTES))).toEqual(request)
    expect(decodeStunRequest(padded(STUN_REQUEST_MAX_BYTES + 4))).toBeUndefined()
  })
})

describe('a STUN answer', () => {
  it('holds the address as RFC 5769 has it', () => {
    const [address4, address6] = [RFC5769_IPV4.subarray(36, 48), RFC5769_IPV6.subarray(36, 60)]
    expect(toHex(encodeStunAnswer(request, v4, 32_853))).toBe(
      `0101000c2112a442${toHex(transactionId)}${toHex(address4)}`,
    )
    expect(toHex(encodeStunAnswer(request, v6, 32_853))).toBe(
      `010100182112a442${toHex(transactionId)}${toHex(address6)}`,
    )
  })

  it('ends in a FINGERPRINT where the request did', () => {
    for (const { withFingerprint, bytes } of [
      { withFingerprint: true, bytes: 40 },
      { withFingerprint: false, bytes: 32 },
    ]) {
      const decoded = decodeStunRequest(stunMessage({ withFingerprint }))
      const answer = decoded && encodeStunAnswer(decoded, v4, 1)
      expect(answer?.byteLength).toBe(bytes)
    }
    const answer = Buffer.from(encodeStunAnswer({ ...request, hasFingerprint: true }, v4, 1))
    expect(answer.readUInt16BE(2)).toBe(20)
    expect(answer.readUInt32BE(32)).toBe(0x80280004)
    expect(answer.readUInt32BE(36)).toBe((crc32(answer.subarray(0, 32)) ^ 0x5354554e) >>> 0)
  })

  it('is error 420 with the attributes that were not understood', () => {
    const answer = encodeStunAnswer({ ...request, unknownAttributes: [0x0003, 0x0024, 0x7fff] }, v4, 1)
    expect(toHex(answer)).toBe(
      `011100142112a442${toHex(transactionId)}` +
        '0009000400000414' + // ERROR-CODE 4·100 + 20
        '000a0006000300247fff0000',
    )
  })

  it(`is at most ${STUN_MAX_FACTOR} times as long as the request`, () => {
    const shortest = stunMessage({})
    expect(encodeStunAnswer(request, v6, 1).byteLength / shortest.byteLength).toBe(STUN_MAX_FACTOR)
  })
})

describe('the CRC-32', () => {
  it('is that of the standard, and of the messages of RFC 5769', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcb_f4_39_26)
    expect(crc32(new Uint8Array())).toBe(0)
    for (const message of [RFC5769_REQUEST, RFC5769_IPV4, RFC5769_IPV6]) {
      const fingerprint = Buffer.from(message).readUInt32BE(message.byteLength - 4)
      expect((crc32(message.subarray(0, -8)) ^ 0x5354554e) >>> 0).toBe(fingerprint)
    }
  })
})
