import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Gate } from '../../../src/gate/gate.ts'
import { admitGossip } from '../../../src/gate/gossip.ts'
import { Rates, type Source } from '../../../src/gate/rates.ts'
import { createVerifier, type Verifier } from '../../../src/identity/verifier.ts'
import {
  ASSURED_BURST,
  ASSURED_NEWCOMERS,
  ASSURED_PER_SECOND,
  AUTHOR_BURST,
  AUTHOR_BURST_MESSAGES,
  AUTHOR_MESSAGES_PER_SECOND,
  AUTHOR_PER_SECOND,
  CARRIER_BURST,
  CLIENT_BURST,
  CLIENT_NEW_AUTHORS,
  CLIENT_NEW_AUTHORS_PER_SECOND,
  CLIENT_PER_SECOND,
  FRAME_MAX_BYTES,
  FRAME_MAX_EVENTS,
  HUB_AUTHOR_BURST,
  HUB_AUTHOR_PER_SECOND,
  RENEW_MS,
  ROOM_AUTHOR_BURST,
  ROOM_AUTHOR_PER_SECOND,
  ROOM_POOL_BURST,
  ROSTER_MAX_DEVICES,
} from '../../../src/limits.ts'
import { encodeFrame } from '../../../src/wire/frame.ts'
import { topicOf } from '../../../src/wire/topic.ts'
import { claimsBy, messageBy, NOW, signClaims, TOPIC, testAuthor } from '../../support/authors.ts'

const author = { burst: HUB_AUTHOR_BURST, perSecond: HUB_AUTHOR_PER_SECOND }
const client: Source = { peerId: 'client', isCarrier: false }
const flooder: Source = { peerId: 'flooder', isCarrier: false }
const node: Source = { peerId: 'node', isCarrier: true }
let clock: ManualClock
let rates: Rates
beforeEach(() => {
  clock = new ManualClock(NOW)
  rates = new Rates({ clock, author })
})

/** How many of these events, so many in a message of 600 bytes each, a source can pay for. */
function brings(source: Source, events: number, topic = TOPIC, perMessage = 32): number {
  let granted = 0
  for (let left = events; left > 0; left -= perMessage) {
    const count = Math.min(perMessage, left)
    if (rates.bring(source, topic, { events: count, bytes: count * 600 })) granted += count
  }
  return granted
}

/** So many rooms. */
const rooms = (count: number): string[] =>
  Array.from({ length: count }, (_, number) => topicOf('space', `room ${number}`))

