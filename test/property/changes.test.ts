import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChangeEvent, MessageEvent } from '../../src/room/changes.ts'
import { Timeline, type TimelineEvent } from '../../src/room/timeline.ts'
import {
  comparePositions,
  isType,
  type Position,
  positionOf,
  type SignedEvent,
} from '../../src/wire/event.ts'
import { eventId } from '../../src/wire/event-id.ts'
import { ownJti } from '../support/arbitraries.ts'
import { NOW, testAuthor, unsignedBy } from '../support/authors.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const DAY_MS = 86_400_000
/** When all events that were ever written may still be taken in. */
const SOON = NOW + 1_000
const ROOMY = { maxEvents: 1_000, maxBytes: 1e9, maxAgeMs: DAY_MS }
const authors = [0, 1, 2].map(testAuthor)
const unknown = eventId('a message that nobody has')

const step = fc.record({
  kind: fc.constantFrom('message', 'message', 'edit', 'edit', 'delete', 'reaction', 'reaction', 'take back'),
  author: fc.nat(2),
  /** Few times, so that many are the same. */
  at: fc.nat(12),
  /** Which of the events before it is meant, or one that nobody has. */
  target: fc.nat(30),
  emoji: fc.constantFrom('👍', '🎉'),
  livesMs: fc.constantFrom(3, 8, DAY_MS, DAY_MS),
  jti: ownJti,
})

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** Events of three authors, of whom each does what it may and what it may not: of any event, at any time. */
const history = (maxLength: number): fc.Arbitrary<TimelineEvent[]> =>
  fc.array(step, { maxLength }).map((steps) => {
    const events: TimelineEvent[] = []
    for (const [index, each] of steps.entries()) events.push(written(each, index, events))
    return events
  })

function written(step: Step, index: number, before: readonly TimelineEvent[]): TimelineEvent {
  const author = authors[step.author] ?? testAuthor(0)
  const options = { at: NOW + step.at, jti: step.jti }
  const target = before[step.target % (before.length + 1)]?.id ?? unknown
  const text = `text ${index}`
  switch (step.kind) {
    case 'message':
      return unsignedBy(author, 'message', { text }, { ...options, livesMs: step.livesMs })
    case 'edit':
      return unsignedBy(author, 'edit', { target, text }, options)
    case 'delete':
      return unsignedBy(author, 'delete', { target }, options)
    default: {
      const state = step.kind === 'reaction' ? 'add' : 'remove'
      return unsignedBy(author, 'reaction', { target, emoji: step.emoji, state }, options)
    }
  }
}

/** The same events in another order, some of them again. */
const shuffled = <T>(items: readonly T[]): fc.Arbitrary<T[]> =>
  fc
    .tuple(
      fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length }),
      fc.subarray([...items]),
    )
    .map(([all, again]) => [...all, ...again])

const twoOrders = (maxLength: number): fc.Arbitrary<[TimelineEvent[], TimelineEvent[]]> =>
  history(maxLength).chain((events) => fc.tuple(shuffled(events), shuffled(events)))

const isBehind = (event: SignedEvent, other: SignedEvent): boolean =>
  comparePositions(positionOf(event), positionOf(other)) > 0
const inOrder = <T extends SignedEvent>(events: readonly T[]): T[] =>
  [...events].sort((a, b) => comparePositions(positionOf(a), positionOf(b)))
const isChange = (event: TimelineEvent): event is ChangeEvent => !isType(event, 'message')
const isMessage = (event: TimelineEvent): event is MessageEvent => isType(event, 'message')

/** The rules of PROTOCOL.md §6.2 and §6.3 as they are written there, for a set of events that has no order. */
const rules = {
  /** The events that are kept, in order. */
  kept(events: readonly TimelineEvent[]): TimelineEvent[] {
    const changes = events.filter(isChange)
    return inOrder(
      [...new Set(events)].filter((event) =>
        isChange(event)
          ? !changes.some((other) => rules.replaces(other, event))
          : !changes.some((other) => isType(other, 'delete') && rules.mayChange(other, event)),
      ),
    )
  },

  replaces(other: ChangeEvent, change: ChangeEvent): boolean {
    if (other.claims.target !== change.claims.target || other.claims.iss !== change.claims.iss) return false
    if (other.claims.type === 'delete' && change.claims.type === 'edit') return true
    const emojiOf = ({ claims }: ChangeEvent): string => ('emoji' in claims ? claims.emoji : '')
    const isSame = other.claims.type === change.claims.type && emojiOf(other) === emojiOf(change)
    return isSame && isBehind(other, change)
  },

  mayChange(change: ChangeEvent, message: MessageEvent): boolean {
    if (change.claims.target !== message.id || !isBehind(change, message)) return false
    return isType(change, 'reaction') || change.claims.iss === message.claims.iss
  },

  /** What is shown of each message: its text and its reactions. */
  shown(events: readonly TimelineEvent[]): unknown[][] {
    const kept = rules.kept(events)
    return kept.filter(isMessage).map((message) => {
      const changes = kept.filter(isChange).filter((change) => rules.mayChange(change, message))
      const edits = changes.filter((change) => isType(change, 'edit'))
      const reactions = changes.filter((change) => isType(change, 'reaction'))
      return [
        message.id,
        (edits.at(-1) ?? message).claims.text,
        ...reactions.flatMap(({ claims }) => (claims.state === 'add' ? [[claims.iss, claims.emoji]] : [])),
      ]
    })
  },
}

