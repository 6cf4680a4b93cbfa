import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { FRAME_MAX_BYTES } from '../../../src/limits.ts'
import type { FrameStream } from '../../../src/network/network.ts'
import { START } from '../../../src/room/reconciler.ts'
import {
  type SyncContents,
  type SyncOutcome,
  SyncRefusal,
  SyncSession,
} from '../../../src/room/sync-session.ts'
import { memoryStreams } from '../../../src/testing/memory-stream.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { type Bound, decodeSync, encodeSync, type Range, SALT_BYTES } from '../../../src/wire/sync.ts'
import { NOW, testAuthor, testPeerId, unsignedBy } from '../../support/authors.ts'
import { eventsFrame, lastTurn } from '../../support/sync.ts'

const ada = testAuthor(1)
const salt = new Uint8Array(SALT_BYTES)
let clock: ManualClock

beforeEach(() => {
  clock = new ManualClock(NOW)
})

const messages = (count: number, from = 0): SignedEvent[] =>
  Array.from({ length: count }, (_, index) =>
    unsignedBy(ada, 'message', { text: `${from + index}` }, { at: NOW + from + index }),
  )
const presences = (count: number): SignedEvent[] =>
  Array.from({ length: count }, (_, index) =>
    unsignedBy(testAuthor(1), 'presence', { peer: testPeerId(index), data: {} }, { at: NOW + index }),
  )

interface Side {
  contents: SyncContents
  session: SyncSession
  received: string[]
  stream: FrameStream
}

function side(
  stream: FrameStream,
  contents: Partial<SyncContents>,
  isForged = (_jwt: string): boolean => false,
): Side {
  const received: string[] = []
  const whole = { roster: [], timeline: [], floor: START, isCurrent: () => true, ...contents }
  const admitAll = async (jwts: string[]): Promise<{ rejected: boolean }> => {
    received.push(...jwts)
    return { rejected: jwts.some(isForged) }
  }
  return {
    contents: whole,
    received,
    stream,
    session: new SyncSession({ stream, clock, contents: whole, salt, admitAll }),
  }
}

/** Two devices compare. */
async function compare(
  opener: Partial<SyncContents>,
  other: Partial<SyncContents>,
  question?: { limit: number; before?: Bound },
): Promise<{ opener: Side; other: Side; outcome: SyncOutcome }> {
  const [here, there] = memoryStreams()
  const [a, b] = [side(here, opener), side(there, other)]
  const joining = (async () => {
    const first = await there.frames[Symbol.asyncIterator]().next()
    const said = decodeSync(first.value)
    if (said?.kind !== 'open') throw new Error('no opening')
    await b.session.join(said)
  })()
  const outcome = await a.session.open(question)
  await joining
  return { opener: a, other: b, outcome }
}

/** A session with a peer that answers these frames, whatever is said to it. */
async function against(
  frames: Uint8Array<ArrayBuffer>[],
  options: { closes?: boolean; isForged?: (jwt: string) => boolean; question?: { limit: number } } = {},
): Promise<{ outcome: unknown; received: string[]; broken: boolean }> {
  const { closes = true, isForged, question } = options
  const [here, there] = memoryStreams()
  const { session, received } = side(here, {}, isForged)
  for (const frame of frames) await there.send(frame)
  if (closes) await there.close()
  const asking = session.open(question).catch((thrown: unknown) => thrown)
  await settle()
  await clock.advance(closes ? 0 : 60_000)
  const outcome = await asking
  const broken = await there.send(lastTurn()).then(
    () => false,
    () => true,
  )
  return { outcome, received, broken }
}

const jwtsOf = (events: readonly SignedEvent[]): string[] => events.map(({ jwt }) => jwt)

