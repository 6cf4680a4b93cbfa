import fc from 'fast-check'
import { turn } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { type Fate, Outbox } from '../../src/room/outbox.ts'
import { toMilliseconds } from '../../src/wire/claims.ts'
import type { SignedEvent } from '../../src/wire/event.ts'
import { decodeFrame } from '../../src/wire/frame.ts'
import { testAuthor, unsignedBy } from '../support/authors.ts'
import { HandClock } from '../support/hand-clock.ts'
import { asyncProperty } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const ada = testAuthor(1)
const LIFE_MS = 60_000

type Step =
  | { do: 'write'; bytes: number }
  | { do: 'neighbours'; are: boolean }
  | { do: 'network'; takes: 'all' | 'none' | 'breaks' }
  | { do: 'pace'; waitMs: number }
  | { do: 'acknowledge'; which: number }
  | { do: 'delete'; which: number }
  | { do: 'pass'; ms: number }
  | { do: 'flush' | 'again' | 'close' }

const which = fc.nat(20)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('write' as const), bytes: fc.constantFrom(60, 500, 16_000) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('neighbours' as const), are: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('network' as const),
      takes: fc.constantFrom('all', 'none', 'breaks'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pace' as const), waitMs: fc.constantFrom(0, 0, 50, 700) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), which }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(10, 1_000, 25_000) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('flush' as const, 'again' as const) }) },
)
/** Each step, and whether the next one comes before it is over. */
const steps = fc
  .tuple(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 25 }), fc.boolean())
  .map(([list, closes]): [Step, boolean][] => (closes ? [...list, [{ do: 'close' }, false]] : list))
/** How many microtasks handing a frame to the network takes, over and over. */
const delays = fc.array(fc.nat(6), { minLength: 1, maxLength: 4 })

/** An outbox, what it did, and everything that has to hold of it at all times. */
class Scene {
  readonly clock = new HandClock()
  readonly written: SignedEvent[] = []
  readonly fates = new Map<string, Fate[]>()
  readonly frames: string[][] = []
  readonly deleted = new Set<string>()
  hasNeighbours = true
  takes: 'all' | 'none' | 'breaks' = 'all'
  waitMs = 0
  isClosed = false
  readonly outbox = new Outbox({
    clock: this.clock,
    publish: async (frame) => {
      for (let delay = this.#nextDelay(); delay > 0; delay -= 1) await Promise.resolve()
      if (this.takes === 'breaks') throw new Error('the network broke')
      if (this.takes === 'none') return 0
      this.frames.push(decodeFrame(frame) ?? ['no frame'])
      return 1
    },
    onFate: ({ id }, fate) => this.fates.set(id, [...(this.fates.get(id) ?? []), fate]),
    isOutdone: ({ id }) => this.deleted.has(id),
    hasNeighbours: () => this.hasNeighbours,
    // A place is granted at once when time has passed.
    pace: () => (this.clock.now() < this.#paceEnd ? this.#paceEnd - this.clock.now() : 0),
    isAlone: () => false,
  })
  readonly #delays: readonly number[]
  #published = 0
  #paceEnd = 0

  constructor(delays: readonly number[]) {
    this.#delays = delays
  }

  #nextDelay(): number {
    return this.#delays[this.#published++ % this.#delays.length] ?? 0
  }

  async run(each: Step): Promise<void> {
    switch (each.do) {
      case 'write':
        return this.#write(each.bytes)
      case 'neighbours':
        this.hasNeighbours = each.are
        break
      case 'network':
        this.takes = each.takes
        break
      case 'pace':
        this.#paceEnd = this.clock.now() + each.waitMs
        break
      case 'acknowledge':
        this.outbox.acknowledge(this.#open(each.which))
        break
      case 'delete':
        for (const id of this.#open(each.which)) this.deleted.add(id)
        break
      case 'pass':
        this.clock.pass(each.ms)
        await turn()
        break
      case 'flush':
        await this.outbox.flush()
        break
      case 'again':
        this.#again()
        break
      case 'close':
        this.isClosed = true
        this.outbox.close()
    }
  }

  /** What became of an event: the last of its fates, or that it waits, or was deleted before it went out or was acknowledged. */
  stateOf({ id }: SignedEvent): Fate | 'waiting' | 'gone' {
    const fate = this.fates.get(id)?.at(-1) ?? 'waiting'
    if (!this.deleted.has(id)) return fate
    if (fate === 'sent') return this.outbox.unacknowledged.has(id) ? 'sent' : 'gone'
    return fate === 'waiting' ? 'gone' : fate
  }

  async #write(bytes: number): Promise<void> {
    const number = this.written.length
    const jti = `${String(number).padStart(21, '0')}A`
    const options = { at: this.clock.now() + number, livesMs: LIFE_MS, jti }
    const event = unsignedBy(ada, 'message', { text: 'x' }, options)
    const jwt = event.jwt.padEnd(bytes, 'x')
    this.written.push({ ...event, jwt })
    const place = await this.outbox.reserve()
    await place.fill({ ...event, jwt })
  }

  #again(): void {
    const probe = unsignedBy(ada, 'presence', { peer: 'x', data: {} }, { jti: 'probe' })
    const sent = this.outbox.again(probe).map((frame) => decodeFrame(frame) ?? ['no frame'])
    const known = new Set(this.written.map(({ jwt }) => jwt))
    const repeated = sent.flat().filter((jwt) => jwt !== probe.jwt)
    expect(repeated.every((jwt) => known.has(jwt))).toBe(true)
    expect(new Set(repeated).size).toBe(repeated.length)
    for (const event of this.written) {
      if (repeated.includes(event.jwt)) expect(this.stateOf(event)).toBe('sent')
    }
  }

  #open(number: number): string[] {
    const open = this.written.filter((event) => ['sent', 'waiting'].includes(this.stateOf(event)))
    const event = open[number % Math.max(1, open.length)]
    return event === undefined ? [] : [event.id]
  }

