import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FrameStream } from '../../../src/network/network.ts'
import { START } from '../../../src/room/reconciler.ts'
import { SyncServer } from '../../../src/room/sync-server.ts'
import { memoryStreams } from '../../../src/testing/memory-stream.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { decodeSync, encodeSync, type SyncFrame } from '../../../src/wire/sync.ts'
import { NOW, testAuthor, testPeerId, unsignedBy } from '../../support/authors.ts'
import { askForAll, eventsFrame, lastTurn } from '../../support/sync.ts'

const ada = testAuthor(1)
let clock: ManualClock
let timeline: SignedEvent[]
let admitted: [jwts: string[], peerId: string][]
let server: SyncServer

beforeEach(() => {
  clock = new ManualClock(NOW)
  timeline = [1, 2, 3].map((ms) => unsignedBy(ada, 'message', { text: `${ms}` }, { at: NOW + ms }))
  admitted = []
  server = new SyncServer({
    clock,
    contents: () => ({ roster: [], timeline, floor: START, isCurrent: () => true }),
    admitAll: async (jwts, peerId) => {
      admitted.push([jwts, peerId])
      return { rejected: jwts.includes('forged') }
    },
  })
})

/** What somebody says who has something that is not there: it is asked for that, and waited for. */
const patient = encodeSync({
  kind: 'open',
  salt: new Uint8Array(16),
  floor: START,
  roster: [],
  timeline: [{ upper: undefined, kind: 'ids', ids: ['12345678'] }],
})

interface Asked {
  stream: FrameStream
  served: Promise<void>
  frames: () => Promise<(SyncFrame | undefined)[]>
}

/** Opens a stream, and says this; `closes` its end then, as somebody with nothing more to say. */
async function ask(peer: number, frames: Uint8Array<ArrayBuffer>[], closes = true): Promise<Asked> {
  const [here, there] = memoryStreams()
  const served = server.serve(there, testPeerId(peer))
  for (const frame of frames) await here.send(frame)
  if (closes) await here.close()
  return {
    stream: here,
    served,
    frames: async () => {
      const answers: (SyncFrame | undefined)[] = []
      for await (const frame of here.frames) answers.push(decodeSync(frame))
      return answers
    },
  }
}

async function isBroken({ stream }: Asked): Promise<boolean> {
  return stream.send(lastTurn()).then(
    () => false,
    () => true,
  )
}

const kinds = async (asked: Asked): Promise<(string | undefined)[]> =>
  (await asked.frames()).map((frame) => frame?.kind)

describe('who is asked to compare', () => {
  it('closes its end where the other side closes without a question', async () => {
    const asked = await ask(1, [])
    await asked.served
    expect(await asked.frames()).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('sends what the other side misses', async () => {
    const asked = await ask(1, [askForAll()])
    const [events, turn] = await asked.frames()
    expect(events).toEqual({ kind: 'events', jwts: timeline.map(({ jwt }) => jwt) })
    expect(turn?.kind).toBe('turn')
    await asked.served
  })

  it('takes what it misses itself, from this peer', async () => {
    const asked = await ask(7, [patient, eventsFrame('one', 'two'), lastTurn()])
    await asked.served
    expect(admitted).toEqual([[['one', 'two'], testPeerId(7)]])
  })

  it('breaks off when it is sent a forgery', async () => {
    const asked = await ask(1, [patient, eventsFrame('forged')], false)
    await asked.served
    expect(await isBroken(asked)).toBe(true)
  })

  it.each([
    ['rubbish', new Uint8Array([9, 9])],
    ['nothing', new Uint8Array()],
    ['events first', eventsFrame('unasked')],
    ['a turn first', lastTurn()],
  ])('breaks off when it is told %s', async (_what, frame) => {
    const asked = await ask(1, [frame], false)
    await asked.served
    expect(await isBroken(asked)).toBe(true)
    expect(admitted).toEqual([])
  })

  it('is not harmed by a stream that ends or breaks before anything is said', async () => {
    const ended = await ask(1, [])
    await ended.served
    const broken = await ask(2, [], false)
    broken.stream.abort(new Error('gone'))
    await broken.served
  })

  it('does so 8 times in a row for one peer, then once in 10 s; others do not wait for it', async () => {
    const answers: (string | undefined)[] = []
    for (let time = 0; time < 10; time += 1) answers.push((await kinds(await ask(1, [askForAll()]))).at(-1))
    expect(answers).toEqual([...Array.from({ length: 8 }, () => 'turn'), 'busy', 'busy'])
    expect((await kinds(await ask(2, [askForAll()]))).at(-1)).toBe('turn')
    await clock.advance(10_000)
    expect((await kinds(await ask(1, [askForAll()]))).at(-1)).toBe('turn')
    expect((await kinds(await ask(1, [askForAll()]))).at(-1)).toBe('busy')
  })

  it('does so 4 times at once, twice for one peer', async () => {
    const open = [await ask(1, [patient], false), await ask(1, [patient], false)]
    await settle()
    expect(await kinds(await ask(1, [askForAll()]))).toEqual(['busy'])
    open.push(await ask(2, [patient], false), await ask(3, [patient], false))
    await settle()
    expect(await kinds(await ask(4, [askForAll()]))).toEqual(['busy'])
    for (const { stream } of open) stream.abort(new Error('gone'))
    await Promise.all(open.map(({ served }) => served))
    expect((await kinds(await ask(4, [askForAll()]))).at(-1)).toBe('turn')
  })

  it('waits 10 s for somebody to say something, and gives no place away meanwhile', async () => {
    const silent = await Promise.all([1, 2, 3, 4, 5].map((peer) => ask(peer, [], false)))
    await settle()
    expect((await kinds(await ask(6, [askForAll()]))).at(-1)).toBe('turn')
    await clock.advance(10_000)
    await Promise.all(silent.map(({ served }) => served))
    expect(await Promise.all(silent.map(isBroken))).toEqual(silent.map(() => true))
  })
})
