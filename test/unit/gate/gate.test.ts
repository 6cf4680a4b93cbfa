import { ManualClock } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { Gate, type Origin, type Verdict } from '../../../src/gate/gate.ts'
import { createVerifier, type Verifier } from '../../../src/identity/verifier.ts'
import { type EventType, encodeClaims } from '../../../src/wire/claims.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { eventId } from '../../../src/wire/event-id.ts'
import { topicOf } from '../../../src/wire/topic.ts'
import {
  claimsBy,
  type EventOptions,
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
const bob = testAuthor(2)
const verifier = createVerifier()

function open(clock = new ManualClock(NOW), verify: Verifier = verifier): Gate {
  return new Gate({ topic: TOPIC, clock, verifier: verify })
}

/** What is said about an event, in a word. */
async function said(gate: Gate, jwt: string, origin: Origin = 'live'): Promise<string> {
  return word(await gate.admit(jwt, origin))
}

function word(verdict: Verdict): string {
  return verdict.verdict === 'accept' ? 'accept' : `${verdict.verdict}: ${verdict.reason}`
}

const bodies = {
  join: { peer: testPeerId(1), data: {} },
  presence: { peer: testPeerId(1), data: {} },
  leave: { peer: testPeerId(1) },
  message: { text: 'hello' },
  edit: { target: eventId('a message'), text: 'hello' },
  delete: { target: eventId('a message') },
  reaction: { target: eventId('a message'), emoji: '👍', state: 'add' as const },
  typing: { state: 'start' as const },
}

function eventOfType(type: EventType, options: EventOptions = {}): SignedEvent {
  return eventBy(ada, type, bodies[type] as never, options) as SignedEvent
}

const types = Object.keys(bodies) as EventType[]

describe('the gate accepts', () => {
  it.each(types)('a %s of now, live and from history; typing is no history', async (type) => {
    const event = eventOfType(type)
    expect(await open().admit(event.jwt, 'live')).toEqual({ verdict: 'accept', event })
    expect(await open().admit(event.jwt, 'history')).toEqual(
      type === 'typing' ? { verdict: 'ignore', reason: 'not-history' } : { verdict: 'accept', event },
    )
  })
})

describe('the gate rejects what every honest peer refuses', () => {
  const message = claimsBy(ada, 'message', { text: 'hello' })
  const genuine = signClaims(ada, message)
  const [header, payload] = genuine.split('.')

  it.each([
    ['too-long', 'x'.repeat(20_000)],
    ['not-a-jwt', 'hello'],
    ['bad-header', signText(ada, encodeClaims(message), '{"alg":"none","typ":"ghostchat+jwt"}')],
    ['bad-claims', signText(ada, encodeClaims(message).replace('"message"', '"direct"'))],
    ['bad-signature-form', `${header}.${payload}.AAAA`],
    ['wrong-audience', messageBy(ada, 'hello', { topic: topicOf('space', 'other') }).jwt],
    ['wrong-audience', messageBy(ada, 'hello', { topic: topicOf('other', 'room') }).jwt],
    ['wrong-audience', messageBy(ada, 'hello', { topic: '' }).jwt],
    ['bad-signature', signClaims(bob, message)],
    ['bad-signature', `${header}.${payload}.${'A'.repeat(86)}`],
  ])('%s', async (reason, jwt) => {
    expect(await said(open(), jwt)).toBe(`reject: ${reason}`)
    expect(await said(open(), jwt, 'history')).toBe(`reject: ${reason}`)
  })

  it('also when it is wrong in time, as far as that can be told without a signature', async () => {
    const late = claimsBy(
      ada,
      'message',
      { text: 'x' },
      { at: NOW + 3_600_000, topic: topicOf('space', 'other') },
    )
    expect(await said(open(), signClaims(ada, late))).toBe('reject: wrong-audience')
  })
})

/** Ways on which an event of this type may come. */
function originsOf(type: EventType): Origin[] {
  return type === 'typing' ? ['live'] : ['live', 'history']
}

describe('the gate and time', () => {
  it.each(types)('a %s may lie 60 s in the future and not a millisecond more', async (type) => {
    for (const origin of originsOf(type)) {
      expect(await said(open(), eventOfType(type, { at: NOW + 60_000 }).jwt, origin)).toBe('accept')
      expect(await said(open(), eventOfType(type, { at: NOW + 60_001 }).jwt, origin)).toBe(
        'ignore: in-the-future',
      )
    }
  })

  it.each([
    ['join', 90_000],
    ['presence', 90_000],
    ['leave', 90_000],
    ['typing', 6_000],
    ['message', 86_400_000],
    ['edit', 86_400_000],
    ['delete', 86_400_000],
    ['reaction', 86_400_000],
  ] as const)('a %s ends after its life of %d ms', async (type, lifeMs) => {
    for (const origin of originsOf(type)) {
      expect(await said(open(), eventOfType(type, { at: NOW - lifeMs + 1 }).jwt, origin)).toBe('accept')
      expect(await said(open(), eventOfType(type, { at: NOW - lifeMs }).jwt, origin)).toBe('ignore: expired')
    }
  })

  it('an event may say that it ends sooner', async () => {
    const jwt = (): string => messageBy(ada, 'x', { at: NOW - 1_000, livesMs: 1_001 }).jwt
    expect(await said(open(), jwt())).toBe('accept')
    expect(await said(open(new ManualClock(NOW + 1)), jwt())).toBe('ignore: expired')
  })

  it('an event too early is taken when its time has come', async () => {
    const clock = new ManualClock(NOW)
    const gate = open(clock)
    const { jwt } = messageBy(ada, 'x', { at: NOW + 60_001 })
    expect(await said(gate, jwt)).toBe('ignore: in-the-future')
    await clock.advance(1)
    expect(await said(gate, jwt)).toBe('accept')
  })
})

describe('the gate and repetition', () => {
  it('takes an event once, however it comes', async () => {
    const gate = open()
    const { jwt } = messageBy(ada, 'hello')
    expect(await said(gate, jwt)).toBe('accept')
    expect(await said(gate, jwt)).toBe('ignore: duplicate')
    expect(await said(gate, jwt, 'history')).toBe('ignore: duplicate')
  })

  it('takes an event once when it comes several times at once', async () => {
    const gate = open()
    const { jwt } = messageBy(ada, 'hello')
    const words = await Promise.all([said(gate, jwt), said(gate, jwt, 'history'), said(gate, jwt)])
    expect(words.sort()).toEqual(['accept', 'ignore: duplicate', 'ignore: duplicate'])
  })

  it('takes the same text twice: two events', async () => {
    const gate = open()
    expect(await said(gate, messageBy(ada, 'hello').jwt)).toBe('accept')
    expect(await said(gate, messageBy(ada, 'hello').jwt)).toBe('accept')
  })

  it('takes two events with one jti: whoever took one would never agree with whoever took the other', async () => {
    const gate = open()
    const jti = 'AAECAwQFBgcICQoLDA0ODw'
    expect(await said(gate, messageBy(ada, 'first', { jti }).jwt)).toBe('accept')
    expect(await said(gate, messageBy(ada, 'second', { jti }).jwt)).toBe('accept')
    expect(await said(gate, messageBy(bob, 'third', { jti }).jwt)).toBe('accept')
  })
})

describe('a forgery with the jti of a genuine event does not shut it out', () => {
  const claims = claimsBy(ada, 'message', { text: 'genuine' })
  const genuine = signClaims(ada, claims)
  const sameClaims = signClaims(bob, claims)
  const otherText = signClaims(bob, { ...claims, text: 'forged' } as typeof claims)

  it.each([
    ['of the same claims', sameClaims],
    ['of another text', otherText],
  ])('%s, before', async (_what, forged) => {
    const gate = open()
    expect(await said(gate, forged)).toBe('reject: bad-signature')
    expect(await said(gate, genuine)).toBe('accept')
  })

  it.each([
    ['of the same claims', sameClaims],
    ['of another text', otherText],
  ])('%s, after', async (_what, forged) => {
    const gate = open()
    expect(await said(gate, genuine)).toBe('accept')
    expect(await said(gate, forged)).toBe('reject: bad-signature')
    expect(await said(gate, genuine)).toBe('ignore: duplicate')
  })

  it.each([[[otherText, genuine]], [[genuine, otherText]]])('at the same time', async (jwts) => {
    const gate = open()
    const words = await Promise.all(jwts.map((jwt) => said(gate, jwt)))
    expect(words.sort()).toEqual(['accept', 'reject: bad-signature'])
  })

  it('at the same time, when the forgery is verified later', async () => {
    const releases: (() => void)[] = []
    const slow: Verifier = {
      verify: async (...args) => {
        await new Promise<void>((resolve) => releases.push(resolve))
        return verifier.verify(...args)
      },
    }
    const gate = open(new ManualClock(NOW), slow)
    const forged = said(gate, otherText)
    const right = said(gate, genuine)
    for (const release of releases.reverse()) release()
    expect(await right).toBe('accept')
    expect(await forged).toBe('reject: bad-signature')
  })
})

describe('admitAll', () => {
  it('accepts the right ones together', async () => {
    const events = [messageBy(ada, '1'), messageBy(bob, '2'), eventOfType('join')]
    const verdicts = await open().admitAll(
      events.map(({ jwt }) => jwt),
      'live',
    )
    expect(verdicts.map(word)).toEqual(['accept', 'accept', 'accept'])
  })

  it('accepts none where one is rejected, and remembers none', async () => {
    const gate = open()
    const right = messageBy(ada, 'right').jwt
    const forged = signClaims(bob, claimsBy(ada, 'message', { text: 'forged' }))
    expect((await gate.admitAll([right, forged], 'live')).map(word)).toEqual(['reject: bad-signature'])
    expect(await said(gate, right)).toBe('accept')
  })

  it('accepts the others where one is ignored', async () => {
    const gate = open()
    const known = messageBy(ada, 'known').jwt
    await gate.admit(known, 'live')
    const verdicts = await gate.admitAll([known, messageBy(ada, 'new').jwt], 'live')
    expect(verdicts.map(word)).toEqual(['ignore: duplicate', 'accept'])
  })
})

describe('the gate never throws', () => {
  it('when the verifier does', async () => {
    const gate = open(new ManualClock(NOW), { verify: async () => false })
    expect(await said(gate, messageBy(ada, 'hello').jwt)).toBe('reject: bad-signature')
  })

  it.each(['', '.', '..', '\ud800', 'a.b.c', '\u0000'.repeat(100)])('at %j', async (jwt) => {
    expect(await said(open(), jwt)).toMatch(/^reject: /)
  })
})