describe('a comparison', () => {
  it('brings both sides what they miss, oldest first, of the roster and of the timeline', async () => {
    const [all, devices] = [messages(40), presences(4)]
    const { opener, other, outcome } = await compare(
      { timeline: all.slice(0, 30), roster: devices.slice(0, 3) },
      { timeline: all.slice(10), roster: devices.slice(1) },
    )
    expect(opener.received).toEqual(jwtsOf([...devices.slice(3), ...all.slice(30)]))
    expect(other.received).toEqual(jwtsOf([...devices.slice(0, 1), ...all.slice(0, 10)]))
    expect(outcome).toEqual({ floor: START, restBefore: undefined, isCut: false })
  })

  it('gives away nothing that was deleted since it began, also between two frames', async () => {
    const all = messages(200)
    const deleted = new Set([all[3], all[150]])
    let asked = 0
    // The second one is deleted while the first frames are on their way.
    const isCurrent = (event: SignedEvent): boolean => {
      asked += 1
      return !(event === all[3] || (event === all[150] && asked > 100))
    }
    const { opener } = await compare({}, { timeline: all, isCurrent })
    expect(opener.received).toEqual(jwtsOf(all.filter((event) => !deleted.has(event))))
  })

  it('says where what the peer keeps begins', async () => {
    const floor = { timestamp: NOW + 5, prefix: '' }
    const { opener, outcome } = await compare({}, { timeline: messages(10), floor })
    expect(outcome.floor).toEqual(floor)
    expect(opener.received).toEqual(
      jwtsOf(messages(10))
        .slice(5)
        .map(() => expect.any(String)),
    )
  })

  it('brings the newest where only these are asked for, and says where the rest begins', async () => {
    const all = messages(120)
    const { opener, outcome } = await compare({}, { timeline: all }, { limit: 30 })
    expect(opener.received).toEqual(jwtsOf(all.slice(90)))
    expect(outcome.restBefore).toEqual({ timestamp: NOW + 90, prefix: '' })
    const before = { timestamp: NOW + 20, prefix: '' }
    const older = await compare({}, { timeline: all }, { limit: 30, before })
    expect(older.opener.received).toEqual(jwtsOf(all.slice(0, 20)))
    expect(older.outcome.restBefore).toBeUndefined()
  })

  it('brings none where none are asked for, and leaves nothing out by that', async () => {
    const { opener, outcome } = await compare({}, { timeline: messages(5) }, { limit: 0 })
    expect(opener.received).toEqual([])
    expect(outcome).toEqual({ floor: START, restBefore: undefined, isCut: false })
  })

  it('sends 100 at most where the newest are asked for', async () => {
    const { opener, outcome } = await compare({}, { timeline: messages(300) }, { limit: 1_000 })
    expect(opener.received).toHaveLength(100)
    expect(outcome.restBefore).toEqual({ timestamp: NOW + 200, prefix: '' })
  })

  it('sends 500 devices at most, the latest ones', async () => {
    const devices = presences(600)
    const { opener } = await compare({}, { roster: devices })
    expect(new Set(opener.received)).toEqual(new Set(jwtsOf(devices.slice(100))))
  })

  it('sends 4 MiB at most, the newest, and says that it left something out', async () => {
    const all = messages(300).map((event) => ({ ...event, jwt: event.jwt.padEnd(16_000, 'x') }))
    const { opener, outcome } = await compare({}, { timeline: all })
    expect(opener.received).toEqual(jwtsOf(all.slice(-262)))
    expect(outcome.isCut).toBe(true)
  })

  it('sends frames that the wire allows', async () => {
    const all = messages(200).map((event) => ({ ...event, jwt: event.jwt.padEnd(900, 'x') }))
    const [here, there] = memoryStreams()
    const { session } = side(there, { timeline: all })
    const everything = [{ upper: undefined, kind: 'ids' as const, ids: [] }]
    const joining = session.join({ floor: START, roster: [], timeline: everything })
    for await (const frame of here.frames) {
      expect(frame.byteLength).toBeLessThanOrEqual(32_768)
      const said = decodeSync(frame)
      if (said?.kind === 'events') expect(said.jwts.length).toBeLessThanOrEqual(64)
      if (said?.kind === 'turn') await here.close()
    }
    await joining
  })
})

