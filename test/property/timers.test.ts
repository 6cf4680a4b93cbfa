import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ACKNOWLEDGE_PAUSE_MS, TYPING_MS, TYPING_REPEAT_MS } from '../../src/limits.ts'
import { Turnstile } from '../../src/network/turnstile.ts'
import { ACKNOWLEDGERS, Acknowledger } from '../../src/room/acknowledger.ts'
import { Message } from '../../src/room/message.ts'
import { MessageReader } from '../../src/room/message-reader.ts'
import { Typing } from '../../src/room/typing.ts'
import { NOW, testAuthor, unsignedBy } from '../support/authors.ts'
import { HandClock } from '../support/hand-clock.ts'
import { asyncProperty, property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const pause = fc.oneof(fc.constant(0), fc.nat(900), fc.nat(7_000))

describe('typing', () => {
  const did = fc.constantFrom('ada', 'bob', 'cyd')
  const step = fc.oneof(
    fc.record({
      do: fc.constant('began' as const),
      did,
      late: fc.nat(4_000),
      livesMs: fc.integer({ min: 1, max: TYPING_MS }),
    }),
    fc.record({ do: fc.constant('ended' as const), did, late: fc.nat(4_000) }),
    fc.record({ do: fc.constant('left' as const), did }),
    fc.record({ do: fc.constantFrom('keystroke' as const, 'stop' as const, 'sent' as const) }),
    fc.record({ do: fc.constant('pass' as const), ms: pause }),
  )

  it('of others ends by itself, is told when it changes, and of the own user is said no more often than it may be', () => {
    fc.assert(
      property(fc.array(step, { maxLength: 40 }), (steps) => {
        const clock = new HandClock()
        const told: string[][] = [[]]
        const said: [state: string, at: number][] = []
        const typing = new Typing({
          clock,
          send: (state) => said.push([state, clock.now()]),
          onChange: (dids) => told.push(dids),
        })
        for (const each of steps) {
          if (each.do === 'pass') clock.pass(each.ms)
          else if (each.do === 'keystroke') typing.keystroke()
          else if (each.do === 'stop') typing.stop()
          else if (each.do === 'sent') typing.sent()
          else if (each.do === 'left') typing.ended(each.did)
          else if (each.do === 'began' || each.do === 'ended') {
            const at = clock.now() - each.late
            if (each.do === 'began') typing.began(each.did, at, at + each.livesMs)
            else typing.ended(each.did, at)
            if (each.do === 'ended') {
              // A start that was said before does not count any more.
              typing.began(each.did, at - 1, clock.now() + 1_000)
            }
          }
          expect(told.at(-1)).toEqual(typing.current())
        }
        for (let index = 1; index < told.length; index += 1) expect(told[index]).not.toEqual(told[index - 1])
        const starts = said.flatMap(([state, at]) => (state === 'start' ? [at] : []))
        const stops = said.flatMap(([state, at]) => (state === 'stop' ? [at] : []))
        expect(stops.length).toBeLessThanOrEqual(starts.length)
        clock.pass(TYPING_MS)
        expect(typing.current()).toEqual([])
        typing.close()
        expect(clock.pending).toBe(0)
      }),
      runs(300),
    )
  })

  it('of somebody who never pauses is said once in three seconds', () => {
    fc.assert(
      property(fc.array(fc.nat(2_900), { maxLength: 60 }), (pauses) => {
        const clock = new HandClock()
        const said: number[] = []
        const typing = new Typing({ clock, send: () => said.push(clock.now()), onChange: () => {} })
        for (const ms of pauses) {
          clock.pass(ms)
          typing.keystroke()
        }
        for (let index = 1; index < said.length; index += 1) {
          expect((said[index] ?? 0) - (said[index - 1] ?? 0)).toBeGreaterThanOrEqual(TYPING_REPEAT_MS)
        }
        typing.close()
      }),
      runs(),
    )
  })
})

describe('acknowledging', () => {
  const messages = [0, 1, 2].map((author) =>
    unsignedBy(testAuthor(author), 'message', { text: 'x' }, { jti: `${'0'.repeat(20)}${author}A` }),
  )
  const ids = messages.map(({ id }) => id).sort()
  const answer = (author: number, parents: typeof ids) =>
    unsignedBy(testAuthor(author), 'presence', { peer: 'x', data: {} }, { parents, jti: 'x' })
  const step = fc.record({
    message: fc.option(fc.nat(2), { nil: undefined }),
    by: fc.nat(3),
    parents: fc.subarray(ids),
    pause,
  })

  it('happens once for what nobody else answers within a second, never twice in three, and leaves no timer', () => {
    fc.assert(
      property(fc.array(step, { maxLength: 25 }), (steps) => {
        const clock = new HandClock()
        let count = 0
        let chances = 0
        let lastAt = Number.NEGATIVE_INFINITY
        const acknowledger = new Acknowledger({
          clock,
          isTurn: () => true,
          acknowledge: () => {
            count += 1
            expect(clock.now() - lastAt).toBeGreaterThanOrEqual(ACKNOWLEDGE_PAUSE_MS)
            lastAt = clock.now()
          },
        })
        for (const { message, by, parents, pause } of steps) {
          clock.pass(pause)
          const event = message === undefined ? undefined : messages[message]
          if (event !== undefined) chances += 1
          acknowledger.arrived(event ?? answer(by, parents))
          expect(clock.pending).toBeLessThanOrEqual(1)
        }
        clock.pass(ACKNOWLEDGE_PAUSE_MS)
        expect(count).toBeLessThanOrEqual(chances)
        expect(
          count > 0 || chances === 0 || steps.some(({ parents, by }) => parents.length > 0 && by >= 0),
        ).toBe(true)
        expect(clock.pending).toBe(0)
        expect(ACKNOWLEDGERS).toBeGreaterThan(0)
      }),
      runs(200),
    )
  })
})

describe('a reader of messages', () => {
  const step = fc.constantFrom('push', 'push', 'push', 'next', 'next', 'end', 'return')

  it('hands out what was pushed in order, keeps no more than it may, and leaves nobody waiting', async () => {
    await fc.assert(
      asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 6 }), async (steps, max) => {
        let ends = 0
        const reader = new MessageReader(max, () => {
          ends += 1
        })
        const asked: Promise<IteratorResult<Message, undefined> | Error>[] = []
        const pushed: Message[] = []
        for (const each of steps) {
          if (each === 'push') {
            const event = unsignedBy(
              testAuthor(0),
              'message',
              { text: 'x' },
              { at: NOW, jti: `${pushed.length}` },
            )
            pushed.push(new Message(event, 'sent'))
            reader.push(pushed.at(-1) as Message)
          } else if (each === 'next') asked.push(reader.next().catch((thrown: Error) => thrown))
          else if (each === 'end') reader.end()
          else await reader.return()
        }
        reader.end()
        const answers = await Promise.all(asked)
        const values = answers.flatMap((answer) =>
          answer instanceof Error || answer.done ? [] : [answer.value],
        )
        expect(values).toEqual(pushed.slice(0, values.length))
        expect(ends).toBe(1)
        const rest: Message[] = []
        await (async () => {
          for await (const message of reader) rest.push(message)
        })().catch((thrown: unknown) => expect(thrown).toMatchObject({ code: 'reader-too-slow' }))
        expect(rest.length).toBeLessThanOrEqual(max)
        expect(rest).toEqual(pushed.slice(values.length, values.length + rest.length))
      }),
      runs(200),
    )
  })
})