describe('rates', () => {
  it('let two honest bursts of 2,000 events pass in one room, and 100 events a second of one of them after it', async () => {
    for (const [did, source] of [
      ['ada', client],
      ['bob', flooder],
    ] as const) {
      expect(brings(source, AUTHOR_BURST)).toBe(AUTHOR_BURST)
      for (let events = 0; events < AUTHOR_BURST; events += 1) expect(rates.write(did, TOPIC)).toBe(true)
    }
    const perMessage = AUTHOR_PER_SECOND / AUTHOR_MESSAGES_PER_SECOND
    for (let second = 0; second < 60; second += 1) {
      await clock.advance(1_000)
      expect(brings(client, AUTHOR_PER_SECOND, TOPIC, perMessage)).toBe(AUTHOR_PER_SECOND)
      for (let events = 0; events < AUTHOR_PER_SECOND; events += 1) {
        expect(rates.write('ada', TOPIC)).toBe(true)
      }
    }
  })

  it('let the longest texts pass at the pace of an outbox, four in a message', async () => {
    const load = { events: 4, bytes: FRAME_MAX_BYTES }
    for (let messages = 0; messages < AUTHOR_BURST_MESSAGES; messages += 1) {
      expect(rates.bring(client, TOPIC, load)).toBe(true)
    }
    for (let second = 0; second < 60; second += 1) {
      await clock.advance(1_000)
      for (let messages = 0; messages < AUTHOR_MESSAGES_PER_SECOND; messages += 1) {
        expect(rates.bring(client, TOPIC, load)).toBe(true)
      }
    }
  })

  it('of a node are above what an outbox keeps to, and those of a device above those of a node by 10 s', () => {
    expect(HUB_AUTHOR_BURST).toBeGreaterThanOrEqual(2 * AUTHOR_BURST)
    expect(HUB_AUTHOR_PER_SECOND).toBeGreaterThanOrEqual(2 * AUTHOR_PER_SECOND)
    expect(ROOM_AUTHOR_BURST).toBeGreaterThanOrEqual(HUB_AUTHOR_BURST + 10 * HUB_AUTHOR_PER_SECOND)
    expect(ROOM_AUTHOR_PER_SECOND).toBeGreaterThan(HUB_AUTHOR_PER_SECOND)
    expect(CLIENT_PER_SECOND.events).toBeGreaterThanOrEqual(2 * HUB_AUTHOR_PER_SECOND)
    expect(AUTHOR_BURST).toBeLessThanOrEqual(AUTHOR_BURST_MESSAGES * FRAME_MAX_EVENTS)
  })

  it('cut a client down that brings more than a few authors write, and a node only far beyond', () => {
    const granted = rooms(8).map((topic) => brings(client, 3_200, topic))
    expect(granted.reduce((sum, one) => sum + one)).toBe(CLIENT_BURST.events)
    expect(brings(node, 2 * CARRIER_BURST.events)).toBe(CARRIER_BURST.events)
  })

  it('count messages and bytes beside events', () => {
    const one = { events: 1, bytes: 600 }
    const messages = rooms(12).flatMap((topic) =>
      Array.from({ length: 1_000 }, () => rates.bring(client, topic, one)),
    )
    expect(messages.filter(Boolean)).toHaveLength(CLIENT_BURST.messages)
    const long = { messages: 0, events: 0, bytes: FRAME_MAX_BYTES }
    const bytes = rooms(8).flatMap((topic) =>
      Array.from({ length: 1_000 }, () => rates.bring(flooder, topic, long)),
    )
    expect(bytes.filter(Boolean)).toHaveLength(CLIENT_BURST.bytes / FRAME_MAX_BYTES)
  })

  it('take from those who flood a room, and not from those who talk in it', async () => {
    const { messages } = ASSURED_BURST
    expect(brings(flooder, 10_000, TOPIC, 1)).toBe(ROOM_POOL_BURST.messages + messages)
    expect(brings(client, messages, TOPIC, 1)).toBe(messages)
    expect(brings(client, 1)).toBe(0)
    for (let second = 0; second < 30; second += 1) {
      await clock.advance(1_000)
      brings(flooder, 1_000, TOPIC, 1)
      expect(brings(client, ASSURED_PER_SECOND.messages, TOPIC, 1)).toBe(ASSURED_PER_SECOND.messages)
    }
  })

  it('let a few newcomers of an address begin with what is assured, and others of it with a join and a renewal', async () => {
    const guarded = new Rates({ clock, author, addressOf: (peerId) => peerId.split(' ')[0] })
    const one = { events: 1, bytes: 600 }
    // The room has nothing left for all.
    const drain = (): void => {
      while (guarded.bring({ peerId: 'elsewhere flooder', isCarrier: false }, TOPIC, one));
    }
    drain()
    const begins = (peerId: string): number => {
      let granted = 0
      while (guarded.bring({ peerId, isCarrier: false }, TOPIC, one)) granted += 1
      return granted
    }
    const full = ASSURED_BURST.messages
    const granted = Array.from({ length: 6 }, (_, number) => begins(`here ${number}`))
    expect(granted).toEqual([...Array(ASSURED_NEWCOMERS).fill(full), 2, 2])
    expect(begins('there 1')).toBe(full)
    await clock.advance(1_000)
    drain()
    // Known by now: it has what has come since.
    expect(begins('here 0')).toBe(ASSURED_PER_SECOND.messages)
    await clock.advance(9_000)
    drain()
    expect([begins('here 7'), begins('here 8')]).toEqual([full, 2])
  })

  it('take one newcomer for one, also where its first message is more than what is assured', () => {
    const guarded = new Rates({ clock, author, addressOf: () => 'here' })
    for (let number = 0; number < 20; number += 1)
      guarded.bring({ peerId: 'long', isCarrier: false }, TOPIC, { events: 100, bytes: 600 })
    const one = { events: 1, bytes: 600 }
    while (guarded.bring({ peerId: 'flooder', isCarrier: false }, TOPIC, one));
    let granted = 0
    while (guarded.bring({ peerId: 'third', isCarrier: false }, TOPIC, one)) granted += 1
    expect(granted).toBe(ASSURED_BURST.messages)
  })

  it('of one room are not used up by another', () => {
    brings(flooder, 10_000, TOPIC, 1)
    expect(brings(client, AUTHOR_BURST, topicOf('space', 'another room'))).toBe(AUTHOR_BURST)
  })

  it('let one source introduce so many new authors a minute, and know those it has introduced', async () => {
    const introduced = (from: number, count: number, source = client): number =>
      Array.from({ length: count }, (_, at) => rates.introduce(source, `did ${from + at}`)).filter(Boolean)
        .length
    expect(introduced(0, 100)).toBe(CLIENT_NEW_AUTHORS)
    expect(introduced(0, CLIENT_NEW_AUTHORS)).toBe(CLIENT_NEW_AUTHORS)
    expect(introduced(1_000, 10)).toBe(0)
    await clock.advance(60_000)
    expect(introduced(1_000, 100)).toBe(60 * CLIENT_NEW_AUTHORS_PER_SECOND)
    expect(introduced(5_000, ROSTER_MAX_DEVICES, node)).toBe(ROSTER_MAX_DEVICES)
  })

  it('keep 40 sources that make up authors from bringing as many between two renewals as a roster holds', async () => {
    let brought = 0
    const bring = (second: number): void => {
      for (let source = 0; source < 40; source += 1) {
        for (let did = 0; did < 40; did += 1) {
          if (rates.introduce({ peerId: `${source}`, isCarrier: false }, `${second} ${source} ${did}`)) {
            brought += 1
          }
        }
      }
    }
    bring(0)
    for (let second = 1; second <= RENEW_MS / 1_000; second += 1) {
      await clock.advance(1_000)
      bring(second)
    }
    expect(brought).toBeLessThan(ROSTER_MAX_DEVICES)
    expect(brought).toBeGreaterThan(40 * CLIENT_NEW_AUTHORS)
  })

  it('remember a bounded number of sources, authors and rooms', () => {
    const small = new Rates({ clock, author, addressOf: (peerId) => peerId, maxKeys: 50 })
    for (let number = 0; number < 500; number += 1) {
      const source = { peerId: `${number}`, isCarrier: number % 2 === 0 }
      small.bring(source, `room ${number}`, { events: 40, bytes: 1 })
      small.introduce(source, `did ${number}`)
      small.write(`did ${number}`, TOPIC)
    }
    expect(small.size).toBe(50)
  })
})

