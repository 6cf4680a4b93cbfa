import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareBounds,
  type Item,
  isBefore,
  isSettled,
  Reconciler,
  START,
} from '../../src/room/reconciler.ts'
import { eventId } from '../../src/wire/event-id.ts'
import { type Bound, decodeSync, encodeSync, type Range, type Turn } from '../../src/wire/sync.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const SALT = new Uint8Array(16).fill(7)
/** More turns than any honest comparison takes. */
const TURNS_MAX = 10

interface Side {
  items: Item[]
  floor?: Bound
}

interface Outcome {
  /** What each side was sent. */
  sent: [Item[], Item[]]
  turns: number
  bytes: number
  /** What the opener was told last. */
  last: Range[]
}

/** Carries the turns of two sides through the codec until nothing is asked any more. */
function reconcile(opener: Side, other: Side, first?: (opener: Reconciler<Item>) => Range[]): Outcome {
  const sides = [opener, other].map(
    ({ items, floor }) => new Reconciler({ items, salt: SALT, ...(floor && { floor }) }),
  )
  const sent: [Item[], Item[]] = [[], []]
  let ranges = first === undefined ? (sides[0]?.open() ?? []) : first(sides[0] as Reconciler<Item>)
  let bytes = encodeSync({ kind: 'open', salt: SALT, ...turnOf(opener, ranges) }).length
  let turns = 1
  let last: Range[] = []
  for (let speaker = 1; !isSettled(ranges); speaker = 1 - speaker) {
    const answer = sides[speaker]?.answer(ranges) ?? { send: [], reply: [] }
    sent[1 - speaker]?.push(...answer.send)
    const frame = encodeSync({ kind: 'turn', ...turnOf(speaker === 0 ? opener : other, answer.reply) })
    const decoded = decodeSync(frame)
    if (decoded?.kind !== 'turn') throw new Error('a turn does not survive the codec')
    ranges = decoded.timeline
    if (speaker === 1) last = ranges
    bytes += frame.length
    turns += 1
    if (turns > TURNS_MAX) throw new Error('the comparison does not end')
  }
  return { sent, turns, bytes, last }
}

function turnOf({ floor = START }: Side, timeline: Range[]): Turn {
  return { floor, roster: [], timeline }
}

const idsOf = (items: Iterable<Item>): string[] => [...items].map(({ id }) => id).sort()
const minus = (items: Item[], others: Item[]): Item[] => {
  const ids = new Set(others.map(({ id }) => id))
  return items.filter(({ id }) => !ids.has(id))
}

const ids = Array.from({ length: 1_000 }, (_, index) => eventId(`event ${index}`))

/** Events of which many share a millisecond. */
const universe = (size: number, spread: number): Item[] =>
  ids.slice(0, size).map((id, index) => ({
    id,
    timestamp: 1_800_000_000_000 + Math.floor((index * spread) / size),
  }))

/** Mostly few, which are listed at once or after one split; 400 take two. */
const sizes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 400 }) },
)

const sides = fc.record({ size: sizes, spread: fc.constantFrom(1, 10, 100_000) }).chain(({ size, spread }) =>
  fc
    .tuple(
      fc.array(fc.constantFrom('both', 'both', 'both', 'opener', 'other', 'none'), {
        minLength: size,
        maxLength: size,
      }),
      fc.option(fc.integer({ min: 0, max: Math.max(0, size - 1) }), { nil: undefined }),
      fc.option(fc.integer({ min: 0, max: Math.max(0, size - 1) }), { nil: undefined }),
    )
    .map(([places, ...floors]) => {
      const all = universe(size, spread)
      const of = (name: string): Item[] =>
        all.filter((_, index) => ['both', name].includes(places[index] ?? ''))
      const floorAt = (index: number | undefined): Bound | undefined => {
        const item = index === undefined ? undefined : all[index]
        return item && { timestamp: item.timestamp, prefix: item.id }
      }
      return [of('opener'), of('other'), floorAt(floors[0]), floorAt(floors[1])] as const
    }),
)

