/** Attacks on the one way into a room, each test named after its row in README.md. */
import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Gate } from '../../../src/gate/gate.ts'
import { admitGossip } from '../../../src/gate/gossip.ts'
import { Rates } from '../../../src/gate/rates.ts'
import { createVerifier, type Verifier } from '../../../src/identity/verifier.ts'
import {
  EVENT_MAX_BYTES,
  FRAME_MAX_BYTES,
  HUB_AUTHOR_BURST,
  HUB_AUTHOR_PER_SECOND,
  TEXT_MAX_BYTES,
} from '../../../src/limits.ts'
import { encodeClaims } from '../../../src/wire/claims.ts'
import { encodeFrame } from '../../../src/wire/frame.ts'
import { topicOf } from '../../../src/wire/topic.ts'
import {
  claimsBy,
  eventBy,
  messageBy,
  NOW,
  signClaims,
  signText,
  TOPIC,
  testAuthor,
  testPeerId,
} from '../../support/authors.ts'

const ada = testAuthor(1)
const mallory = testAuthor(66)
const source = { peerId: 'mallory', isCarrier: false }
const real = createVerifier()
let verified: number
let clock: ManualClock
let gate: Gate

beforeEach(() => {
  verified = 0
  clock = new ManualClock(NOW)
  const verifier: Verifier = {
    verify: (...args) => {
      verified += 1
      return real.verify(...args)
    },
  }
  const author = { burst: HUB_AUTHOR_BURST, perSecond: HUB_AUTHOR_PER_SECOND }
  gate = new Gate({ topic: TOPIC, clock, verifier, rates: new Rates({ clock, author }) })
})

const says = async (jwt: string): Promise<string> => (await gate.admit(jwt, 'live', source)).verdict
const passes = async (data: Uint8Array): Promise<string> => (await admitGossip(gate, data, source)).verdict
const json = (): string => encodeClaims(claimsBy(ada, 'message', { text: 'hello' }))

