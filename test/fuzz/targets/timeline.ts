import { isTimelineEvent, Timeline, type TimelineEvent } from '../../../src/room/timeline.ts'
import { decodeClaims } from '../../../src/wire/claims.ts'
import { comparePositions, eventOf, type Position, positionOf } from '../../../src/wire/event.ts'
import type { EventId } from '../../../src/wire/event-id.ts'
import { NOW } from '../../support/authors.ts'
import { CLAIM_WORDS, jwtAround, scripts } from '../support/events.ts'
import { bytesOf, InputReader, inputOf, textOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

const DAY_MS = 86_400_000
const DAYS = 10

/**
 * What is kept of messages and of what changes them, in a window of a few events:
 * the events come in the order of the input and in another one, with two devices that
 * then have the same.
 */
export const timeline: Target = {
  name: 'timeline',
  run(input) {
    const reader = new InputReader(input)
    const maxEvents = 1 + reader.below(12)
    const stride = 1 + reader.below(7)
    const now = NOW + 10 * reader.byte()
    const events = eventsIn(reader.rest())
    const window = { maxEvents, maxBytes: 1e6, maxAgeMs: DAY_MS }
    const [one, other] = [new Timeline(window), new Timeline(window)]
    for (const event of events) {
      const isNew = one.add(event, now)
      promise(!isNew || one.get(event.id) === event, 'what is taken in is there')
      check(one, maxEvents)
    }
    for (const event of reordered(events, stride)) other.add(event, now)
    compare(one, other)
    one.prune(now + DAYS * DAY_MS)
    promise(one.size === 0 && one.bytes === 0 && one.missing().length === 0, 'nothing stays for ever')
  },
  seeds: () =>
    scripts().flatMap((script) =>
      [inputOf([3, 1, 0], []), inputOf([9, 4, 1], [])].map((head) => Buffer.concat([head, script])),
    ),
  words: CLAIM_WORDS,
  maxBytes: 4_096,
  runs: 300_000,
}

/** A short text in the place of an id is that of the event of this number: so changes find what they change. */
function eventsIn(bytes: Uint8Array): TimelineEvent[] {
  const events: TimelineEvent[] = []
  for (const line of textOf(bytes).split('\n')) {
    const text = line.replace(
      /"#(\d{1,3})"/g,
      (_, number) => `"${events[Number(number) % (events.length || 1)]?.id ?? ''}"`,
    )
    const claims = decodeClaims(text)
    if (claims === undefined) continue
    const event = eventOf(jwtAround(bytesOf(text)), claims)
    if (isTimelineEvent(event)) events.push(event)
  }
  return events
}

function reordered<T>(items: readonly T[], stride: number): T[] {
  return Array.from({ length: stride }, (_, start) => items.filter((_, at) => at % stride === start))
    .reverse()
    .flat()
}

function check(timeline: Timeline, maxEvents: number): void {
  const { events } = timeline.slice(Number.POSITIVE_INFINITY)
  promise(
    events.length <= maxEvents && timeline.size === events.length,
    'the window is as large as it may be',
  )
  promise(
    events.every((event, at) => at === 0 || isInOrder(events[at - 1], event)),
    'events are in the one order',
  )
  const heads = timeline.heads(timeline.missing())
  promise(
    heads.length <= 8 && heads.every((id, at) => at === 0 || (heads[at - 1] ?? '') < id),
    'heads are 8, sorted',
  )
  promise(
    heads.every((id) => timeline.get(id) !== undefined),
    'heads are here',
  )
  const named = new Set(events.flatMap(({ claims }) => claims.parents))
  promise(
    timeline.missing().every((id: EventId) => named.has(id) && timeline.get(id) === undefined),
    'what is missing is named and not here',
  )
}

/** Behind where either had to cut, they keep the same. */
function compare(one: Timeline, other: Timeline): void {
  const from = [one.floor, other.floor]
    .filter((floor) => floor !== undefined)
    .sort(comparePositions)
    .at(-1)
  const kept = (timeline: Timeline): string =>
    timeline
      .slice(Number.POSITIVE_INFINITY)
      .events.filter((event) => from === undefined || comparePositions(positionOf(event), from) > 0)
      .map(({ id }) => id)
      .join()
  promise(kept(one) === kept(other), 'what is kept does not depend on the order in which it came')
}

function isInOrder(before: TimelineEvent | undefined, event: TimelineEvent): boolean {
  const place: Position | undefined = before && positionOf(before)
  return place === undefined || comparePositions(place, positionOf(event)) < 0
}
