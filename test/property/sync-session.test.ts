import fc from 'fast-check'
import { turn } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { SYNC_MAX_DEVICES, WINDOW_MAX_EVENTS } from '../../src/limits.ts'
import { frameStream } from '../../src/network/frame-stream.ts'
import type { FrameStream } from '../../src/network/network.ts'
import { compareBounds, isBefore, START } from '../../src/room/reconciler.ts'
import { SyncServer } from '../../src/room/sync-server.ts'
import { type SyncContents, SyncSession } from '../../src/room/sync-session.ts'
import { memoryStreams } from '../../src/testing/memory-stream.ts'
import type { SignedEvent } from '../../src/wire/event.ts'
import { type Bound, encodeSync } from '../../src/wire/sync.ts'
import { syncFrame } from '../support/arbitraries.ts'
import { NOW, testAuthor, testPeerId, unsignedBy } from '../support/authors.ts'
import { choppedStreams } from '../support/chopped-stream.ts'
import { HandClock } from '../support/hand-clock.ts'
import { asyncProperty } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const salt = new Uint8Array(16).fill(3)
const jti = (number: number): string => `${String(number).padStart(21, '0')}A`
/** More than are listed at once, so that some comparisons take a turn more. */
const messages = Array.from({ length: 36 }, (_, index) =>
  unsignedBy(testAuthor(index % 3), 'message', { text: 'x' }, { at: NOW + (index >> 1), jti: jti(index) }),
)
const presences = Array.from({ length: 18 }, (_, index) =>
  unsignedBy(
    testAuthor(index),
    'presence',
    { peer: testPeerId(index), data: {} },
    { jti: jti(1000 + index) },
  ),
)

type Place = 'both' | 'one' | 'other' | 'none'

/** Who of the two has each of so many events: both, one of them, or nobody. */
const places = (count: number): fc.Arbitrary<Place[]> =>
  fc.array(fc.constantFrom<Place>('both', 'both', 'both', 'one', 'other', 'none'), {
    minLength: count,
    maxLength: count,
  })

const having = (who: Place, list: readonly Place[], events: readonly SignedEvent[]): SignedEvent[] =>
  events.filter((_, index) => list[index] === 'both' || list[index] === who)

const floor: fc.Arbitrary<Bound> = fc.oneof(
  { weight: 3, arbitrary: fc.constant(START) },
  { weight: 1, arbitrary: fc.nat(18).map((ms) => ({ timestamp: NOW + ms, prefix: '' })) },
)

const parties = fc.record({
  timelines: places(messages.length),
  rosters: places(presences.length),
  floors: fc.tuple(floor, floor),
})

const chopping = fc.record({
  pieces: fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 }),
  windowBytes: fc.integer({ min: 8, max: 20_000 }),
})

const minus = (events: readonly SignedEvent[], others: readonly SignedEvent[], from = START): string[] =>
  events.flatMap((event) => (others.includes(event) || isBefore(event, from) ? [] : [event.jwt])).sort()

const patience = { clock: new HandClock(), salt }