describe('a comparison with somebody who', () => {
  const refusal = expect.any(SyncRefusal)

  it('is busy ends', async () => {
    expect((await against([encodeSync({ kind: 'busy' })])).outcome).toEqual(refusal)
  })

  it('forges ends, and what came before it stays', async () => {
    const result = await against(
      [eventsFrame('right'), eventsFrame('forged'), eventsFrame('later'), lastTurn()],
      {
        isForged: (jwt) => jwt === 'forged',
      },
    )
    expect(result).toEqual({ outcome: refusal, received: ['right', 'forged'], broken: true })
  })

  it.each([
    ['rubbish', new Uint8Array([1, 2, 3])],
    ['JSON', new TextEncoder().encode('{"events":[]}')],
    ['nothing in a frame', new Uint8Array()],
    ['an opening of its own', encodeSync({ kind: 'open', salt, floor: START, roster: [], timeline: [] })],
  ])('says %s ends', async (_what, frame) => {
    expect(await against([frame, lastTurn()])).toMatchObject({ outcome: refusal, broken: true })
  })

  it.each([
    ['', undefined, 1_500],
    [' where the newest are asked for', { limit: 30 }, 530],
  ])('sends without end is cut off%s', async (_what, question, limit) => {
    const frames = Array.from({ length: 100 }, (_, index) =>
      eventsFrame(...Array.from({ length: 50 }, (__, line) => `line-${index}-${line}`)),
    )
    const { outcome, received } = await against(frames, question ? { question } : {})
    expect(outcome).toEqual(refusal)
    expect(received).toHaveLength(Math.floor(limit / 50) * 50)
  })

  it('asks without end is cut off', async () => {
    const all = [{ upper: undefined, kind: 'fingerprint' as const, fingerprint: '12345678' }]
    const turn = encodeSync({ kind: 'turn', floor: START, roster: [], timeline: all })
    const { outcome } = await against(Array.from({ length: 20 }, () => turn))
    expect(outcome).toEqual(refusal)
  })

  it('lists so much that the answer would be too long for a frame is given none', async () => {
    // Nobody has these, so all are asked for; and of what is behind them the answer has to tell.
    const ids = Array.from({ length: 4_080 }, (_, index) => String(index).padStart(8))
    const timeline: Range[] = [
      { upper: { timestamp: 1, prefix: '' }, kind: 'ids', ids },
      { upper: undefined, kind: 'fingerprint', fingerprint: '12345678' },
    ]
    const turn = { floor: START, roster: [], timeline }
    const question = encodeSync({ kind: 'open', salt, ...turn })
    expect(question.length).toBeLessThanOrEqual(FRAME_MAX_BYTES)
    expect(decodeSync(question)).toBeDefined()
    const [here, there] = memoryStreams()
    await expect(side(here, { timeline: messages(40) }).session.join(turn)).rejects.toThrow(SyncRefusal)
    await expect(there.frames[Symbol.asyncIterator]().next()).rejects.toThrow(SyncRefusal)
  })

  it('goes on after the end is not listened to', async () => {
    const { outcome, received } = await against([lastTurn(), eventsFrame('later')])
    expect(outcome).toMatchObject({ isCut: false })
    expect(received).toEqual([])
  })

  it('breaks off may be asked again', async () => {
    const { outcome } = await against([eventsFrame('right')])
    expect(outcome).toBeInstanceOf(Error)
    expect(outcome).not.toBeInstanceOf(SyncRefusal)
  })

  it('says nothing is given up after 10 s', async () => {
    const began = clock.now()
    const [here] = memoryStreams()
    const asking = side(here, {})
      .session.open()
      .catch((thrown: unknown) => [thrown, clock.now() - began])
    await clock.advance(10_000)
    expect(await asking).toEqual([refusal, 10_000])
  })

  it('says a little now and then is given up after a minute', async () => {
    const began = clock.now()
    const [here, there] = memoryStreams()
    const asking = side(here, {})
      .session.open()
      .catch((thrown: unknown) => [thrown, clock.now() - began])
    for (let time = 0; time < 20; time += 1) {
      await there.send(eventsFrame(`line-${time}`)).catch(() => {})
      await clock.advance(5_000)
    }
    expect(await asking).toEqual([refusal, 60_000])
  })
})
