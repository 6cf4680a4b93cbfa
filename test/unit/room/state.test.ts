import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { createVerifier, type Verifier } from '../../../src/identity/verifier.ts'
import { ROOM_AUTHOR_BURST } from '../../../src/limits.ts'
import type { RoomListener } from '../../../src/room/listener.ts'
import { RoomState } from '../../../src/room/state.ts'
import { Typing } from '../../../src/room/typing.ts'
import { Visibility } from '../../../src/room/visibility.ts'
import { positionOf, type SignedEvent } from '../../../src/wire/event.ts'
import { encodeFrame } from '../../../src/wire/frame.ts'
import {
  claimsBy,
  eventBy,
  messageBy,
  NOW,
  signClaims,
  TOPIC,
  testAuthor,
  testPeerId,
} from '../../support/authors.ts'
import { codeOf, textsOf } from '../../support/world.ts'

const me = testAuthor(0)
const ada = testAuthor(1)
const bob = testAuthor(2)
const verifier = createVerifier()
let verify: Verifier['verify']
let clock: ManualClock
let now: () => number
let told: unknown[][]
/** The new messages of others. */
let heard: string[]
/** Whether what is heard is kept back. */
let isGathering: boolean
let visibility: Visibility
let typing: Typing
let state: RoomState

beforeEach(() => {
  verify = verifier.verify
  clock = new ManualClock(NOW)
  now = () => clock.now()
  told = []
  heard = []
  isGathering = false
  const tell =
    (name: string) =>
    (...args: unknown[]): void =>
      void told.push([name, ...args])
  const listener: RoomListener = {
    joined: tell('joined'),
    left: tell('left'),
    updated: tell('updated'),
    message: ({ text }) => told.push(['message', text]),
    messageUpdated: ({ text, status }) => told.push(['messageUpdated', text, status]),
    messageDeleted: ({ text }) => told.push(['messageDeleted', text]),
    backlog: (messages) => told.push(['backlog', textsOf(messages)]),
    recovered: tell('recovered'),
    typing: tell('typing'),
    status: tell('status'),
    failed: tell('failed'),
  }
  visibility = new Visibility(tell('filter'))
  typing = new Typing({ clock, send: () => {}, onChange: tell('typing') })
  const time = { now: () => now(), after: (ms: number, task: () => void) => clock.after(ms, task) }
  state = new RoomState({
    topic: TOPIC,
    did: me.did,
    clock: time,
    verifier: { verify: (...args) => verify(...args) },
    listener,
    visibility,
    typing,
    onMessages: (messages) => {
      heard.push(...textsOf(messages))
      if (!isGathering) state.reveal(messages).forEach(listener.message)
    },
    onArrival: ({ claims: { type } }) => {
      if (type !== 'message') told.push(['arrival', type])
    },
  })
})

const gossip = (...jwts: string[]): Promise<string> => state.admitGossip(encodeFrame(jwts), testPeerId(9))
const join = (author: typeof ada, peer: number, at = 0): string =>
  eventBy(author, 'join', { peer: testPeerId(peer), data: {} }, { at: NOW + at }).jwt

