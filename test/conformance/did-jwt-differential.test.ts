import { readFileSync } from 'node:fs'
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
import { claimsBy, NOW, signText, TOPIC, testAuthor } from '../support/authors.ts'
import { verifyOptions } from '../support/did-key-resolver.ts'

const authors = [0, 1, 2, 3].map(testAuthor)
const verifier = createVerifier()
const clock = { now: () => NOW, after: () => () => {} }

const at = (iat: number, exp: number) => (json: string) =>
  json
    .replace(/"iat":[\d.]+/, `"iat":${NOW / 1000 + iat}`)
    .replace(/"exp":[\d.]+/, `"exp":${NOW / 1000 + exp}`)

/** What is done to a payload before it is signed: some of it harmless, most of it not. */
const payloads: Record<string, (json: string) => string> = {
  'as it is': (json) => json,
  'another room': (json) => json.replace(TOPIC, topicOf('space', 'other')),
  'no audience': (json) => json.replace(/"aud":"[^"]*",/, ''),
  'a list of audiences': (json) => json.replace(`"aud":"${TOPIC}"`, `"aud":["${TOPIC}"]`),
  'long ago': (json) => json.replace(/"iat":18/, '"iat":15').replace(/"exp":18/, '"exp":15'),
  expired: at(-2, -1),
  'expired long ago': at(-1_000, -900),
  'in the future': at(120, 122),
  'far in the future': at(600, 602),
  'no start': (json) => json.replace(/"iat":[\d.]+,/, ''),
  'no end': (json) => json.replace(/"exp":[\d.]+,/, ''),
  'an end in ten years': at(0, 315_360_000),
  'not before later': (json) => json.replace(/}$/, `,"nbf":${NOW / 1000 + 600}}`),
  'a future start not before the past': (json) =>
    at(600, 602)(json).replace(/}$/, `,"nbf":${NOW / 1000 - 600}}`),
  'white space': (json) => json.replace(',', ', '),
  'another order of claims': (json) => json.replace(/("iss":"[^"]*"),("aud":"[^"]*")/, '$2,$1'),
  'a needless escape': (json) => json.replace('"type":"', '"type":"\\u006').replace('\\u006m', '\\u006d'),
  'a number in another spelling': (json) => json.replace(/"exp":(\d+)(\.\d+)?/, '"exp":$1.0'),
  'a duplicate key': (json) => json.replace('{', '{"iss":"did:key:z6Mk",'),
  'a duplicate audience': (json) => json.replace('{', '{"aud":"elsewhere",'),
  'an unknown claim': (json) => json.replace(/}$/, ',"admin":true}'),
  'an unknown type': (json) => json.replace(/"type":"[a-z]+"/, '"type":"direct"'),
  'no type': (json) => json.replace(/"type":"[a-z]+",/, ''),
  'no jti': (json) => json.replace(/"jti":"[^"]*",/, ''),
  'a short jti': (json) => json.replace(/"jti":"[^"]*"/, '"jti":"1"'),
  'a lone surrogate': (json) => json.replace(/}$/, ',"name":"\\ud800"}'),
  'a huge claim': (json) => json.replace(/}$/, `,"x":"${'x'.repeat(20_000)}"}`),
  'another issuer': (json) => json.replace(/"iss":"[^"]*"/, `"iss":"${testAuthor(9).did}"`),
  'an issuer with a fragment': (json) => json.replace(/"iss":"([^"]*)"/, '"iss":"$1#key"'),
  'no issuer': (json) => json.replace(/"iss":"[^"]*",/, ''),
  'no object': () => '"text"',
}

const headers: Record<string, string> = {
  'as it is': JSON.stringify(HEADER),
  none: '{"alg":"none","typ":"ghostchat+jwt"}',
  ES256K: '{"alg":"ES256K","typ":"ghostchat+jwt"}',
  'algorithm Ed25519': '{"alg":"Ed25519","typ":"ghostchat+jwt"}',
  'type JWT': '{"alg":"EdDSA","typ":"JWT"}',
  'no type in the header': '{"alg":"EdDSA"}',
  'header in another order': '{"typ":"ghostchat+jwt","alg":"EdDSA"}',
  'a key id': '{"alg":"EdDSA","typ":"ghostchat+jwt","kid":"0"}',
  'a critical extension': '{"alg":"EdDSA","typ":"ghostchat+jwt","crit":["x"],"x":1}',
}