describe('a row of the threats', () => {
  it.each([
    '{"alg":"none","typ":"ghostchat+jwt"}',
    '{"alg":"ES256","typ":"ghostchat+jwt"}',
    '{"alg":"EdDSA","typ":"ghostchat+jwt","kid":"did:key:z6Mk#0"}',
    '{"alg":"EdDSA","typ":"ghostchat+jwt","jku":"https://evil.example/keys"}',
    '{"alg":"EdDSA","typ":"ghostchat+jwt","crit":["exp"]}',
    '{"typ":"ghostchat+jwt","alg":"EdDSA"}',
  ])('alg none / ES256 / kid, jku, crit: rejected by the header alone, %s', async (header) => {
    expect(await says(signText(ada, json(), header))).toBe('reject')
    expect(await says(`${signText(ada, json(), header).replace(/[^.]*$/, '')}`)).toBe('reject')
    expect(verified).toBe(0)
  })

  it('a JWT replayed from another room or type: rejected, and so is one that leaves out what says where it belongs', async () => {
    const elsewhere = claimsBy(ada, 'message', { text: 'hello' }, { topic: topicOf('space', 'other') })
    expect(await says(signClaims(ada, elsewhere))).toBe('reject')
    for (const claim of ['aud', 'type', 'jti', 'iat', 'exp']) {
      const without = json().replace(new RegExp(`"${claim}":("[^"]*"|[\\d.]+),`), '')
      expect(without).not.toBe(json())
      expect(await says(signText(ada, without))).toBe('reject')
    }
    const join = encodeClaims(claimsBy(ada, 'join', { peer: testPeerId(1), data: {} }))
    expect(await says(signText(ada, join.replace('"type":"join"', '"type":"leave"')))).toBe('reject')
    expect(verified).toBe(0)
  })

  it('replay inside the room: known for as long as it could be replayed, and nothing to anybody after that', async () => {
    const { jwt } = messageBy(ada, 'once')
    expect(await says(jwt)).toBe('accept')
    for (const hours of [1, 11, 11.99]) {
      await clock.advance(hours * 3_600_000)
      expect(await says(jwt)).toBe('ignore')
    }
    await clock.advance(3_600_000)
    expect(await says(jwt)).toBe('ignore')
    const forgetful = new Gate({ topic: TOPIC, clock, verifier: real })
    expect(await forgetful.admit(jwt, 'live')).toEqual({ verdict: 'ignore', reason: 'expired' })
    expect(verified).toBe(1)
  })

  it('one JWT re-wrapped: travels once, in whatever company', async () => {
    const { jwt } = messageBy(ada, 'once')
    expect(await passes(encodeFrame([jwt]))).toBe('accept')
    for (let times = 0; times < 5; times += 1) {
      const old = messageBy(mallory, 'old', { at: NOW - 86_400_000 }).jwt
      expect(await passes(encodeFrame([jwt, old]))).toBe('ignore')
    }
    expect(verified).toBe(1)
  })

  it("forgeries that drain a victim's bucket or jti cache: the victim is heard as before", async () => {
    const genuine = claimsBy(ada, 'message', { text: 'genuine' })
    const forged = encodeFrame([signClaims(mallory, genuine)])
    const verdicts = new Set<string>()
    for (let times = 0; times < 1_000; times += 1) verdicts.add(await passes(forged))
    expect(verdicts).toEqual(new Set(['reject', 'excess']))
    const honest = { peerId: 'ada', isCarrier: false }
    const { verdict } = await admitGossip(gate, encodeFrame([signClaims(ada, genuine)]), honest)
    expect(verdict).toBe('accept')
  }, 20_000)

  it('rate: whoever is over it is ignored and never rejected', async () => {
    const verdicts = new Set<string>()
    for (let number = 0; number < 1_000; number += 1) {
      verdicts.add(await passes(encodeFrame([messageBy(mallory, `${number}`).jwt])))
    }
    expect(verdicts).toEqual(new Set(['accept', 'excess']))
  }, 20_000)

  it.each([
    ['white space', (text: string) => text.replace(',', ', ')],
    ['a duplicate key', (text: string) => text.replace('{', '{"iss":"did:key:z6Mk",')],
    ['an unknown key', (text: string) => text.replace(/}$/, ',"admin":true}')],
    ['another order', (text: string) => text.replace(/("iss":"[^"]*"),("aud":"[^"]*")/, '$2,$1')],
    ['another spelling of a number', (text: string) => text.replace(/"iat":(\d+)/, '"iat":$1.0')],
    ['another spelling of a text', (text: string) => text.replace('hello', '\\u0068ello')],
    ['a byte order mark', (text: string) => `\ufeff${text}`],
  ])('base64url and JSON variants, duplicate or unknown keys: %s is rejected', async (_what, edit) => {
    expect(edit(json())).not.toBe(json())
    expect(await says(signText(ada, edit(json())))).toBe('reject')
    expect(verified).toBe(0)
  })

  it('base64url and JSON variants, duplicate or unknown keys: a JWT has one spelling', async () => {
    const jwt = signText(ada, json())
    const [header = '', payload = '', signature = ''] = jwt.split('.')
    const last = signature.slice(-1)
    const twin = String.fromCharCode(last.charCodeAt(0) + 1)
    const variants = [
      `${jwt}=`,
      `${jwt}==`,
      jwt.replace(/-/g, '+').replace(/_/g, '/'),
      `${header}.${payload}.${signature.slice(0, -1)}${twin}`,
      `${header}.${payload} .${signature}`,
      `${jwt}\n`,
      `${jwt}.`,
    ].filter((variant) => variant !== jwt)
    for (const variant of variants) expect(await says(variant)).toBe('reject')
    expect(await says(jwt)).toBe('accept')
  })

  it('size bombs: measured before they are parsed, and before anything is verified', async () => {
    expect(await says('x'.repeat(EVENT_MAX_BYTES + 1))).toBe('reject')
    expect(await says(signText(ada, json().replace('hello', 'x'.repeat(TEXT_MAX_BYTES + 1))))).toBe('reject')
    expect(await passes(new Uint8Array(FRAME_MAX_BYTES + 1).fill(0x61))).toBe('reject')
    const nested = `{"a":${'['.repeat(3_000)}${']'.repeat(3_000)}}`
    const join = encodeClaims(claimsBy(ada, 'join', { peer: testPeerId(1), data: {} }))
    expect(await says(signText(ada, join.replace('"data":{}', `"data":${nested}`)))).toBe('reject')
    const many = Array.from({ length: 65 }, (_, number) => `${number}.${number}.${number}`)
    expect(await passes(encodeFrame(many))).toBe('reject')
    expect(verified).toBe(0)
  })

  it('wrong clocks: what is too far ahead is ignored, and blames nobody', async () => {
    expect(await says(messageBy(ada, 'later', { at: NOW + 60_001 }).jwt)).toBe('ignore')
    expect(await says(messageBy(ada, 'a little later', { at: NOW + 60_000 }).jwt)).toBe('accept')
    expect(await says(messageBy(ada, 'yesterday', { at: NOW - 86_400_000 }).jwt)).toBe('ignore')
  })

  it('DID documents that must be fetched: a DID that is no Ed25519 did:key is rejected offline', async () => {
    for (const did of ['did:web:example.com', 'did:ethr:0x1', 'did:key:z6LSbysY', 'did:key:zQ3shokFTS3b']) {
      const other = json().replace(/"iss":"[^"]*"/, `"iss":"${did}"`)
      expect(await says(signText(ada, other))).toBe('reject')
    }
    expect(verified).toBe(0)
  })

  it('no verdict but the one on the bytes is a reject: every other depends on time, state or rate', async () => {
    // A node and its clients say reject to the same messages, so that a node that is honest never brings one.
    const later = new ManualClock(NOW + 86_400_000)
    const other = new Gate({ topic: TOPIC, clock: later, verifier: real })
    const forged = signClaims(mallory, claimsBy(ada, 'message', { text: 'x' }))
    const { jwt } = messageBy(ada, 'hello')
    await says(jwt)
    const rejected = [forged, 'rubbish', `${jwt}=`, signText(ada, json().replace('hello', ''))]
    const ignored = [jwt, eventBy(ada, 'typing', { state: 'start' }, { at: NOW - 7_000 }).jwt]
    for (const bytes of rejected) {
      expect(await says(bytes)).toBe('reject')
      expect(['reject', 'ignore']).toContain((await other.admit(bytes, 'live')).verdict)
    }
    for (const bytes of ignored) {
      expect(await says(bytes)).toBe('ignore')
      expect((await other.admit(bytes, 'live')).verdict).not.toBe('reject')
    }
  })
})