describe('what a device knows of a room', () => {
  it('comes from gossip, and is told', async () => {
    expect(await gossip(join(ada, 1), messageBy(ada, 'hello').jwt)).toBe('accept')
    expect(told).toEqual([
      ['joined', ada.did],
      ['arrival', 'join'],
      ['message', 'hello'],
    ])
    expect(textsOf(state.messages(10))).toEqual(['hello'])
  })

  it('is told in the order in which it came, however long each verification takes', async () => {
    const verified: ((right: boolean) => void)[] = []
    verify = () => new Promise((resolve) => verified.push(resolve))
    const arriving = [1, 2, 3].map((ms) => gossip(messageBy(ada, `${ms}`, { at: NOW + ms }).jwt))
    expect(verified).toHaveLength(3)
    for (const answer of verified.reverse()) {
      answer(true)
      await settle()
    }
    expect(await Promise.all(arriving)).toEqual(['accept', 'accept', 'accept'])
    expect(told).toEqual([
      ['message', '1'],
      ['message', '2'],
      ['message', '3'],
    ])
  })

  it('is not changed by what the gate refuses', async () => {
    expect(await gossip(signClaims(bob, claimsBy(ada, 'message', { text: 'forged' })))).toBe('reject')
    expect(await gossip(messageBy(ada, 'old', { at: NOW - 86_400_000 }).jwt)).toBe('ignore')
    expect(told).toEqual([])
    expect(state.timeline.size).toBe(0)
  })

  it('knows the own user and never announces it', async () => {
    await gossip(join(me, 1), eventBy(me, 'leave', { peer: testPeerId(1) }, { at: NOW + 1 }).jwt)
    expect(told.map(([name]) => name)).toEqual(['arrival', 'arrival'])
  })

  it('takes history apart from news', async () => {
    const answers = [
      messageBy(ada, '2', { at: NOW - 1 }).jwt,
      join(ada, 1),
      messageBy(ada, '1', { at: NOW - 2 }).jwt,
    ]
    const { messages, timeline, rejected } = await state.admitHistory(answers, testPeerId(9))
    // In the order in which they were verified.
    expect([textsOf(messages).sort(), timeline.length, rejected]).toEqual([['1', '2'], 2, false])
    expect(told).toEqual([['joined', ada.did]])
    expect(textsOf(state.messages(10))).toEqual(['1', '2'])
  })

  it('keeps what is right of a history with a forgery, and says that there was one', async () => {
    const forged = signClaims(bob, claimsBy(ada, 'message', { text: 'forged' }))
    const { messages, timeline, rejected } = await state.admitHistory(
      [messageBy(ada, 'right').jwt, forged, 'rubbish'],
      testPeerId(9),
    )
    expect([textsOf(messages), timeline.length, rejected]).toEqual([['right'], 1, true])
    expect(state.timeline.size).toBe(1)
  })

  it('has what came as history travel on once, unless gossip brought it or it is deleted', async () => {
    const events = ['1', '2', '3'].map((text, index) => messageBy(ada, text, { at: NOW + index }))
    const [one, two, three] = events as [SignedEvent, SignedEvent, SignedEvent]
    await state.admitHistory(
      events.map(({ jwt }) => jwt),
      testPeerId(9),
    )
    await gossip(two.jwt)
    await gossip(eventBy(ada, 'delete', { target: three.id }, { at: NOW + 9 }).jwt)
    expect([one, one, two, three].map((event) => state.passOn(event))).toEqual([true, false, false, false])
  })

  it('has no more of an author travel on than its rate allows', async () => {
    const [mine, others] = [messageBy(ada, 'too much'), messageBy(bob, 'hello')]
    const known = messageBy(ada, 'hello', { at: NOW - 1 })
    await state.admitHistory([mine.jwt, others.jwt, known.jwt], testPeerId(9))
    for (let index = 0; index < ROOM_AUTHOR_BURST; index += 1) state.passOn(known)
    expect([state.passOn(mine), state.passOn(others)]).toEqual([false, true])
  })

  it('does not tell twice of a message that came both ways', async () => {
    const { jwt } = messageBy(ada, 'hello')
    await gossip(jwt)
    expect((await state.admitHistory([jwt], testPeerId(9))).messages).toEqual([])
    expect(told).toEqual([['message', 'hello']])
  })

  it('has one object a message', async () => {
    const event = messageBy(ada, 'hello')
    await gossip(event.jwt)
    expect(state.message(event.id)).toBe(state.messages(1)[0])
    expect(state.message('unknown')).toBeUndefined()
  })

  it('refuses an own event that is signed by somebody else', async () => {
    const claims = claimsBy(me, 'message', { text: 'hello' })
    const jwt = signClaims(bob, claims)
    expect(await codeOf(() => state.admitOwn({ ...messageBy(me, 'hello'), jwt }))).toBe('signing-failed')
    expect(state.timeline.size).toBe(0)
  })
})

