import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FrameStream } from '../../../src/network/network.ts'
import { BacklogServer } from '../../../src/room/backlog-server.ts'
import { Roster } from '../../../src/room/roster.ts'
import { Timeline } from '../../../src/room/timeline.ts'
import { memoryStreams } from '../../../src/testing/memory-stream.ts'
import {
  type BacklogAnswer,
  type BacklogRequest,
  decodeAnswer,
  encodeRequest,
} from '../../../src/wire/backlog.ts'
import { positionOf } from '../../../src/wire/event.ts'
import { eventBy, messageBy, NOW, testAuthor, testPeerId } from '../../support/authors.ts'

const ada = testAuthor(1)
let clock: ManualClock
let roster: Roster
let timeline: Timeline
let server: BacklogServer

beforeEach(() => {
  clock = new ManualClock(NOW)
  roster = new Roster()
  timeline = new Timeline()
  server = new BacklogServer({ clock, roster, timeline })
})

const all: BacklogRequest = { limit: 100, roster: true }

async function read(stream: FrameStream): Promise<BacklogAnswer[]> {
  const answers: BacklogAnswer[] = []
  for await (const frame of stream.frames) {
    const answer = decodeAnswer(frame)
    if (answer === undefined) throw new Error('the server answered rubbish')
    answers.push(answer)
  }
  return answers
}

/** Asks the server; what it answers, or that it broke the stream off. */
async function ask(request: BacklogRequest | Uint8Array<ArrayBuffer>, peer = 1): Promise<BacklogAnswer[]> {
  const [here, there] = memoryStreams()
  const served = server.serve(there, testPeerId(peer))
  await here.send(request instanceof Uint8Array ? request : encodeRequest(request))
  const answers = await read(here)
  await served
  return answers
}

const jwtsOf = (answers: BacklogAnswer[]): string[] =>
  answers.flatMap((answer) => (answer.kind === 'events' ? answer.jwts : []))

describe('the backlog server', () => {
  it('answers original JWTs, the oldest first, and whether there are older ones', async () => {
    const events = [1, 2, 3].map((ms) => messageBy(ada, `${ms}`, { at: NOW + ms }))
    for (const event of events) timeline.add(event, NOW)
    expect(jwtsOf(await ask(all))).toEqual(events.map(({ jwt }) => jwt))
    expect((await ask(all)).at(-1)).toEqual({ kind: 'done', more: false })
    const two = await ask({ limit: 2, roster: false })
    expect(jwtsOf(two)).toEqual(events.slice(1).map(({ jwt }) => jwt))
    expect(two.at(-1)).toEqual({ kind: 'done', more: true })
  })

  it('answers what lies before a place', async () => {
    const events = [1, 2, 3].map((ms) => messageBy(ada, `${ms}`, { at: NOW + ms }))
    for (const event of events) timeline.add(event, NOW)
    const [, , last] = events
    if (last === undefined) throw new Error('three events')
    expect(jwtsOf(await ask({ ...all, before: positionOf(last) }))).toEqual(
      events.slice(0, 2).map(({ jwt }) => jwt),
    )
  })

  it('answers the roster only to whom asks for it', async () => {
    const join = eventBy(ada, 'join', { peer: testPeerId(1), data: {} })
    const leave = eventBy(testAuthor(2), 'leave', { peer: testPeerId(2) }, { at: NOW + 1 })
    roster.apply(join)
    roster.apply(leave)
    expect(jwtsOf(await ask({ limit: 0, roster: true }))).toEqual([leave.jwt, join.jwt])
    expect(await ask({ limit: 0, roster: false })).toEqual([{ kind: 'done', more: false }])
  })

  it('answers 100 events and 256 KiB at most, and says that there are more', async () => {
    for (let ms = 0; ms < 150; ms += 1) timeline.add(messageBy(ada, 'x'.repeat(4_000), { at: NOW + ms }), NOW)
    const answers = await ask(all)
    const jwts = jwtsOf(answers)
    const bytes = jwts.reduce((sum, jwt) => sum + jwt.length, 0)
    expect(bytes).toBeLessThanOrEqual(256 * 1024)
    expect(bytes).toBeGreaterThan(250 * 1024)
    expect(jwts.length).toBeLessThan(100)
    expect(jwts.at(-1)).toBe(timeline.slice(1).events[0]?.jwt)
    expect(answers.at(-1)).toEqual({ kind: 'done', more: true })
  })

  it('answers frames that the wire allows', async () => {
    for (let ms = 0; ms < 200; ms += 1) timeline.add(messageBy(ada, `${ms}`, { at: NOW + ms }), NOW)
    for (let number = 0; number < 200; number += 1) {
      roster.apply(eventBy(testAuthor(number), 'join', { peer: testPeerId(number), data: {} }))
    }
    const answers = await ask(all)
    const frames = answers.flatMap((answer) => (answer.kind === 'events' ? [answer.jwts] : []))
    expect(frames.flat()).toHaveLength(300)
    expect(frames.every((jwts) => jwts.length <= 64 && jwts.join('\n').length <= 32 * 1024)).toBe(true)
  })

  it('answers 500 devices at most', async () => {
    for (let number = 0; number < 510; number += 1) {
      roster.apply(eventBy(ada, 'join', { peer: testPeerId(number), data: {} }, { at: NOW + number }))
    }
    expect(jwtsOf(await ask({ limit: 0, roster: true }))).toHaveLength(500)
  })
})