/** What is done to a finished JWT. */
const texts: Record<string, (jwt: string, at: number) => string> = {
  'as it is': (jwt) => jwt,
  'a letter changed': (jwt, at) => {
    const place = at % jwt.length
    const letter = jwt.charAt(place) === 'A' ? 'B' : 'A'
    return jwt.slice(0, place) + letter + jwt.slice(place + 1)
  },
  'left-over bits': (jwt) => jwt.slice(0, -1) + String.fromCharCode(jwt.charCodeAt(jwt.length - 1) + 1),
  'cut off': (jwt, at) => jwt.slice(0, at % jwt.length),
  padded: (jwt) => `${jwt}==`,
  'the other base64': (jwt) => jwt.replaceAll('-', '+').replaceAll('_', '/'),
  'a line feed at the end': (jwt) => `${jwt}\n`,
  'a fourth part': (jwt) => `${jwt}.`,
  'no signature': (jwt) => jwt.replace(/[^.]*$/, ''),
  'a signature of zeros': (jwt) => jwt.replace(/[^.]*$/, toBase64url(new Uint8Array(64))),
}

/**
 * What did-jwt accepts and our gate refuses: why the gate says so, and why it has to. Also in
 * docs/reliability.md.
 */
const STRICTER: Record<string, [reason: string, why: string]> = {
  expired: ['expired', 'did-jwt adds five minutes to every end; a replay would live on'],
  'in the future': ['in-the-future', 'five minutes again; what is ahead takes the place of what is now'],
  'typing in a backlog': ['not-history', 'nobody types any more'],
  'no audience': ['bad-claims', 'it would count in every room'],
  'a list of audiences': ['bad-claims', 'one event belongs to one room'],
  'no start': ['bad-claims', 'it has no place in the order'],
  'no end': ['bad-claims', 'it could be replayed for ever'],
  'an end in ten years': ['bad-claims', 'it could be replayed for ten years'],
  'a future start not before the past': ['bad-claims', 'did-jwt looks at nbf alone where there is one'],
  'white space': ['bad-claims', 'a second spelling is a second id of the same event'],
  'another order of claims': ['bad-claims', 'a second spelling'],
  'a needless escape': ['bad-claims', 'a second spelling'],
  'a number in another spelling': ['bad-claims', 'a second spelling'],
  'a duplicate key': ['bad-claims', 'parsers disagree about which one counts'],
  'a duplicate audience': ['bad-claims', 'parsers disagree about which room it is for'],
  'an unknown claim': ['bad-claims', 'a place for what nobody looks at'],
  'an unknown type': ['bad-claims', 'nobody could say what it does'],
  'no type': ['bad-claims', 'a message could be taken for a leave'],
  'no jti': ['bad-claims', 'the same text twice would be one event'],
  'a short jti': ['bad-claims', 'somebody else could have the same'],
  'a lone surrogate': ['bad-claims', 'an unknown claim, and no text that UTF-8 can write'],
  'a huge claim': ['too-long', 'it costs everybody memory'],
  'algorithm Ed25519': ['bad-header', 'one header, one spelling'],
  'type JWT': ['bad-header', 'a token for something else would count here'],
  'no type in the header': ['bad-header', 'a token for something else would count here'],
  'header in another order': ['bad-header', 'a second spelling'],
  'a key id': ['bad-header', 'it would choose the key it is verified by'],
  'a critical extension': ['bad-header', 'it demands to be understood, and did-jwt does not look'],
}

const often = <T extends string>(usual: T, others: string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(usual as string) },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
  )

interface Token {
  jwt: string
  /** What was done to it. */
  edits: string[]
}