describe('a gate with rates', () => {
  const ada = testAuthor(1)
  const real = createVerifier()
  let verified: number
  let gate: Gate
  const verifier: Verifier = {
    verify: (...args) => {
      verified += 1
      return real.verify(...args)
    },
  }
  beforeEach(() => {
    verified = 0
    rates = new Rates({ clock, author: { burst: 3, perSecond: 1 } })
    gate = new Gate({ topic: TOPIC, clock, verifier, rates })
  })
  const forged = (): string => signClaims(testAuthor(2), claimsBy(ada, 'message', { text: 'forged' }))
  const said = async (source: Source | undefined, ...jwts: string[]): Promise<[string, number]> => {
    const { verdict, events } = await admitGossip(gate, encodeFrame(jwts), source)
    return [verdict, events.length]
  }

  it('charges an author for what is verified, and ignores what is over the rate, which may come again', async () => {
    const jwts = ['1', '2', '3', '4'].map((text) => messageBy(ada, text).jwt)
    for (const jwt of jwts.slice(0, 3)) expect(await said(client, jwt)).toEqual(['accept', 1])
    expect(await said(client, jwts[3] ?? '')).toEqual(['excess', 0])
    await clock.advance(1_000)
    expect(await said(client, jwts[3] ?? '')).toEqual(['accept', 1])
  })

  it('takes what is within the rate out of a message, which goes no further', async () => {
    const jwts = ['1', '2', '3', '4'].map((text) => messageBy(ada, text).jwt)
    expect(await said(client, ...jwts)).toEqual(['excess', 3])
  })

  it('charges no author for forgeries, however many', async () => {
    for (let times = 0; times < 100; times += 1) expect(await said(flooder, forged())).toEqual(['reject', 0])
    for (const text of ['1', '2', '3']) {
      expect(await said(client, messageBy(ada, text).jwt)).toEqual(['accept', 1])
    }
  })

  it('charges no author for what is known, has expired, or came beside a forgery', async () => {
    const known = messageBy(ada, 'known').jwt
    await said(client, known)
    for (let times = 0; times < 20; times += 1) {
      await said(flooder, known)
      await said(flooder, messageBy(ada, 'old', { at: NOW - 86_400_000 }).jwt)
      await said(flooder, messageBy(ada, `${times}`).jwt, forged())
    }
    for (const text of ['2', '3']) expect(await said(client, messageBy(ada, text).jwt)).toEqual(['accept', 1])
  })

  it('verifies nothing of a source that cannot pay, and goes on for the others', async () => {
    expect(await said(flooder, forged())).toEqual(['reject', 0])
    while (rates.bring(flooder, TOPIC, { events: 1, bytes: 600 })) {}
    expect(await said(flooder, forged())).toEqual(['excess', 0])
    const before = verified
    for (let times = 0; times < 50; times += 1) await said(flooder, forged())
    expect(verified - before).toBe(0)
    expect(await said(client, messageBy(ada, 'hello').jwt)).toEqual(['accept', 1])
  })

  it('verifies no event of one author too many', async () => {
    for (let number = 0; number < CLIENT_NEW_AUTHORS; number += 1) {
      rates.introduce(flooder, `made up ${number}`)
    }
    expect(await said(flooder, messageBy(testAuthor(7), 'hello').jwt)).toEqual(['excess', 0])
    expect(verified).toBe(0)
    expect(await said(client, messageBy(testAuthor(7), 'hello').jwt)).toEqual(['accept', 1])
    expect(await said(flooder, messageBy(testAuthor(7), 'again').jwt)).toEqual(['accept', 1])
  })

  it('charges nobody for our own events, and no author for history', async () => {
    for (let times = 0; times < 10; times += 1) {
      expect(await gate.admit(messageBy(ada, `${times}`).jwt, 'live')).toMatchObject({ verdict: 'accept' })
      const old = messageBy(ada, `${times}`, { at: NOW - 60_000 }).jwt
      expect(await gate.admit(old, 'history', client)).toMatchObject({ verdict: 'accept' })
    }
    expect(await said(client, messageBy(ada, 'live').jwt)).toEqual(['accept', 1])
  })

  it('blames nobody when the platform fails to verify', async () => {
    const broken: Verifier = { verify: () => Promise.reject(new Error('out of memory')) }
    const blind = new Gate({ topic: TOPIC, clock, verifier: broken, rates })
    const { jwt } = messageBy(ada, 'hello')
    expect(await blind.admit(jwt, 'live', client)).toEqual({ verdict: 'ignore', reason: 'not-verified' })
    expect((await admitGossip(blind, encodeFrame([jwt]), client)).verdict).toBe('ignore')
  })
})