function timelineOf(events: readonly TimelineEvent[], window = ROOMY, now = SOON): Timeline {
  const timeline = new Timeline(window)
  for (const event of events) timeline.add(event, now)
  return timeline
}

const keptBy = (timeline: Timeline): TimelineEvent[] =>
  timeline.slice(Number.POSITIVE_INFINITY).events as TimelineEvent[]

function shownBy(timeline: Timeline): unknown[][] {
  const { changes } = timeline
  return timeline
    .messages()
    .map((message) => [
      message.id,
      (changes.editOf(message) ?? message).claims.text,
      ...changes.reactionsTo(message).map(({ claims }) => [claims.iss, claims.emoji]),
    ])
}

const lives = (event: TimelineEvent, now: number): boolean =>
  Math.round(event.claims.exp * 1000) > now && event.timestamp >= now - DAY_MS

function deletesBy(did: string, target: string, events: readonly TimelineEvent[]): TimelineEvent[] {
  return events.filter(
    (event) => isType(event, 'delete') && event.claims.iss === did && event.claims.target === target,
  )
}

/**
 * What an author edits after it deleted it is dropped where the delete is still known, and kept, without effect, where
 * the delete had left the window before the edit came.
 */
function isLate(event: TimelineEvent, events: readonly TimelineEvent[]): boolean {
  if (!isType(event, 'edit')) return false
  return deletesBy(event.claims.iss, event.claims.target, events).some((other) => isBehind(event, other))
}

const timely = (kept: readonly TimelineEvent[], events: readonly TimelineEvent[]): TimelineEvent[] =>
  kept.filter((event) => !isLate(event, events))

/** No honest author deletes a message before it writes it. Of what it edits then, others may or may not hear. */
function isAbsurd(message: MessageEvent, events: readonly TimelineEvent[]): boolean {
  return deletesBy(message.claims.iss, message.id, events).some((other) => isBehind(message, other))
}

describe('the timeline as a fold over messages and changes', () => {
  const living = (events: readonly TimelineEvent[]): TimelineEvent[] =>
    events.filter((event) => lives(event, SOON))

  it('keeps and shows what the rules say, whatever the order and however often an event comes', () => {
    fc.assert(
      property(twoOrders(24), ([events, other]) => {
        const expected = [rules.kept(living(events)), rules.shown(living(events))]
        for (const order of [events, other]) {
          const timeline = timelineOf(order)
          expect([keptBy(timeline), shownBy(timeline)]).toEqual(expected)
          expect(timeline.bytes).toBe(keptBy(timeline).reduce((sum, { jwt }) => sum + jwt.length, 0))
          expect(timeline.floor).toBeUndefined()
        }
      }),
      runs(2_000),
    )
  })

  it('two that exchange what they keep agree, as if each had heard all of it', () => {
    const parts = history(20).chain((events) =>
      fc.tuple(fc.constant(events), fc.subarray(events), fc.subarray(events)),
    )
    fc.assert(
      property(parts, ([events, some, others]) => {
        const rest = events.filter((event) => !some.includes(event))
        const [one, two] = [timelineOf(some), timelineOf([...rest, ...others])]
        const [ofOne, ofTwo] = [keptBy(one), keptBy(two)]
        for (const event of ofTwo) one.add(event, SOON)
        for (const event of ofOne.reverse()) two.add(event, SOON)
        expect(keptBy(one)).toEqual(rules.kept(living(events)))
        expect(keptBy(two)).toEqual(keptBy(one))
        expect(shownBy(two)).toEqual(shownBy(one))
      }),
      runs(2_000),
    )
  })

  it('the same at all times: what was removed does not come back when something ends', () => {
    const moments = twoOrders(16).chain(([events, other]) =>
      fc.tuple(
        fc.constant(events),
        fc.constant(other),
        fc.nat(events.length),
        fc.constantFrom(NOW, NOW + DAY_MS).chain((day) => fc.nat(14).map((ms) => day + ms)),
      ),
    )
    fc.assert(
      property(moments, ([events, other, early, later]) => {
        const expected = timely(rules.kept(events), events).filter((event) => lives(event, later))
        for (const order of [events, other]) {
          const timeline = timelineOf(order.slice(0, early), ROOMY, NOW)
          for (const event of order.slice(early)) timeline.add(event, later)
          timeline.prune(later)
          expect(timely(keptBy(timeline), events)).toEqual(expected)
        }
      }),
      runs(2_000),
    )
  })
})

