import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Pace } from '../../src/gate/pace.ts'
import { RateLimit } from '../../src/gate/rate-limit.ts'
import { Rates } from '../../src/gate/rates.ts'
import { SeenEvents } from '../../src/gate/seen.ts'
import {
  ASSURED_BURST,
  ASSURED_PER_SECOND,
  AUTHOR_BURST,
  AUTHOR_BURST_MESSAGES,
  AUTHOR_MESSAGES_PER_SECOND,
  AUTHOR_PER_SECOND,
} from '../../src/limits.ts'
import { toMilliseconds } from '../../src/wire/claims.ts'
import { NOW, TOPIC, testAuthor, unsignedBy } from '../support/authors.ts'
import { HandClock } from '../support/hand-clock.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const pause = fc.oneof(fc.constant(0), fc.nat(40), fc.nat(5_000))

describe('a rate limit', () => {
  const steps = fc.array(fc.record({ key, tokens: fc.integer({ min: 1, max: 12 }), pause }), {
    maxLength: 40,
  })
  const allowance = fc.record({
    burst: fc.integer({ min: 1, max: 20 }),
    perSecond: fc.constantFrom(0.5, 1, 3, 7, 100),
  })

  it('grants what a bucket holds, neither more nor less, and says how long to wait for the rest', () => {
    fc.assert(
      property(steps, allowance, (list, { burst, perSecond }) => {
        const clock = new HandClock()
        const limit = new RateLimit({ clock, burst, perSecond, maxKeys: 5 })
        const model = new Map<string, { tokens: number; at: number }>()
        for (const { key, tokens, pause } of list) {
          clock.pass(pause)
          const known = model.get(key) ?? { tokens: burst, at: clock.now() }
          const held = Math.min(burst, known.tokens + ((clock.now() - known.at) * perSecond) / 1000)
          // What is on the edge may be rounded either way.
          if (Math.abs(held - tokens) < 1e-6 * perSecond) return
          const has = limit.has(key, tokens)
          const waitMs = limit.take(key, tokens)
          expect(has).toBe(held >= tokens)
          expect(waitMs === 0).toBe(has)
          model.set(key, { tokens: has ? held - tokens : held, at: clock.now() })
          if (has) continue
          expect(Math.abs(waitMs - ((tokens - held) / perSecond) * 1000)).toBeLessThanOrEqual(1.001)
        }
      }),
      runs(300),
    )
  })

  it('remembers no more keys than it may, and forgets in favour of whoever comes', () => {
    fc.assert(
      property(
        fc.array(fc.tuple(fc.nat(30), pause), { maxLength: 60 }),
        fc.integer({ min: 1, max: 6 }),
        (list, max) => {
          const clock = new HandClock()
          const limit = new RateLimit({ clock, burst: 1, perSecond: 1, maxKeys: max })
          const recent: number[] = []
          for (const [key, pauseMs] of list) {
            clock.pass(pauseMs)
            if (!recent.includes(key)) expect(limit.take(`${key}`)).toBe(0)
            else limit.take(`${key}`)
            recent.splice(0, recent.length, key, ...recent.filter((other) => other !== key).slice(0, max - 1))
            expect(limit.size).toBe(recent.length)
          }
        },
      ),
      runs(300),
    )
  })

  it('locks nobody out for longer than a burst takes to come, wherever the clock is set', () => {
    fc.assert(
      property(fc.array(fc.integer({ min: -100_000, max: 100_000 }), { maxLength: 20 }), (jumps) => {
        let now = NOW
        const clock = { now: () => now, after: () => () => {} }
        const limit = new RateLimit({ clock, burst: 4, perSecond: 2, maxKeys: 1 })
        for (const jump of jumps) {
          now += jump
          expect(limit.take('a', 4)).toBeLessThanOrEqual(2_000)
        }
        now += 2_000
        expect(limit.take('a', 4)).toBe(0)
      }),
      runs(300),
    )
  })
})

