import { verifyJWT } from 'did-jwt'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Gate } from '../../src/gate/gate.ts'
import { createVerifier } from '../../src/identity/verifier.ts'
import { toBase64url } from '../../src/wire/base64url.ts'
import { encodeClaims, toMilliseconds } from '../../src/wire/claims.ts'
import { HEADER } from '../../src/wire/jwt.ts'
import { topicOf } from '../../src/wire/topic.ts'
import { rightClaims } from '../support/arbitraries.ts'
import { NOW, signText, TOPIC, testAuthor } from '../support/authors.ts'
import { verifyOptions } from '../support/did-key-resolver.ts'

const authors = [0, 1, 2, 3].map(testAuthor)
const verifier = createVerifier()
const clock = { now: () => NOW, after: () => () => {} }

/** What is done to a payload before it is signed: some of it harmless, most of it not. */
const payloads: Record<string, (json: string) => string> = {
  'as it is': (json) => json,
  'another room': (json) => json.replace(TOPIC, topicOf('space', 'other')),
  'no audience': (json) => json.replace(/"aud":"[^"]*",/, ''),
  'a list of audiences': (json) => json.replace(`"aud":"${TOPIC}"`, `"aud":["${TOPIC}"]`),
  'long ago': (json) => json.replace(/"iat":18/, '"iat":15').replace(/"exp":18/, '"exp":15'),
  expired: (json) => json.replace(/"exp":[\d.]+/, `"exp":${NOW / 1000 - 1}`),
  'far in the future': (json) => json.replace(/"iat":[\d.]+/, `"iat":${NOW / 1000 + 600}`),
  'no end': (json) => json.replace(/"exp":[\d.]+,/, ''),
  'not before': (json) => json.replace(/}$/, `,"nbf":${NOW / 1000 + 600}}`),
  'white space': (json) => json.replace(',', ', '),
  'a duplicate key': (json) => json.replace('{', '{"iss":"did:key:z6Mk",'),
  'an unknown claim': (json) => json.replace(/}$/, ',"admin":true}'),
  'another issuer': (json) => json.replace(/"iss":"[^"]*"/, `"iss":"${testAuthor(9).did}"`),
  'no issuer': (json) => json.replace(/"iss":"[^"]*",/, ''),
}

const headers: Record<string, string> = {
  'as it is': JSON.stringify(HEADER),
  none: '{"alg":"none","typ":"ghostchat+jwt"}',
  ES256K: '{"alg":"ES256K","typ":"ghostchat+jwt"}',
  Ed25519: '{"alg":"Ed25519","typ":"JWT"}',
}

/** What is done to a finished JWT. */
const texts: Record<string, (jwt: string, at: number) => string> = {
  'as it is': (jwt) => jwt,
  'a letter changed': (jwt, at) => {
    const place = at % jwt.length
    const letter = jwt.charAt(place) === 'A' ? 'B' : 'A'
    return jwt.slice(0, place) + letter + jwt.slice(place + 1)
  },
  'cut off': (jwt, at) => jwt.slice(0, at % jwt.length),
  padded: (jwt) => `${jwt}==`,
  'no signature': (jwt) => jwt.replace(/[^.]*$/, ''),
  'a signature of zeros': (jwt) => jwt.replace(/[^.]*$/, toBase64url(new Uint8Array(64))),
}

const often = <T extends string>(usual: T, others: string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual as string) },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
  )

const token = fc
  .record({
    claims: rightClaims,
    payload: often('as it is', Object.keys(payloads)),
    header: often('as it is', Object.keys(headers)),
    text: often('as it is', Object.keys(texts)),
    signer: fc.constantFrom('author', 'author', 'author', 'somebody else'),
    at: fc.nat(),
  })
  .map(({ claims, payload, header, text, signer, at }) => {
    const author = authors.find(({ did }) => did === claims.iss) ?? testAuthor(0)
    const json = payloads[payload]?.(encodeClaims(claims)) ?? ''
    const jwt = signText(signer === 'author' ? author : testAuthor(8), json, headers[header])
    return texts[text]?.(jwt, at) ?? jwt
  })

async function didJwtAccepts(jwt: string): Promise<boolean> {
  try {
    return (await verifyJWT(jwt, verifyOptions(TOPIC, NOW))).verified
  } catch {
    return false
  }
}

describe('our gate and did-jwt', () => {
  it('what our gate accepts, did-jwt accepts: 2,000 tokens, right and wrong', async () => {
    let accepted = 0
    let refused = 0
    let refusedByUsOnly = 0
    await fc.assert(
      fc.asyncProperty(token, fc.constantFrom('live' as const, 'history' as const), async (jwt, origin) => {
        const gate = new Gate({ topic: TOPIC, clock, verifier })
        const { verdict } = await gate.admit(jwt, origin)
        if (verdict === 'accept') {
          accepted += 1
          expect(await didJwtAccepts(jwt)).toBe(true)
        } else {
          refused += 1
          if (refused <= 300 && (await didJwtAccepts(jwt))) refusedByUsOnly += 1
        }
      }),
      { numRuns: 2_000 },
    )
    // Both kinds were tried, and the gate is the stricter of the two.
    expect(accepted).toBeGreaterThan(200)
    expect(refused).toBeGreaterThan(200)
    expect(refusedByUsOnly).toBeGreaterThan(0)
  }, 60_000)

  it('did-jwt sees the same claims in an event as we do', async () => {
    await fc.assert(
      fc.asyncProperty(rightClaims, async (claims) => {
        fc.pre(toMilliseconds(claims.exp) > NOW)
        const author = authors.find(({ did }) => did === claims.iss) ?? testAuthor(0)
        const jwt = signText(author, encodeClaims(claims))
        const verified = await verifyJWT(jwt, verifyOptions(TOPIC, NOW))
        expect(verified.payload).toEqual(claims)
        expect(verified.issuer).toBe(claims.iss)
      }),
      { numRuns: 50 },
    )
  })

  it('the oracle is awake: it refuses a forgery, another audience and an expired event', async () => {
    const [claims] = fc.sample(
      rightClaims.filter(({ exp, iat }) => exp * 1000 > NOW && iat * 1000 <= NOW),
      { numRuns: 1, seed: 1 },
    )
    const author = authors.find(({ did }) => did === claims?.iss) ?? testAuthor(0)
    const json = claims === undefined ? '' : encodeClaims(claims)
    expect(await didJwtAccepts(signText(author, json))).toBe(true)
    expect(await didJwtAccepts(signText(testAuthor(8), json))).toBe(false)
    expect(await didJwtAccepts(signText(author, payloads['another room']?.(json) ?? ''))).toBe(false)
    expect(await didJwtAccepts(signText(author, json.replace(/"exp":[\d.]+/, '"exp":1500000000')))).toBe(
      false,
    )
  })
})
