import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { fromBase64url, toBase64url } from '../../src/wire/base64url.ts'
import { type Claims, decodeClaims, encodeClaims } from '../../src/wire/claims.ts'
import { comparePositions, type Position } from '../../src/wire/event.ts'
import { eventId, isEventId } from '../../src/wire/event-id.ts'
import { decodeFrame, encodeFrame } from '../../src/wire/frame.ts'
import { assembleJwt, HEADER, parseJwt, signingInput } from '../../src/wire/jwt.ts'
import { decodeNodeInfo } from '../../src/wire/node-info.ts'
import { decodeSync, encodeSync } from '../../src/wire/sync.ts'
import { rightClaims } from '../support/arbitraries.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

/** A JWT of these claims. Whose signature it has does not matter to who only reads it. */
const jwtOf = (claims: Claims, signature = new Uint8Array(64)): string =>
  assembleJwt(signingInput(claims), signature)

describe('claims', () => {
  it('come out as they went in, whatever their type', () => {
    fc.assert(
      property(rightClaims, (claims) => {
        const json = encodeClaims(claims)
        expect(decodeClaims(json)).toEqual(claims)
        expect(parseJwt(jwtOf(claims))).toMatchObject({ claims })
      }),
      runs(300),
    )
  })

  it('have one text: a changed character makes other claims or none', () => {
    const printable = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code))
    fc.assert(
      property(rightClaims, fc.nat(), printable, fc.boolean(), (claims, at, piece, insert) => {
        const json = encodeClaims(claims)
        const place = at % json.length
        const changed = json.slice(0, place) + piece + json.slice(insert ? place : place + 1)
        const decoded = decodeClaims(changed)
        if (decoded === undefined) return
        expect(encodeClaims(decoded)).toBe(changed)
        if (changed !== json) expect(decoded).not.toEqual(claims)
      }),
      runs(2_000),
    )
  })
})

describe('parseJwt', () => {
  it('never throws, whatever the text', () => {
    const segment = fc.string({
      unit: fc.constantFrom('e', 'y', 'J', '9', '-', '_', '=', ' ', 'é', '\ud800'),
    })
    const dotted = fc.array(segment, { maxLength: 6 }).map((parts) => parts.join('.'))
    fc.assert(
      property(fc.oneof(fc.string({ unit: 'binary' }), dotted), (text) => {
        expect(parseJwt(text)).toBeTypeOf('string')
      }),
      runs(2_000),
    )
  })

  it('never throws, whatever JSON the payload is', () => {
    const header = toBase64url(new TextEncoder().encode(JSON.stringify(HEADER)))
    const signature = toBase64url(new Uint8Array(64))
    fc.assert(
      property(fc.oneof(fc.json(), fc.string()), (json) => {
        const payload = toBase64url(new TextEncoder().encode(json))
        expect(parseJwt(`${header}.${payload}.${signature}`)).toBe('bad-claims')
      }),
      runs(500),
    )
  })

  it('a JWT with a character changed is another event or none: never the same one twice', () => {
    const bytes64 = fc.uint8Array({ minLength: 64, maxLength: 64 })
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.+/ \n'
    fc.assert(
      property(rightClaims, bytes64, fc.nat(), fc.nat(alphabet.length - 1), (claims, bytes, at, letter) => {
        const jwt = jwtOf(claims, bytes)
        const place = at % jwt.length
        const changed = jwt.slice(0, place) + alphabet.charAt(letter) + jwt.slice(place + 1)
        if (changed === jwt) return
        const parsed = parseJwt(changed)
        if (typeof parsed === 'string') return
        const before = parseJwt(jwt) as typeof parsed
        expect([parsed.claims, parsed.signature]).not.toEqual([before.claims, before.signature])
      }),
      runs(1_500),
    )
  })
})

describe('base64url', () => {
  it('every byte string has one text and every text one byte string', () => {
    fc.assert(
      property(fc.uint8Array(), (bytes) => {
        const text = toBase64url(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64url'))
        expect(fromBase64url(text)).toEqual(bytes)
      }),
      runs(),
    )
    fc.assert(
      property(fc.string({ unit: fc.constantFrom(...'AQgwxZ09-_=+/ é') }), (text) => {
        const bytes = fromBase64url(text)
        if (bytes !== undefined) expect(toBase64url(bytes)).toBe(text)
      }),
      runs(1_000),
    )
  })
})

describe('event ids', () => {
  it('an id is accepted exactly where it is a CIDv1, raw, sha2-256, in its one spelling', () => {
    const alphabet = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz234567')
    const spelled = fc.tuple(fc.string({ unit: alphabet, minLength: 51, maxLength: 51 }), alphabet)
    fc.assert(
      property(spelled, ([middle, last]) => {
        const text = `bafkrei${middle}${last}`
        expect(isEventId(text)).toBe(isOurCid(text))
      }),
      runs(1_000),
    )
    fc.assert(
      property(fc.string(), (jwt) => isEventId(eventId(jwt)) && isOurCid(eventId(jwt))),
      runs(),
    )
  })
})

function isOurCid(text: string): boolean {
  try {
    const cid = CID.parse(text)
    const { code, size } = cid.multihash
    return cid.version === 1 && cid.code === 0x55 && code === 0x12 && size === 32 && cid.toString() === text
  } catch {
    return false
  }
}

describe('decoders of bytes', () => {
  it('never throw, and answer only what their encoders write', () => {
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom('{"done":true,"more":true}', '{"busy":true}'),
    )
    const bytes = fc.oneof(
      fc.uint8Array(),
      text.map((value) => new TextEncoder().encode(value)),
    )
    fc.assert(
      property(bytes, (data) => {
        const said = decodeSync(data)
        if (said !== undefined) expect(encodeSync(said)).toEqual(data)
        const jwts = decodeFrame(data)
        if (jwts !== undefined) expect(encodeFrame(jwts)).toEqual(data)
        expect(decodeNodeInfo(new TextDecoder().decode(data))).toBeUndefined()
      }),
      runs(1_000),
    )
  })

  it('a frame has one list of JWTs', () => {
    const line = fc.string({ unit: fc.constantFrom(...'aZ09-_.'), minLength: 1 })
    fc.assert(
      property(fc.uniqueArray(line, { minLength: 1, maxLength: 64 }), (lines) => {
        expect(decodeFrame(encodeFrame(lines))).toEqual(lines)
      }),
      runs(),
    )
  })
})

describe('the order of events', () => {
  const place: fc.Arbitrary<Position> = fc.record({
    timestamp: fc.integer({ min: 0, max: 3 }),
    author: fc.constantFrom('a', 'b', 'B'),
    id: fc.constantFrom('a', 'b', 'c'),
  })

  it('is total: reflexive, antisymmetric, transitive', () => {
    fc.assert(
      property(place, place, place, (a, b, c) => {
        expect(comparePositions(a, a)).toBe(0)
        expect(Math.sign(comparePositions(a, b)) + Math.sign(comparePositions(b, a))).toBe(0)
        if (comparePositions(a, b) === 0) expect(a).toEqual(b)
        if (comparePositions(a, b) <= 0 && comparePositions(b, c) <= 0) {
          expect(comparePositions(a, c)).toBeLessThanOrEqual(0)
        }
      }),
      runs(2_000),
    )
  })
})