  /** What a fate may follow upon. */
  check(): void {
    for (const fates of this.fates.values()) {
      expect(['sent', 'failed', 'sent acknowledged', 'sent failed']).toContain(fates.join(' '))
    }
    const order = this.frames.flat()
    const places = order.map((jwt) => this.written.findIndex((event) => event.jwt === jwt))
    // Each is sent once, unless it is sent again on purpose, and in the order they were written.
    expect(places.every((place, index) => place > (places[index - 1] ?? -1))).toBe(true)
    const sent = this.written.filter(({ jwt }) => order.includes(jwt))
    // What was under way when the room was left may have come, or not.
    const fates = this.isClosed ? ['sent', 'failed'] : ['sent']
    expect(sent.every(({ id }) => fates.includes(this.fates.get(id)?.[0] ?? ''))).toBe(true)
    const { unacknowledged } = this.outbox
    const open = this.written.filter((event) => this.stateOf(event) === 'sent')
    expect([...unacknowledged.keys()]).toEqual(open.map(({ id }) => id))
    for (const event of open) expect(toMilliseconds(event.claims.exp)).toBeGreaterThan(this.clock.now())
  }
}

describe('the outbox', () => {
  it('takes each event from queued to sent to acknowledged or failed, never back, and in the order it was written', async () => {
    await fc.assert(
      asyncProperty(steps, delays, async (list, slowness) => {
        const scene = new Scene(slowness)
        const running: Promise<void>[] = []
        for (const [each, isRushed] of list) {
          running.push(scene.run(each))
          if (isRushed) continue
          await Promise.all(running.splice(0))
          scene.check()
        }
        await Promise.all(running)
        scene.check()
        if (!scene.isClosed) {
          // Where somebody is there again, nothing stays behind.
          scene.hasNeighbours = true
          scene.takes = 'all'
          await scene.outbox.flush()
          scene.clock.pass(700)
          await turn()
          scene.check()
          expect(scene.written.map((event) => scene.stateOf(event))).not.toContain('waiting')
        }
        scene.clock.pass(LIFE_MS + 1_000)
        await scene.outbox.flush()
        scene.check()
        const ends = ['acknowledged', 'failed', 'gone']
        for (const event of scene.written) expect(ends).toContain(scene.stateOf(event))
        expect(scene.outbox.unacknowledged.size).toBe(0)
        scene.outbox.close()
        expect(scene.clock.pending).toBe(0)
      }),
      runs(300),
    )
  })
})
