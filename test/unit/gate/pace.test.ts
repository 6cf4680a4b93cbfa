import fc from 'fast-check'
import { ManualClock } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { Pace } from '../../../src/gate/pace.ts'
import { Rates } from '../../../src/gate/rates.ts'
import {
  AUTHOR_BURST,
  AUTHOR_BURST_MESSAGES,
  AUTHOR_MESSAGES_PER_SECOND,
  AUTHOR_PER_SECOND,
  HUB_AUTHOR_BURST,
  HUB_AUTHOR_PER_SECOND,
} from '../../../src/limits.ts'
import { NOW, TOPIC } from '../../support/authors.ts'
import { runs } from '../../support/runs.ts'

/** How late what is sent may come, for all that is on its way at a time. */
const LATE_MAX_MS = 5_000
const BYTES = 16 * 1024

describe('the pace of a device', () => {
  it('is a burst of messages and events, and then so many a second', async () => {
    const clock = new ManualClock(NOW)
    const pace = new Pace(clock)
    for (let messages = 0; messages < AUTHOR_BURST_MESSAGES; messages += 1) expect(pace.take(1)).toBe(0)
    expect(pace.take(1)).toBe(1_000 / AUTHOR_MESSAGES_PER_SECOND)
    await clock.advance(1_000 / AUTHOR_MESSAGES_PER_SECOND)
    expect(pace.take(1)).toBe(0)
    await clock.advance(60_000)
    let events = 0
    while (pace.take(32) === 0) events += 32
    expect(events).toBeGreaterThan(AUTHOR_BURST - 32)
    expect(pace.take(32)).toBeGreaterThan(0)
    await clock.advance((32 / AUTHOR_PER_SECOND) * 1_000)
    expect(pace.take(32)).toBe(0)
  })

  it('takes nothing where it grants nothing', async () => {
    const clock = new ManualClock(NOW)
    const pace = new Pace(clock)
    for (let events = 0; events < AUTHOR_BURST; events += 50) expect(pace.take(50)).toBe(0)
    for (let times = 0; times < 1_000; times += 1) pace.take(50)
    await clock.advance(500)
    expect(pace.take(50)).toBe(0)
  })

  it('is below every rate of a node, though what was sent may come late and all at once', () => {
    const batches = fc.array(
      fc.record({
        events: fc.integer({ min: 1, max: 64 }),
        pauseMs: fc.oneof(fc.constant(0), fc.nat(3_000)),
        isLate: fc.boolean(),
      }),
      { minLength: 50, maxLength: 400 },
    )
    fc.assert(
      fc.property(batches, (sent) => {
        let now = NOW
        const clock = { now: () => now, after: () => () => {} }
        const author = { burst: HUB_AUTHOR_BURST, perSecond: HUB_AUTHOR_PER_SECOND }
        const [pace, rates] = [new Pace(clock), new Rates({ clock, author })]
        const source = { peerId: 'ada', isCarrier: false }
        let waiting: { events: number; since: number }[] = []
        const arrive = (): void => {
          for (const { events } of waiting) {
            let isBelow = rates.bring(source, TOPIC, { events, bytes: BYTES })
            for (let event = 0; event < events; event += 1) isBelow &&= rates.write('ada', TOPIC)
            expect(isBelow).toBe(true)
          }
          waiting = []
        }
        for (const { events, pauseMs, isLate } of sent) {
          now += pauseMs
          for (let waitMs = pace.take(events); waitMs > 0; waitMs = pace.take(events)) now += waitMs
          if ((waiting[0]?.since ?? now) < now - LATE_MAX_MS) arrive()
          waiting.push({ events, since: now })
          if (!isLate) arrive()
        }
        arrive()
      }),
      // Two state machines together; each has properties of its own.
      runs(200, 10_000),
    )
  })
})