describe('reconciling two sets', () => {
  it('sends each side exactly what it is missing, and nothing twice', () => {
    fc.assert(
      property(sides, ([opener, other]) => {
        const { sent } = reconcile({ items: opener }, { items: other })
        expect(idsOf(sent[0])).toEqual(idsOf(minus(other, opener)))
        expect(idsOf(sent[1])).toEqual(idsOf(minus(opener, other)))
      }),
      runs(),
    )
  })

  it('leaves out what lies before the floor of either side', () => {
    fc.assert(
      property(sides, ([opener, other, openerFloor = START, otherFloor = START]) => {
        const { sent } = reconcile({ items: opener, floor: openerFloor }, { items: other, floor: otherFloor })
        const floor = compareBounds(openerFloor, otherFloor) < 0 ? otherFloor : openerFloor
        const counts = (items: Item[]): Item[] => items.filter((item) => !isBefore(item, floor))
        expect(idsOf(counts(sent[0]))).toEqual(idsOf(counts(minus(other, opener))))
        expect(idsOf(counts(sent[1]))).toEqual(idsOf(counts(minus(opener, other))))
        // Nobody is sent what it does not keep.
        expect(sent[0].filter((item) => isBefore(item, openerFloor))).toEqual([])
        expect(sent[1].filter((item) => isBefore(item, otherFloor))).toEqual([])
      }),
      runs(),
    )
  })

  it('brings the newest before a place where only these are asked for, and says whether there are older ones', () => {
    fc.assert(
      property(sides, fc.integer({ min: 0, max: 120 }), ([, other, before], limit) => {
        const { sent, turns, last } = reconcile({ items: [] }, { items: other }, (opener) =>
          opener.openNewest(limit, before),
        )
        const older = other
          .filter((item) => before === undefined || isBefore(item, before))
          .sort((a, b) => a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1))
        expect(idsOf(sent[0])).toEqual(idsOf(limit === 0 ? [] : older.slice(-limit)))
        expect(last.some(({ kind }) => kind === 'rest')).toBe(older.length > limit)
        expect(turns).toBe(2)
      }),
      runs(),
    )
  })

  it('ends whatever the other side says', () => {
    const range = fc.record({
      step: fc.integer({ min: 0, max: 50_000 }),
      kind: fc.constantFrom('same', 'rest', 'fingerprint', 'ids', 'want', 'newest'),
      ids: fc.array(fc.string({ minLength: 8, maxLength: 8, unit: 'binary-ascii' }), { maxLength: 20 }),
    })
    const side = new Reconciler({ items: universe(300, 100_000), salt: SALT })
    fc.assert(
      property(fc.array(fc.array(range, { maxLength: 8 }), { maxLength: 5 }), (turns) => {
        for (const said of turns) {
          let timestamp = 1_800_000_000_000
          const ranges = said.map(({ step, kind, ids }, index): Range => {
            timestamp += step + 1
            const upper = index === said.length - 1 ? undefined : { timestamp, prefix: '' }
            return { upper, kind, ids, limit: step, fingerprint: ids[0] ?? '--------' } as unknown as Range
          })
          const { send, reply } = side.answer(ranges)
          expect(new Set(send).size).toBe(send.length)
          expect(
            decodeSync(encodeSync({ kind: 'turn', floor: START, roster: [], timeline: reply })),
          ).toBeDefined()
        }
      }),
      runs(),
    )
  })
})

describe('what it costs', () => {
  const window = universe(1_000, 3_600_000)

  /** `count` of the window, far from each other. */
  const scattered = (count: number): Item[] =>
    window.filter((_, index) => index % Math.floor(window.length / count) === 7).slice(0, count)

  it('10 of 1,000 events missing: at most 4 KiB beside the events, however they lie', () => {
    const last = window.slice(-10)
    const few = scattered(10)
    for (const missing of [few, last, window.slice(0, 10), window.slice(495, 505)]) {
      for (const [opener, other] of [
        [minus(window, missing), window],
        [window, minus(window, missing)],
        [minus(window, missing.slice(0, 5)), minus(window, missing.slice(5))],
      ] as [Item[], Item[]][]) {
        const { bytes, sent, turns } = reconcile({ items: opener }, { items: other })
        expect(sent[0].length + sent[1].length).toBe(10)
        expect(bytes).toBeLessThanOrEqual(4096)
        expect(turns).toBeLessThanOrEqual(5)
      }
    }
  })

  it('any 10 of 1,000 events missing, on whichever side: at most 4 KiB beside the events', () => {
    const missing = fc.uniqueArray(fc.nat(window.length - 1), { minLength: 10, maxLength: 10 })
    fc.assert(
      fc.property(missing, fc.nat(10), (places, ofOpener) => {
        const absent = (from: number, to: number): Item[] => {
          const some = new Set(places.slice(from, to))
          return window.filter((_, index) => !some.has(index))
        }
        const { bytes, sent } = reconcile({ items: absent(0, ofOpener) }, { items: absent(ofOpener, 10) })
        expect(sent[0].length + sent[1].length).toBe(10)
        expect(bytes).toBeLessThanOrEqual(4096)
      }),
      // 20 ms each, for two times 1,000 hashes: no more in the long run either.
      { numRuns: 30 },
    )
  })

  it('nothing missing: two turns of a few hundred bytes', () => {
    const { bytes, turns } = reconcile({ items: window }, { items: window })
    expect(turns).toBe(2)
    expect(bytes).toBeLessThanOrEqual(350)
  })
})