describe('a comparison on a stream', () => {
  it('brings both sides what they miss, in whatever pieces the bytes come, and however few at a time', async () => {
    await fc.assert(
      asyncProperty(parties, chopping, async ({ timelines, rosters, floors }, how) => {
        const side = (who: Place, index: 0 | 1): SyncContents => ({
          timeline: having(who, timelines, messages),
          roster: having(who, rosters, presences),
          floor: floors[index],
        })
        const [one, other] = [side('one', 0), side('other', 1)]
        const received: [string[], string[]] = [[], []]
        const [here, there] = choppedStreams(how)
        const clock = new HandClock()
        const server = new SyncServer({
          clock,
          contents: () => other,
          admitAll: async (jwts) => {
            received[1].push(...jwts)
            return { rejected: false }
          },
        })
        const session = new SyncSession({
          ...patience,
          clock,
          stream: frameStream(here),
          contents: one,
          admitAll: async (jwts) => {
            received[0].push(...jwts)
            return { rejected: false }
          },
        })
        const serving = server.serve(frameStream(there), 'one')
        const outcome = await session.open()
        await serving
        expect(outcome).toEqual({ floor: other.floor, restBefore: undefined, isCut: false })
        const both = [one, other]
        const from = both.reduce(
          (latest, { floor }) => (compareBounds(latest, floor) < 0 ? floor : latest),
          START,
        )
        for (const [side, got] of received.entries()) {
          const [mine, theirs] = side === 0 ? both : [...both].reverse()
          const missing = minus(theirs?.timeline ?? [], mine?.timeline ?? [], from)
          const devices = minus(theirs?.roster ?? [], mine?.roster ?? [])
          const wanted = got.filter(
            (jwt) => !messages.some((event) => event.jwt === jwt && isBefore(event, from)),
          )
          expect(wanted.sort()).toEqual([...missing, ...devices].sort())
        }
        expect(clock.pending).toBe(0)
      }),
      runs(100),
    )
  })

  const said = fc.oneof(
    { weight: 4, arbitrary: syncFrame.map(encodeSync) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => new Uint8Array(bytes)) },
  )
  const script = fc.record({
    frames: fc.array(said, { maxLength: 14 }),
    closes: fc.boolean(),
    isForged: fc.nat(3).map((one) => one === 0),
  })

  /** Says its lines whatever is answered, and then closes, or says nothing any more. */
  async function recite(
    stream: FrameStream,
    { frames, closes }: { frames: Uint8Array<ArrayBuffer>[]; closes: boolean },
  ) {
    try {
      for (const frame of frames) await stream.send(frame)
      if (closes) await stream.close()
    } catch {
      // It was hung up on.
    }
  }

  it('ends with everybody, whatever is said: with an outcome or an error, and with no timer left', async () => {
    await fc.assert(
      asyncProperty(script, fc.boolean(), async (lines, isNewest) => {
        const [here, there] = memoryStreams()
        const clock = new HandClock()
        let received = 0
        const session = new SyncSession({
          stream: here,
          clock,
          salt,
          contents: { timeline: messages, roster: presences, floor: START },
          admitAll: async (jwts) => {
            received += jwts.length
            return { rejected: lines.isForged && received > 3 }
          },
        })
        const ended = session.open(isNewest ? { limit: 5 } : undefined).then(
          (outcome) => outcome.isCut,
          (thrown: unknown) => thrown instanceof Error || thrown,
        )
        void recite(there, lines)
        await turn()
        if (clock.pending > 0) clock.pass(60_000)
        expect(await ended).toBeTypeOf('boolean')
        expect(clock.pending).toBe(0)
        expect(received).toBeLessThanOrEqual((isNewest ? 5 : WINDOW_MAX_EVENTS) + SYNC_MAX_DEVICES)
      }),
      runs(200),
    )
  })

  it('is served to everybody, whatever is said: it never rejects, and gives its place back', async () => {
    await fc.assert(
      asyncProperty(fc.array(script, { minLength: 1, maxLength: 3 }), async (scripts) => {
        const clock = new HandClock()
        const server = new SyncServer({
          clock,
          contents: () => ({ timeline: messages.slice(0, 20), roster: [], floor: START }),
          admitAll: async () => ({ rejected: scripts.some(({ isForged }) => isForged) }),
        })
        const served = scripts.map((lines, peer) => {
          const [here, there] = memoryStreams()
          void recite(here, lines)
          return server.serve(there, `peer ${peer % 2}`)
        })
        await turn()
        if (clock.pending > 0) clock.pass(60_000)
        await Promise.all(served)
        expect(clock.pending).toBe(0)
        // Who comes now is served as if nobody had been there before.
        const [here, there] = memoryStreams()
        const serving = server.serve(there, 'somebody else')
        const asking = new SyncSession({
          ...patience,
          stream: here,
          contents: { timeline: [], roster: [], floor: START },
          admitAll: async () => ({ rejected: false }),
        })
        expect((await asking.open()).isCut).toBe(false)
        await serving
      }),
      runs(100),
    )
  })
})