describe('the rates', () => {
  const load = fc.record({ events: fc.nat(64), bytes: fc.nat(32_768) })
  const flood = fc.array(
    fc.record({
      peerId: fc.nat(40).map((number) => `flooder ${number}`),
      isCarrier: fc.boolean(),
      topic: fc.constantFrom(TOPIC, 'another room'),
      load,
      times: fc.integer({ min: 1, max: 40 }),
      did: fc.nat(60).map((number) => `did ${number}`),
      pause,
    }),
    { maxLength: 20 },
  )

  it('hold no more than their bound, and keep from nobody what is assured to it', () => {
    fc.assert(
      property(flood, (acts) => {
        const clock = new HandClock()
        const rates = new Rates({ clock, author: { burst: 10, perSecond: 1 }, maxKeys: 50 })
        const quiet = { peerId: 'quiet', isCarrier: false }
        let held = { at: clock.now(), messages: ASSURED_BURST.messages }
        for (const { peerId, isCarrier, topic, load, times, did, pause } of acts) {
          clock.pass(pause)
          for (let time = 0; time < times; time += 1) rates.bring({ peerId, isCarrier }, topic, load)
          rates.introduce({ peerId, isCarrier }, did)
          rates.write(did, topic)
          expect(rates.size).toBeLessThanOrEqual(50)
          // It says a little now and then, as much as is its own.
          const passed = ((clock.now() - held.at) * ASSURED_PER_SECOND.messages) / 1000
          held = { at: clock.now(), messages: Math.min(ASSURED_BURST.messages, held.messages + passed) }
          if (held.messages < 1) continue
          held.messages -= 1
          expect(rates.bring(quiet, topic, { events: 1, bytes: 500 })).toBe(true)
        }
      }),
      runs(200),
    )
  })
})

describe('the pace of a device', () => {
  it('is never above its two rates, and never makes anybody wait in vain', () => {
    const batches = fc.array(fc.tuple(fc.integer({ min: 1, max: 64 }), pause), { maxLength: 150 })
    fc.assert(
      property(batches, (list) => {
        const clock = new HandClock()
        const pace = new Pace(clock)
        const sent = { messages: 0, events: 0 }
        for (const [events, pauseMs] of list) {
          clock.pass(pauseMs)
          const waitMs = pace.take(events)
          if (waitMs > 0) {
            clock.pass(waitMs)
            expect(pace.take(events)).toBe(0)
          }
          sent.messages += 1
          sent.events += events
          const seconds = (clock.now() - NOW) / 1000
          const over = [
            sent.messages - AUTHOR_BURST_MESSAGES - seconds * AUTHOR_MESSAGES_PER_SECOND,
            sent.events - AUTHOR_BURST - seconds * AUTHOR_PER_SECOND,
          ]
          expect(Math.max(...over)).toBeLessThan(0.01)
        }
      }),
      runs(200),
    )
  })
})

describe('the events a gate has seen', () => {
  const pool = Array.from({ length: 12 }, (_, index) =>
    unsignedBy(
      testAuthor(0),
      'message',
      { text: 'x' },
      {
        jti: `${String(index).padStart(21, '0')}A`,
        livesMs: [2_000, 9_000, 50_000][index % 3] ?? 0,
      },
    ),
  )
  const step = fc.record({ which: fc.nat(11), passOn: fc.boolean(), pause })

  it('are known until they expire or make room, pass on once, and are no more than they may be', () => {
    fc.assert(
      property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 8 }), (list, max) => {
        const seen = new SeenEvents(max)
        const added: string[] = []
        const passed = new Set<string>()
        let now = NOW
        for (const { which, passOn, pause } of list) {
          const event = pool[which]
          if (event === undefined) continue
          now += pause
          if (passOn) {
            expect(seen.passOn(event)).toBe(seen.has(event) && !passed.has(event.id))
            if (seen.has(event)) passed.add(event.id)
          } else if (!seen.has(event) && toMilliseconds(event.claims.exp) > now) {
            // As the gate does: only what has not expired, and is not known.
            seen.add(event, now)
            added.push(event.id)
            passed.delete(event.id)
            expect(seen.has(event)).toBe(true)
          }
          expect(seen.size).toBeLessThanOrEqual(max)
          for (const other of pool) {
            if (seen.has(other)) expect(added).toContain(other.id)
            const isRecent = added.slice(-max).includes(other.id) && toMilliseconds(other.claims.exp) > now
            if (isRecent) expect(seen.has(other)).toBe(true)
          }
        }
      }),
      runs(300),
    )
  })
})
