import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Roster, type RosterChange } from '../../src/room/roster.ts'
import { Timeline, type TimelineEvent } from '../../src/room/timeline.ts'
import { toSeconds } from '../../src/wire/claims.ts'
import { comparePositions, positionOf, type SignedEvent } from '../../src/wire/event.ts'
import { ownJti } from '../support/arbitraries.ts'
import { NOW, testAuthor, testPeerId, unsignedBy } from '../support/authors.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

type PresenceEvent = SignedEvent<'join' | 'presence' | 'leave'>

const presenceEvent = (at: fc.Arbitrary<number>): fc.Arbitrary<PresenceEvent> =>
  fc
    .record({
      author: fc.nat(2).map(testAuthor),
      peer: fc.nat(2).map(testPeerId),
      type: fc.constantFrom('join' as const, 'presence' as const, 'leave' as const),
      at,
      name: fc.constantFrom('a', 'b'),
      shownMs: fc.nat(20),
      jti: ownJti,
    })
    .map(({ author, peer, type, at, name, shownMs, jti }) => {
      const body =
        type === 'leave' ? { peer } : { peer, since: toSeconds(NOW + at - shownMs), data: { name } }
      return unsignedBy(author, type, body as never, { at: NOW + at, jti })
    }) as fc.Arbitrary<PresenceEvent>

/** Events of which no two of one author have the same time, as honest authors write them. */
const honest = fc.uniqueArray(presenceEvent(fc.nat(50)), {
  maxLength: 20,
  selector: ({ claims, timestamp }) => `${claims.iss} ${timestamp}`,
})

const any = fc.array(presenceEvent(fc.nat(5)), { maxLength: 20 })

function rosterAfter(events: readonly PresenceEvent[], now?: number): Roster {
  const roster = new Roster()
  for (const event of events) roster.apply(event)
  if (now !== undefined) roster.expire(now)
  return roster
}

/** Who is online, on which devices. */
function membersOf(roster: Roster): unknown {
  return roster
    .members()
    .map(({ did, devices }) => [did, ...[...devices].sort()])
    .sort()
}

/** What the members show of themselves. */
function dataOf(roster: Roster): unknown {
  return Object.fromEntries(roster.members().map(({ did, presence }) => [did, presence]))
}

/** What a newcomer sees who takes in the snapshot of a roster. */
function newcomer(roster: Roster): Roster {
  return rosterAfter(roster.events() as PresenceEvent[])
}

function shuffled<T>(list: fc.Arbitrary<T[]>): fc.Arbitrary<[T[], T[]]> {
  return list.chain((items) =>
    fc.tuple(
      fc.constant(items),
      fc.shuffledSubarray(items, { minLength: items.length, maxLength: items.length }),
    ),
  )
}

describe('the roster as a fold', () => {
  it('the same events in any order give the same members on the same devices, at all times', () => {
    fc.assert(
      property(shuffled(honest), fc.nat(90_100), ([events, other], later) => {
        expect(membersOf(rosterAfter(other))).toEqual(membersOf(rosterAfter(events)))
        expect(membersOf(rosterAfter(other, NOW + later))).toEqual(
          membersOf(rosterAfter(events, NOW + later)),
        )
      }),
      runs(200),
    )
  })

  it('the same events in any order show the same of every member', () => {
    fc.assert(
      property(shuffled(honest), ([events, other]) => {
        expect(dataOf(rosterAfter(other))).toEqual(dataOf(rosterAfter(events)))
      }),
      runs(200),
    )
  })

  it('also where a dishonest author gives several events one time', () => {
    fc.assert(
      property(shuffled(any), ([events, other]) => {
        expect(membersOf(rosterAfter(other))).toEqual(membersOf(rosterAfter(events)))
      }),
      runs(200),
    )
  })

  it('an event twice, at any place, changes nothing', () => {
    fc.assert(
      property(shuffled(honest), ([events, again]) => {
        const roster = rosterAfter(events)
        const before = [membersOf(roster), dataOf(roster)]
        for (const event of again) expect(roster.apply(event)).toEqual([])
        expect([membersOf(roster), dataOf(roster)]).toEqual(before)
      }),
      runs(),
    )
  })

  it('a newcomer that takes in a snapshot sees the same members', () => {
    fc.assert(
      property(honest, (events) => {
        const roster = rosterAfter(events)
        expect(membersOf(newcomer(roster))).toEqual(membersOf(roster))
      }),
      runs(),
    )
  })

  it('a newcomer that takes in a snapshot sees the same of every member', () => {
    fc.assert(
      property(honest, (events) => {
        const roster = rosterAfter(events)
        expect(dataOf(newcomer(roster))).toEqual(dataOf(roster))
      }),
      runs(),
    )
  })

  it('what is told adds up: joined and left take turns, and nobody is updated who is not there', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: presenceEvent(fc.nat(100_000)).map((event) => ({ event })) },
      { weight: 1, arbitrary: fc.record({ lost: fc.nat(2).map(testPeerId), at: fc.nat(100_000) }) },
      { weight: 1, arbitrary: fc.record({ until: fc.nat(200_000) }) },
    )
    fc.assert(
      property(fc.array(step, { maxLength: 30 }), (steps) => {
        const roster = new Roster(4)
        const online = new Set<string>()
        const tell = (changes: RosterChange[]): void => {
          for (const { kind, did } of changes) {
            expect(online.has(did)).toBe(kind !== 'joined')
            if (kind === 'joined') online.add(did)
            if (kind === 'left') online.delete(did)
          }
        }
        for (const each of steps) {
          if ('event' in each) tell(roster.apply(each.event))
          else if ('lost' in each) roster.lose(each.lost, NOW + each.at)
          else tell(roster.expire(NOW + each.until))
          expect(new Set(roster.members().map(({ did }) => did))).toEqual(online)
          expect(roster.peers().length).toBeLessThanOrEqual(4)
        }
        tell(roster.expire(Number.POSITIVE_INFINITY))
        expect(online.size).toBe(0)
      }),
      runs(200),
    )
  })
})