describe('filters and muting', () => {
  it('hide without forgetting', async () => {
    const off = visibility.addFilter(({ text }) => text !== 'spam')
    visibility.mute(bob.did)
    await gossip(messageBy(ada, 'spam').jwt, messageBy(ada, 'ham').jwt, messageBy(bob, 'noise').jwt)
    expect(told).toEqual([['message', 'ham']])
    expect(textsOf(state.messages(10))).toEqual(['ham'])
    expect(state.timeline.size).toBe(3)
    off()
    visibility.unmute(bob.did)
    expect(state.messages(10)).toHaveLength(3)
  })

  it('hide from a limit as well: it counts what is shown', async () => {
    visibility.addFilter(({ text }) => text !== 'spam')
    for (const [ms, text] of ['ham 1', 'ham 2', 'spam', 'spam'].entries()) {
      await gossip(messageBy(ada, text, { at: NOW + ms }).jwt)
    }
    expect(textsOf(state.messages(2))).toEqual(['ham 1', 'ham 2'])
  })

  it('hide the typing of who is muted', async () => {
    visibility.mute(bob.did)
    const start = (author: typeof ada): string => eventBy(author, 'typing', { state: 'start' }).jwt
    await gossip(start(ada))
    await gossip(start(bob))
    await gossip(start(me))
    expect(told).toEqual([['typing', [ada.did]]])
  })
})

describe('typing', () => {
  const said = (stateOf: 'start' | 'stop', at: number): string =>
    eventBy(ada, 'typing', { state: stateOf }, { at: NOW + at }).jwt

  it('ends with a message, a stop, a leave, and by itself', async () => {
    await gossip(said('start', 0))
    await gossip(messageBy(ada, 'hello', { at: NOW + 1 }).jwt)
    await gossip(said('start', 2))
    await gossip(said('stop', 3))
    await gossip(join(ada, 1), said('start', 4))
    await gossip(eventBy(ada, 'leave', { peer: testPeerId(1) }, { at: NOW + 5 }).jwt)
    await gossip(said('start', 6))
    await clock.advance(6_006)
    const changes = told.filter(([name]) => name === 'typing').map(([, dids]) => (dids as string[]).length)
    expect(changes).toEqual([1, 0, 1, 0, 1, 0, 1, 0])
  })

  it('is not begun by a start that comes after a later stop or message', async () => {
    await gossip(said('stop', 1))
    await gossip(said('start', 0))
    expect(told).toEqual([])
  })
})