describe('the limits of the backlog server', () => {
  const busy = [{ kind: 'busy' }]
  const done = [{ kind: 'done', more: false }]

  it('4 answers to a peer in a row, then one in 30 s', async () => {
    for (let time = 0; time < 4; time += 1) expect(await ask(all)).toEqual(done)
    expect(await ask(all)).toEqual(busy)
    expect(await ask(all, 2)).toEqual(done)
    await clock.advance(29_999)
    expect(await ask(all)).toEqual(busy)
    await clock.advance(1)
    expect(await ask(all)).toEqual(done)
    expect(await ask(all)).toEqual(busy)
    await clock.advance(120_000)
    for (let time = 0; time < 4; time += 1) expect(await ask(all)).toEqual(done)
    expect(await ask(all)).toEqual(busy)
  })

  /** Asks, and does not read the answer until `read` is called. */
  function slowReader(peer: number): { read: () => void; served: Promise<void> } {
    let read = (): void => {}
    const reading = new Promise<void>((resolve) => {
      read = resolve
    })
    const stream: FrameStream = {
      frames: (async function* () {
        yield encodeRequest(all)
      })(),
      send: () => reading,
      close: async () => {},
      abort: () => read(),
    }
    return { read, served: server.serve(stream, testPeerId(peer)) }
  }

  it('4 answers at once', async () => {
    const readers = [1, 2, 3, 4].map(slowReader)
    expect(await ask(all, 5)).toEqual(busy)
    readers[0]?.read()
    await readers[0]?.served
    expect(await ask(all, 5)).toEqual(done)
    for (const { read } of readers) read()
  })

  it('2 of them for one peer', async () => {
    const readers = [slowReader(1), slowReader(1)]
    expect(await ask(all, 1)).toEqual(busy)
    expect(await ask(all, 2)).toEqual(done)
    for (const { read } of readers) read()
  })

  it('10 s to ask: who asks nothing holds no place meanwhile', async () => {
    const stalled = [1, 2, 3, 4].map((peer) => {
      const [here, there] = memoryStreams()
      return { here, served: server.serve(there, testPeerId(peer)) }
    })
    expect(await ask(all, 5)).toEqual(done)
    await clock.advance(10_000)
    await Promise.all(stalled.map(({ served }) => served))
    await Promise.all(stalled.map(({ here }) => expect(read(here)).rejects.toThrow('too long')))
    expect(clock.pending).toBe(0)
  })

  it('10 s for an answer: who does not read it holds no place', async () => {
    timeline.add(messageBy(ada, 'hello'), NOW)
    let aborted: Error | undefined
    const request = (async function* () {
      yield encodeRequest(all)
    })()
    const stuck: FrameStream = {
      frames: request,
      send: () =>
        new Promise((_resolve, reject) => {
          clock.after(10_000, () => reject(aborted ?? new Error('still open')))
        }),
      close: async () => {},
      abort: (reason) => {
        aborted = reason
      },
    }
    const served = server.serve(stuck, testPeerId(1))
    await settle()
    await clock.advance(10_000)
    await served
    expect(aborted?.message).toContain('too long')
  })

  it.each([
    ['rubbish', new TextEncoder().encode('hello')],
    ['too high a limit', new TextEncoder().encode('{"limit":1000,"roster":true}')],
    ['nothing', new Uint8Array()],
  ])('a request that is %s breaks the stream', async (_what, request) => {
    await expect(ask(request)).rejects.toThrow('malformed')
  })

  it('a stream that ends or breaks before it asks does no harm', async () => {
    const [ended, endedThere] = memoryStreams()
    await ended.close()
    await server.serve(endedThere, testPeerId(1))
    const [broken, brokenThere] = memoryStreams()
    broken.abort(new Error('broken'))
    await server.serve(brokenThere, testPeerId(1))
    expect(await ask(all)).toEqual(done)
    expect(clock.pending).toBe(0)
  })
})