/** Every unsigned event is as long as the others. */
const JWT_LENGTH = unsignedBy(testAuthor(0), 'leave', { peer: testPeerId(0) }).jwt.length

const message = fc
  .record({ author: fc.nat(2).map(testAuthor), at: fc.nat(10), jti: ownJti })
  .map(
    ({ author, at, jti }) =>
      unsignedBy(author, 'message', { text: 'x' }, { at: NOW + at, jti }) as TimelineEvent,
  )

describe('the timeline as a fold', () => {
  const window = { maxEvents: 8, maxBytes: JWT_LENGTH * 6, maxAgeMs: 1_000 }
  const ids = (events: readonly TimelineEvent[]): string[] => {
    const timeline = new Timeline(window)
    for (const event of events) timeline.add(event, NOW + 20)
    return timeline.slice(100).events.map(({ id }) => id)
  }

  it('the same events in any order give the same order, and the newest of them', () => {
    fc.assert(
      property(shuffled(fc.array(message, { maxLength: 20 })), ([events, other]) => {
        const newest = [...events].sort((a, b) => comparePositions(positionOf(a), positionOf(b))).slice(-6)
        expect(ids(events)).toEqual(newest.map(({ id }) => id))
        expect(ids(other)).toEqual(ids(events))
      }),
      runs(200),
    )
  })

  it('never grows over its bounds, and counts its bytes right', () => {
    fc.assert(
      property(fc.array(fc.tuple(message, fc.nat(2_000)), { maxLength: 30 }), (steps) => {
        const timeline = new Timeline(window)
        for (const [event, later] of steps) {
          const added = timeline.add(event, NOW + later)
          const { events } = timeline.slice(100)
          expect(events.includes(event)).toBe(added)
          expect(timeline.bytes).toBe(events.reduce((sum, { jwt }) => sum + jwt.length, 0))
          expect(timeline.size).toBeLessThanOrEqual(8)
          expect(timeline.bytes).toBeLessThanOrEqual(window.maxBytes)
          expect(events.every(({ timestamp }) => timestamp >= NOW + later - window.maxAgeMs)).toBe(true)
        }
      }),
      runs(300),
    )
  })

  it('a slice before each of its events pages through all of them', () => {
    fc.assert(
      property(fc.array(message, { maxLength: 8 }), fc.integer({ min: 1, max: 3 }), (events, page) => {
        const timeline = new Timeline({ ...window, maxBytes: 1e9 })
        for (const event of events) timeline.add(event, NOW + 20)
        const pages: string[] = []
        let { events: slice, more } = timeline.slice(page)
        pages.unshift(...slice.map(({ id }) => id))
        while (more && slice[0] !== undefined) {
          ;({ events: slice, more } = timeline.slice(page, positionOf(slice[0])))
          pages.unshift(...slice.map(({ id }) => id))
        }
        expect(pages).toEqual(timeline.slice(100).events.map(({ id }) => id))
      }),
      runs(),
    )
  })
})