describe('time', () => {
  it('ends leases with one timer', async () => {
    await gossip(join(ada, 1))
    await gossip(join(bob, 2, 10))
    await clock.advance(90_000)
    expect(told.at(-1)).toEqual(['left', ada.did, 'timeout'])
    await clock.advance(10)
    expect(told.at(-1)).toEqual(['left', bob.did, 'timeout'])
    expect(clock.pending).toBe(0)
  })

  it('ends the grace of a lost connection', async () => {
    await gossip(join(ada, 1))
    state.lose(testPeerId(1))
    await clock.advance(10_000)
    expect(told.at(-1)).toEqual(['left', ada.did, 'lost'])
  })

  it('leaves no timer behind when it is closed', async () => {
    await gossip(join(ada, 1), eventBy(ada, 'typing', { state: 'start' }).jwt)
    state.close()
    typing.close()
    expect(clock.pending).toBe(0)
  })

  it('has no effect by what is verified only after it was closed', async () => {
    const verified: ((right: boolean) => void)[] = []
    verify = () => new Promise((resolve) => verified.push(resolve))
    const start = eventBy(ada, 'typing', { state: 'start' }).jwt
    const verdicts = [
      gossip(join(ada, 1), messageBy(ada, 'hello').jwt, start),
      gossip(eventBy(bob, 'leave', { peer: testPeerId(2) }).jwt),
    ]
    const history = state.admitHistory(
      [join(bob, 2), messageBy(bob, 'before', { at: NOW - 1 }).jwt],
      testPeerId(9),
    )
    const own = state.admitOwnMessage(messageBy(me, 'mine'))
    state.close()
    typing.close()
    expect(verified).toHaveLength(7)
    for (const answer of verified) answer(true)
    // It still travels on: that others hear it does not hang on this device's being there.
    expect(await Promise.all(verdicts)).toEqual(['accept', 'accept'])
    expect(await history).toEqual({
      messages: [],
      fresh: [],
      timeline: [],
      untimely: 0,
      early: false,
      rejected: false,
    })
    await own
    state.lose(testPeerId(1))
    expect(told).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('tells what of a history it could not judge: it may be right', async () => {
    const at = (ms: number): string => messageBy(ada, `${ms}`, { at: NOW + ms }).jwt
    const judged = (jwts: string[]) => state.admitHistory(jwts, testPeerId(9))
    const known = at(0)
    expect(await judged([known, at(-90_000_000)])).toMatchObject({ untimely: 1, early: false })
    expect(await judged([known, at(70_000)])).toMatchObject({ untimely: 1, early: true })
    verify = async () => Promise.reject(new Error('no crypto'))
    expect(await judged([known, at(1), at(2)])).toMatchObject({ untimely: 2, early: true, rejected: false })
  })

  it('ends messages, however they are asked for', async () => {
    const event = messageBy(ada, 'hello')
    await gossip(event.jwt)
    now = () => NOW + 86_400_001
    expect(state.message(event.id)).toBeUndefined()
    expect(state.messages(10)).toEqual([])
  })

  it('asks for messages before a place', async () => {
    const events = [1, 2, 3].map((ms) => messageBy(ada, `${ms}`, { at: NOW + ms }))
    await gossip(...events.map(({ jwt }) => jwt))
    const [, , last] = events
    if (last === undefined) throw new Error('three events')
    expect(textsOf(state.messages(1, positionOf(last)))).toEqual(['2'])
  })
})

describe('a message', () => {
  it('of others is told by whoever gets them, and an own one at once: its fate is told after it', async () => {
    isGathering = true
    await gossip(messageBy(ada, 'hello').jwt)
    const own = messageBy(me, 'mine')
    await state.admitOwnMessage(own)
    state.setStatus(own.id, 'sent')
    expect(heard).toEqual(['hello'])
    expect(told).toEqual([
      ['message', 'mine'],
      ['messageUpdated', 'mine', 'sent'],
    ])
  })
})

describe('the status of an own message', () => {
  it('changes, and that is told', async () => {
    const own = messageBy(me, 'hello')
    expect(await state.admitOwnMessage(own)).toBe(state.message(own.id))
    expect(state.message(own.id)?.status).toBe('queued')
    state.setStatus(own.id, 'sent')
    expect(state.message(own.id)?.status).toBe('sent')
    expect(told).toEqual([
      ['message', 'hello'],
      ['messageUpdated', 'hello', 'sent'],
    ])
  })

  it('of somebody else is sent', async () => {
    const other = messageBy(ada, 'hello')
    await gossip(other.jwt)
    expect(state.message(other.id)?.status).toBe('sent')
    state.setStatus('unknown', 'sent')
    expect(told).toEqual([['message', 'hello']])
  })

  it('changes also when the window has no place for the message any more', async () => {
    const own = messageBy(me, 'waits for a day')
    const message = await state.admitOwnMessage(own)
    now = () => NOW + 86_400_001
    await gossip(messageBy(ada, 'next day', { at: NOW + 86_400_001 }).jwt)
    state.setStatus(own.id, 'failed')
    expect(message.status).toBe('failed')
  })
})