describe('a timeline that is too full', () => {
  const windows = fc.record({
    maxEvents: fc.integer({ min: 1, max: 9 }),
    perEvent: fc.constantFrom(20, 1_000),
  })
  const small = (window: { maxEvents: number; perEvent: number }): typeof ROOMY => ({
    maxEvents: window.maxEvents,
    maxBytes: window.maxEvents * window.perEvent,
    maxAgeMs: DAY_MS,
  })
  const above = (events: readonly TimelineEvent[], floor: Position | undefined): TimelineEvent[] =>
    events.filter((event) => floor === undefined || comparePositions(positionOf(event), floor) > 0)
  const living = (events: readonly TimelineEvent[]): TimelineEvent[] =>
    events.filter((event) => lives(event, SOON))

  it('keeps all that the rules say above the place it was cut at, and nothing below', () => {
    fc.assert(
      property(twoOrders(30), windows, ([events, other], window) => {
        for (const order of [events, other]) {
          const timeline = timelineOf(order, small(window))
          const all = living(order)
          const { floor } = timeline
          expect(timely(keptBy(timeline), all)).toEqual(timely(above(rules.kept(all), floor), all))
          expect(above(keptBy(timeline), floor)).toEqual(keptBy(timeline))
        }
      }),
      runs(2_000),
    )
  })

  it('shows of each message it keeps what the rules say, and none that was deleted', () => {
    fc.assert(
      property(twoOrders(30), windows, ([events, other], window) => {
        for (const order of [events, other]) {
          const timeline = timelineOf(order, small(window))
          const kept = new Set<string>(timeline.messages().map(({ id }) => id))
          const shown = rules.shown(living(order))
          expect(shown.map(([id]) => id)).toEqual(expect.arrayContaining([...kept]))
          const absurd = new Set<unknown>(
            order.flatMap((event) => (isMessage(event) && isAbsurd(event, order) ? [event.id] : [])),
          )
          const sane = (all: unknown[][]): unknown[] => all.filter(([id]) => !absurd.has(id))
          expect(sane(shownBy(timeline))).toEqual(sane(shown.filter(([id]) => kept.has(String(id)))))
        }
      }),
      runs(2_000),
    )
  })

  it('agrees with one that heard the same in another order, above the higher of both places', () => {
    fc.assert(
      property(twoOrders(30), windows, ([events, other], window) => {
        const [one, two] = [timelineOf(events, small(window)), timelineOf(other, small(window))]
        const kept = [one, two].map((timeline) =>
          timely(above(above(keptBy(timeline), one.floor), two.floor), events),
        )
        expect(kept[0]).toEqual(kept[1])
      }),
      runs(2_000),
    )
  })

  it('is never over its bounds, counts its bytes right, and is never cut lower than before', () => {
    fc.assert(
      property(history(30).chain(shuffled), windows, (events, window) => {
        const { maxEvents, maxBytes } = small(window)
        const timeline = new Timeline(small(window))
        let floor: Position | undefined
        for (const event of events) {
          const added = timeline.add(event, SOON)
          const kept = keptBy(timeline)
          const bytes = kept.reduce((sum, { jwt }) => sum + jwt.length, 0)
          const holds =
            kept.includes(event) === (added || timeline.get(event.id) === event) &&
            timeline.size === kept.length &&
            kept.length <= maxEvents &&
            timeline.bytes === bytes &&
            bytes <= maxBytes &&
            (floor === undefined || comparePositions(timeline.floor ?? floor, floor) >= 0)
          expect(holds).toBe(true)
          floor = timeline.floor
        }
      }),
      runs(1_000),
    )
  })

  it('is cut no higher than it has to be where nothing is removed: of messages the newest are kept', () => {
    const messages = history(30).map((events) => events.filter(isMessage))
    fc.assert(
      property(messages.chain(shuffled), fc.integer({ min: 1, max: 9 }), (events, maxEvents) => {
        const timeline = timelineOf(events, { ...ROOMY, maxEvents })
        expect(keptBy(timeline)).toEqual(rules.kept(living(events)).slice(-maxEvents))
      }),
      runs(500),
    )
  })
})
