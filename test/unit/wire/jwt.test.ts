import { describe, expect, it } from 'vitest'
import { fromBase64url, toBase64url } from '../../../src/wire/base64url.ts'
import { encodeClaims } from '../../../src/wire/claims.ts'
import { eventId } from '../../../src/wire/event-id.ts'
import { parseJwt, signingInput } from '../../../src/wire/jwt.ts'
import { claimsBy, signClaims, signText, testAuthor, testPeerId } from '../../support/authors.ts'

const ada = testAuthor(1)
const claims = claimsBy(ada, 'message', { text: 'hello' })
const jwt = signClaims(ada, claims)
const [header = '', payload = '', signature = ''] = jwt.split('.')
const utf8 = new TextEncoder()

function bytesOf(text: string): Uint8Array {
  return fromBase64url(text) ?? new Uint8Array()
}

function withPayload(bytes: Uint8Array): string {
  return `${header}.${toBase64url(bytes)}.${signature}`
}

describe('parseJwt', () => {
  it('takes a JWT apart', () => {
    expect(parseJwt(jwt)).toEqual({
      claims,
      signed: utf8.encode(`${header}.${payload}`),
      signature: bytesOf(signature),
    })
    expect(signingInput(claims)).toBe(`${header}.${payload}`)
  })

  it('has exactly one header', () => {
    expect(Buffer.from(header, 'base64url').toString()).toBe('{"alg":"EdDSA","typ":"ghostchat+jwt"}')
  })

  it.each([
    ['none', '{"alg":"none","typ":"ghostchat+jwt"}'],
    ['another algorithm', '{"alg":"ES256K","typ":"ghostchat+jwt"}'],
    ['another type', '{"alg":"EdDSA","typ":"JWT"}'],
    ['no type', '{"alg":"EdDSA"}'],
    ['another order', '{"typ":"ghostchat+jwt","alg":"EdDSA"}'],
    ['a kid', '{"alg":"EdDSA","typ":"ghostchat+jwt","kid":"did:web:example.com#key"}'],
    ['a jku', '{"alg":"EdDSA","typ":"ghostchat+jwt","jku":"https://example.com"}'],
    ['a crit', '{"alg":"EdDSA","typ":"ghostchat+jwt","crit":["b64"],"b64":false}'],
    ['white space', '{"alg":"EdDSA", "typ":"ghostchat+jwt"}'],
    ['alg twice', '{"alg":"none","alg":"EdDSA","typ":"ghostchat+jwt"}'],
    ['nothing', ''],
  ])('refuses a header with %s', (_what, text) => {
    expect(parseJwt(signText(ada, encodeClaims(claims), text))).toBe('bad-header')
  })

  it.each([
    ['nothing', ''],
    ['one part', header],
    ['two parts', `${header}.${payload}`],
    ['four parts', `${jwt}.`],
    ['five parts, as a JWE', `${jwt}..`],
  ])('refuses %s', (_what, text) => {
    expect(parseJwt(text)).toBe('not-a-jwt')
  })

  it.each([
    ['a padded payload', `${header}.${payload}=.${signature}`],
    ['an empty payload', `${header}..${signature}`],
    ['a payload in the other alphabet', `${header}.${payload}+.${signature}`],
    [
      'a payload that is not UTF-8',
      withPayload(new Uint8Array([...bytesOf(payload).subarray(0, -3), 0xff, 0x22, 0x7d])),
    ],
    ['a byte order mark', withPayload(new Uint8Array([0xef, 0xbb, 0xbf, ...bytesOf(payload)]))],
    [
      'overlong UTF-8',
      withPayload(utf8.encode(encodeClaims(claims)).map((byte) => (byte === 0x68 ? 0xc1 : byte))),
    ],
    ['an encoded surrogate', withPayload(new Uint8Array([0xed, 0xa0, 0x80]))],
    ['JSON that is none', withPayload(utf8.encode('hello'))],
    ['white space in the JWT', `${header}. ${payload}.${signature}`],
  ])('refuses %s', (_what, text) => {
    expect(parseJwt(text)).toBe('bad-claims')
  })

  it('refuses a payload whose last character has bits left over', () => {
    const uneven = [1, 2, 3]
      .map((length) => signClaims(ada, claimsBy(ada, 'message', { text: 'x'.repeat(length) })).split('.'))
      .find(([, text = '']) => text.length % 4 !== 0)
    const [, text = ''] = uneven ?? []
    const next = String.fromCharCode(text.charCodeAt(text.length - 1) + 1)
    expect(parseJwt(`${header}.${text}.${signature}`)).toBeTypeOf('object')
    expect(parseJwt(`${header}.${text.slice(0, -1)}${next}.${signature}`)).toBe('bad-claims')
  })

  it.each([
    ['none', ''],
    ['63 bytes', toBase64url(bytesOf(signature).subarray(1))],
    ['65 bytes', toBase64url(new Uint8Array([...bytesOf(signature), 0]))],
    ['padding', `${signature}==`],
    [
      'bits left over',
      `${signature.slice(0, -1)}${'ABCD'.includes(signature.slice(-1)) ? 'B' : `${signature.slice(-1)}x`}`,
    ],
    ['a line feed', `${signature}\n`],
  ])('refuses a signature of %s', (_what, text) => {
    expect(parseJwt(`${header}.${payload}.${text}`)).toBe('bad-signature-form')
  })

  it('measures before it looks inside', () => {
    expect(parseJwt('x'.repeat(16 * 1024))).toBe('not-a-jwt')
    expect(parseJwt('x'.repeat(16 * 1024 + 1))).toBe('too-long')
    expect(parseJwt(`${jwt}${'.'.repeat(16 * 1024)}`)).toBe('too-long')
  })

  it('has room for the longest text, whose every character is escaped', () => {
    const parents = Array.from({ length: 8 }, (_, index) => eventId(`parent ${index}`)).sort()
    const replyTo = eventId('first')
    const longest = claimsBy(ada, 'message', { text: '"'.repeat(4096), replyTo }, { parents })
    expect(parseJwt(signClaims(ada, longest))).toBeTypeOf('object')
  })

  it('refuses a __proto__ key in presence data', () => {
    const join = encodeClaims(claimsBy(ada, 'join', { peer: testPeerId(1), data: { name: 'Ada' } }))
    expect(parseJwt(signText(ada, join))).toBeTypeOf('object')
    const polluted = join.replace('{"name":"Ada"}', '{"__proto__":{"admin":true}}')
    expect(parseJwt(signText(ada, polluted))).toBe('bad-claims')
  })

  it('refuses a text with a lone surrogate, which JSON can write', () => {
    const text = encodeClaims(claims).replace('"hello"', '"\\ud800"')
    expect(parseJwt(signText(ada, text))).toBe('bad-claims')
  })
})