describe('a turnstile', () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b'),
    do: fc.constantFrom('enter', 'enter', 'leave', 'give up'),
  })

  it('lets in no more than it may at a time, everybody in the end, and in the order they came', async () => {
    await fc.assert(
      asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), async (steps, max) => {
        const turnstile = new Turnstile(max)
        const inside: Record<string, (() => void)[]> = { a: [], b: [] }
        const order: Record<string, number[]> = { a: [], b: [] }
        const signals: { key: string; number: number; controller: AbortController }[] = []
        const entering: Promise<void>[] = []
        const left = new Set<number>()
        for (const [number, { key, do: what }] of steps.entries()) {
          if (what === 'enter') {
            const controller = new AbortController()
            signals.push({ key, number, controller })
            entering.push(
              turnstile.enter(key, controller.signal).then(
                (leave) => {
                  inside[key]?.push(leave)
                  order[key]?.push(number)
                },
                () => void left.add(number),
              ),
            )
          } else if (what === 'leave') inside[key]?.shift()?.()
          else signals.findLast((signal) => signal.key === key)?.controller.abort(new Error('enough'))
          for (let turns = 0; turns < 5; turns += 1) await Promise.resolve()
          expect(Math.max(...Object.values(inside).map(({ length }) => length))).toBeLessThanOrEqual(max)
        }
        for (let turns = 0; turns < steps.length + 1; turns += 1) {
          for (const places of Object.values(inside)) for (const leave of places.splice(0)) leave()
          for (let micro = 0; micro < 5; micro += 1) await Promise.resolve()
        }
        await Promise.all(entering)
        for (const key of ['a', 'b']) {
          const came = signals.flatMap((one) =>
            one.key === key && !left.has(one.number) ? [one.number] : [],
          )
          expect(order[key]).toEqual(came)
        }
      }),
      runs(200),
    )
  })
})