const token: fc.Arbitrary<Token> = fc
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
    return { jwt: texts[text]?.(jwt, at) ?? jwt, edits: [payload, header, text] }
  })

async function didJwtAccepts(jwt: string): Promise<boolean> {
  try {
    return (await verifyJWT(jwt, verifyOptions(TOPIC, NOW))).verified
  } catch {
    return false
  }
}

describe('our gate and did-jwt', () => {
  it('what our gate accepts, did-jwt accepts; what only did-jwt accepts is listed: 3,000 tokens, right and wrong', async () => {
    const counts = { accepted: 0, refused: 0, refusedByUsOnly: 0 }
    await fc.assert(
      fc.asyncProperty(
        token,
        fc.constantFrom('live' as const, 'history' as const),
        async ({ jwt, edits }, origin) => {
          const gate = new Gate({ topic: TOPIC, clock, verifier })
          const answer = await gate.admit(jwt, origin)
          const accepts = await didJwtAccepts(jwt)
          if (answer.verdict === 'accept') {
            counts.accepted += 1
            expect(accepts).toBe(true)
            return
          }
          counts.refused += 1
          if (!accepts) return
          counts.refusedByUsOnly += 1
          // By what was done to it, or by what its own claims say.
          const isListed = edits.some((edit) => Object.hasOwn(STRICTER, edit))
          const timely = ['expired', 'not-history'].includes(answer.reason)
          expect({ edits, reason: answer.reason, isListed: isListed || timely }).toMatchObject({
            isListed: true,
          })
        },
      ),
      { numRuns: 3_000 },
    )
    // All kinds were tried.
    expect(counts.accepted).toBeGreaterThan(200)
    expect(counts.refused).toBeGreaterThan(1_000)
    expect(counts.refusedByUsOnly).toBeGreaterThan(100)
  }, 120_000)

  it.each(Object.entries(STRICTER))('only did-jwt accepts %s: %j', async (edit, [reason]) => {
    const isTyping = edit === 'typing in a backlog'
    const claims = isTyping
      ? claimsBy(testAuthor(0), 'typing', { state: 'start' })
      : claimsBy(testAuthor(0), 'message', { text: 'hello' })
    const json = (payloads[edit] ?? ((text: string) => text))(encodeClaims(claims))
    const jwt = signText(testAuthor(0), json, headers[edit] ?? headers['as it is'])
    const gate = new Gate({ topic: TOPIC, clock, verifier })
    const answer = await gate.admit(jwt, isTyping ? 'history' : 'live')
    expect(answer).toMatchObject({ reason })
    expect(await didJwtAccepts(jwt)).toBe(true)
  })

  it('neither accepts anything else that was done to a token, nor any other text of one', async () => {
    const json = encodeClaims(claimsBy(testAuthor(0), 'message', { text: 'hello' }))
    const edited = [
      ...Object.entries(payloads).map(([edit, change]) => [edit, signText(testAuthor(0), change(json))]),
      ...Object.entries(headers).map(([edit, header]) => [edit, signText(testAuthor(0), json, header)]),
      ...Object.entries(texts).map(([edit, change]) => [edit, change(signText(testAuthor(0), json), 77)]),
    ] as [string, string][]
    for (const [edit, jwt] of edited) {
      if (edit === 'as it is' || Object.hasOwn(STRICTER, edit)) continue
      const { verdict } = await new Gate({ topic: TOPIC, clock, verifier }).admit(jwt, 'live')
      expect([edit, verdict === 'accept', await didJwtAccepts(jwt)]).toEqual([edit, false, false])
    }
  })

  it('the list is in the documentation, each with its reason', () => {
    const docs = readFileSync(new URL('../../docs/reliability.md', import.meta.url), 'utf8').replace(
      / +/g,
      ' ',
    )
    for (const [edit, [reason, why]] of Object.entries(STRICTER)) {
      expect(docs).toContain(`| ${edit} | \`${reason}\` | ${why} |`)
    }
  })

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
