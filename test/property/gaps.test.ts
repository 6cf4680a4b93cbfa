import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Gaps } from '../../src/room/gaps.ts'
import { Horizon } from '../../src/room/horizon.ts'
import { compareBounds } from '../../src/room/reconciler.ts'
import { SyncRefusal } from '../../src/room/sync-session.ts'
import { Timeline } from '../../src/room/timeline.ts'
import type { EventId } from '../../src/wire/event-id.ts'
import { NOW, testAuthor, unsignedBy } from '../support/authors.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const ada = testAuthor(1)
const jti = (number: number): string => `${String(number).padStart(21, '0')}A`
const events = Array.from({ length: 12 }, (_, index) =>
  unsignedBy(ada, 'message', { text: 'x' }, { at: NOW + index, jti: jti(index) }),
)
const ids = events.map(({ id }) => id)
const naming = (parents: EventId[]) =>
  unsignedBy(ada, 'presence', { peer: 'x', data: {} }, { jti: jti(99), parents: parents.sort() })

const peer = fc.nat(13).map((number) => `peer ${number}`)
const some = fc.subarray(ids, { minLength: 1, maxLength: 8 })
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('name' as const), some, by: fc.array(peer, { maxLength: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('add' as const), which: fc.nat(11) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('compare' as const), peer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('outside' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('members' as const),
      peers: fc.uniqueArray(peer, { minLength: 1 }),
    }),
  },
)

describe('gaps', () => {
  it('are told while somebody may have what is missing, and no longer than until all were asked', () => {
    fc.assert(
      property(fc.array(step, { maxLength: 40 }), fc.uniqueArray(peer, { minLength: 1 }), (steps, first) => {
        const timeline = new Timeline({ maxEvents: 6, maxBytes: 1e9, maxAgeMs: 1e9 })
        let members = first
        const gaps = new Gaps(timeline, () => members)
        const named = new Map<string, Set<string>>()
        /** By id: those it was asked of, since somebody said that it has it. */
        const asked = new Map<string, Set<string>>()
        for (const each of steps) {
          if (each.do === 'name') {
            const said = gaps.note(naming([...each.some]), each.by)
            for (const id of each.some) {
              named.set(id, new Set([...(named.get(id) ?? []), ...each.by.slice(-2)]))
            }
            expect(said).toBe(gaps.open().some((id) => each.some.includes(id)))
          } else if (each.do === 'add') {
            const event = events[each.which]
            if (event !== undefined) timeline.add(event, NOW)
          } else if (each.do === 'compare') {
            for (const id of gaps.open()) asked.set(id, new Set([...(asked.get(id) ?? []), each.peer]))
            gaps.without(gaps.open(), each.peer)
          } else if (each.do === 'outside') gaps.outside(gaps.open())
          else members = each.peers

          const open = gaps.open()
          expect(open.filter((id) => timeline.knows(id) || !named.has(id))).toEqual([])
          for (const holder of gaps.holders()) {
            expect(members).toContain(holder)
            expect(open.some((id) => !asked.get(id)?.has(holder))).toBe(true)
          }
          // Whoever named something comes before others.
          const owing = members.filter((member) =>
            open.some((id) => named.get(id)?.has(member) && !asked.get(id)?.has(member)),
          )
          if (owing.length > 0) {
            expect(gaps.holders().filter((holder) => !owing.includes(holder))).toEqual([])
          }
        }
        // However it came to this: who asks everybody there is knows then that nobody has it.
        for (const member of members) gaps.without(gaps.open(), member)
        expect(gaps.open()).toEqual([])
        expect(gaps.holders()).toEqual([])
      }),
      runs(500),
    )
  })
})

describe('the horizon', () => {
  const bound = fc.integer({ min: -200_000, max: 200_000 }).map((ms) => ({ timestamp: NOW + ms, prefix: '' }))
  const maybe = fc.option(bound, { nil: undefined })
  const page = fc.record({
    limit: fc.constantFrom(0, 1, 30, 100, 5_000),
    before: fc.oneof(maybe, fc.constant('continued' as const)),
    restBefore: maybe,
    floor: fc.oneof(bound, fc.constant({ timestamp: 0, prefix: '' })),
    count: fc.constantFrom(0, 1, 29, 30, 100),
    first: fc.integer({ min: -200_000, max: 200_000 }),
  })

  it('goes back only, but for the first page, and is never moved by whoever sends less than was asked for', () => {
    fc.assert(
      property(
        fc.boolean(),
        fc.array(fc.oneof(page, fc.constant('alone' as const))),
        (wantsHistory, steps) => {
          const horizon = new Horizon(NOW, wantsHistory)
          let hasPage = false
          for (const each of steps) {
            const last = horizon.bound
            if (each === 'alone') {
              horizon.alone()
              if (wantsHistory) expect(horizon.isOpen).toBe(true)
              else expect(horizon.bound).toBe(last)
              continue
            }
            const { limit, restBefore, floor, count, first } = each
            const before = each.before === 'continued' ? last : each.before
            const question = before === undefined ? { limit } : { limit, before }
            const isShort = limit > 0 && restBefore !== undefined && count < Math.min(limit, 100)
            const outcome = { restBefore, floor, isCut: false }
            const sent = Array.from({ length: count }, () => ({ id: 'x', timestamp: NOW + first }) as never)
            const isLate =
              limit > 0 && count > 0 && restBefore !== undefined && NOW + first < restBefore.timestamp
            const act = (): void => horizon.widen(question, outcome, { events: sent, untimely: 0, now: NOW })
            if (isShort || isLate) expect(act).toThrow(SyncRefusal)
            else act()
            if (isShort || isLate || limit === 0) expect(horizon.bound).toBe(last)
            const isFirst: boolean = before === undefined && !hasPage && !isShort && !isLate && limit > 0
            hasPage ||= isFirst
            expect(compareBounds(horizon.bound, { timestamp: NOW, prefix: '' })).toBeLessThanOrEqual(0)
            if (!isFirst) expect(compareBounds(horizon.bound, last)).toBeLessThanOrEqual(0)
          }
        },
      ),
      runs(300),
    )
  })
})
