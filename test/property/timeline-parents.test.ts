import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Timeline, type TimelineEvent } from '../../src/room/timeline.ts'
import { comparePositions, positionOf } from '../../src/wire/event.ts'
import { type EventId, eventId } from '../../src/wire/event-id.ts'
import { ownJti } from '../support/arbitraries.ts'
import { NOW, testAuthor, unsignedBy } from '../support/authors.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const DAY_MS = 86_400_000
const never = [0, 1].map((number) => eventId(`never written ${number}`))

const step = fc.record({
  author: fc.nat(2),
  /** Clocks differ: a child may sort before its parent. */
  at: fc.nat(30),
  parents: fc.array(fc.nat(24), { maxLength: 4 }),
  deletes: fc.option(fc.nat(20), { nil: undefined, freq: 6 }),
  jti: ownJti,
})

/** Messages and deletes that name some of what was written before them, and now and then what never was. */
const history: fc.Arbitrary<TimelineEvent[]> = fc.array(step, { maxLength: 20 }).map((steps) => {
  const events: TimelineEvent[] = []
  for (const { author, at, parents, deletes, jti } of steps) {
    const known = [...events.map(({ id }) => id), ...never]
    const named = new Set(parents.map((index) => known[index % known.length] as EventId))
    const options = { at: NOW + at, parents: [...named].sort(), jti }
    const target = deletes === undefined ? undefined : events[deletes % Math.max(1, events.length)]?.id
    const by = testAuthor(author)
    events.push(
      target === undefined
        ? unsignedBy(by, 'message', { text: 'x' }, options)
        : unsignedBy(by, 'delete', { target }, options),
    )
  }
  return events
})

const orders = history.chain((events) =>
  fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: 0, maxLength: events.length })),
)

describe('what events of the timeline build on', () => {
  it('is whole where the heads are named: whoever has them has all before them that there was', () => {
    const windows = fc.constantFrom(4, 1_000)
    fc.assert(
      property(orders, windows, fc.subarray(never), ([, order], maxEvents, beyond) => {
        const timeline = new Timeline({ maxEvents, maxBytes: 1e9, maxAgeMs: DAY_MS })
        const removed: TimelineEvent[] = []
        for (const event of order) {
          const before = timeline.slice(1_000).events
          timeline.add(event, NOW + 100)
          const isRemoved = (other: TimelineEvent): boolean =>
            !timeline.get(other.id) && timeline.isOutdone(other)
          removed.push(...[...before, event].filter(isRemoved))
          check(timeline, beyond, removed)
        }
      }),
      runs(300),
    )
  })

  /** `removed`: what was deleted or replaced, or came too late. */
  function check(timeline: Timeline, beyond: readonly EventId[], removed: readonly TimelineEvent[]): void {
    const kept = timeline.slice(1_000).events
    const named = new Set(kept.flatMap(({ claims }) => claims.parents))
    const missing = timeline.missing()
    expect(missing.filter((id) => timeline.knows(id) || !named.has(id))).toEqual([])
    expect([...named].filter((id) => !timeline.knows(id) && !missing.includes(id))).toEqual([])
    const lacking = new Set([...missing, ...beyond])
    const heads = timeline.heads([...lacking])
    expect(heads).toEqual([...heads].sort())
    expect(heads.length).toBeLessThanOrEqual(8)
    // By the definition: all that builds on nothing that is lacking, and that nothing of it names, nor what was removed.
    const isWhole = (event: TimelineEvent, seen = new Set<string>()): boolean => {
      if (seen.has(event.id)) return true
      seen.add(event.id)
      return event.claims.parents.every((id) => {
        const parent = timeline.get(id) ?? removed.find((other) => other.id === id)
        return !lacking.has(id) && (parent === undefined || isWhole(parent, seen))
      })
    }
    const whole = kept.filter((event) => isWhole(event))
    const before = new Set([...whole, ...removed].flatMap(({ claims }) => claims.parents))
    const expected = whole.filter(({ id }) => !before.has(id)).slice(-8)
    expect(heads).toEqual(expected.map(({ id }) => id).sort())
    const ancestors = timeline.ancestors(heads, 0)
    for (const id of ancestors) {
      const parents = timeline.get(id)?.claims.parents ?? []
      expect(parents.filter((parent) => !timeline.knows(parent) || lacking.has(parent))).toEqual([])
    }
  }

  it('is missing where it was never here, whatever the order, and is not where it was', () => {
    fc.assert(
      property(orders, ([events, order]) => {
        const timeline = new Timeline({ maxEvents: 1_000, maxBytes: 1e9, maxAgeMs: DAY_MS })
        for (const event of order) timeline.add(event, NOW + 100)
        const kept = timeline.slice(1_000).events
        const here = new Set<string>(order.map(({ id }) => id))
        const named = new Set(kept.flatMap(({ claims }) => claims.parents))
        const unknown = [...named].filter((id) => !here.has(id))
        expect(timeline.missing()).toEqual(expect.arrayContaining(unknown))
        // Once all of it came, only what was never written is missing; what came and was deleted before is not told apart.
        for (const event of events) timeline.add(event, NOW + 100)
        const all = timeline.slice(1_000).events
        const positions = all.map((event) => positionOf(event))
        expect([...positions].sort(comparePositions)).toEqual(positions)
        const open = timeline.missing().filter((id) => !never.includes(id))
        expect(open.every((id) => events.some((event) => event.id === id && !all.includes(event)))).toBe(true)
      }),
      runs(300),
    )
  })
})
