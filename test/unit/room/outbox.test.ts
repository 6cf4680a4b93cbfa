import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Outbox } from '../../../src/room/outbox.ts'
import { toMilliseconds } from '../../../src/wire/claims.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { decodeFrame } from '../../../src/wire/frame.ts'
import { messageBy, NOW, testAuthor, unsignedBy } from '../../support/authors.ts'
import { codeOf, settles, until } from '../../support/world.ts'

const ada = testAuthor(1)
let now = NOW
let isAlone: boolean
let hasNeighbours: boolean
let pace: (events: number) => number
let clock: ManualClock
let frames: string[][]
let fates: [string, string][]
let outdone: Set<string>
let publish: (frame: Uint8Array<ArrayBuffer>) => Promise<number>
let outbox: Outbox

const text = (event: SignedEvent): string => ('text' in event.claims ? event.claims.text : '')
const take = async (frame: Uint8Array<ArrayBuffer>): Promise<number> => {
  frames.push(decodeFrame(frame) ?? [])
  return 1
}
/** Takes a place and fills it. */
const add = async (event: SignedEvent): Promise<void> => (await outbox.reserve()).fill(event)
const unsigned = (body: string): SignedEvent => unsignedBy(ada, 'message', { text: body }) as SignedEvent
const nobody = async (): Promise<number> => 0

beforeEach(() => {
  now = NOW
  isAlone = false
  hasNeighbours = true
  pace = () => 0
  clock = new ManualClock(NOW)
  frames = []
  fates = []
  outdone = new Set()
  publish = take
  outbox = new Outbox({
    publish: (frame) => publish(frame),
    onFate: (event, fate) => fates.push([text(event), fate]),
    isOutdone: ({ id }) => outdone.has(id),
    clock: { now: () => now, after: (ms, task) => clock.after(ms, task) },
    hasNeighbours: () => hasNeighbours,
    pace: (events) => pace(events),
    isAlone: () => isAlone,
  })
})

describe('the outbox', () => {
  it('sends at once where somebody is there', async () => {
    const event = messageBy(ada, 'hello')
    await add(event)
    expect(frames).toEqual([[event.jwt]])
    expect(fates).toEqual([['hello', 'sent']])
  })

  it('keeps what finds nobody, in order, and sends it together', async () => {
    publish = nobody
    const events = ['1', '2', '3'].map((body) => messageBy(ada, body))
    for (const event of events) await add(event)
    expect(fates).toEqual([])
    publish = take
    await outbox.flush()
    expect(frames).toEqual([events.map(({ jwt }) => jwt)])
    expect(fates).toEqual([
      ['1', 'sent'],
      ['2', 'sent'],
      ['3', 'sent'],
    ])
    await outbox.flush()
    expect(frames).toHaveLength(1)
  })

  it('sends the same bytes at every attempt', async () => {
    const attempts: string[] = []
    publish = async (frame) => {
      attempts.push(new TextDecoder().decode(frame))
      return attempts.length < 3 ? 0 : 1
    }
    await add(messageBy(ada, 'hello'))
    await outbox.flush()
    await outbox.flush()
    expect(new Set(attempts).size).toBe(1)
    expect(attempts).toHaveLength(3)
  })

  it('fills a frame with 32 events at most', async () => {
    publish = nobody
    for (let number = 0; number < 70; number += 1) await add(unsigned(`${number}`))
    publish = take
    await outbox.flush()
    expect(frames.map(({ length }) => length)).toEqual([32, 32, 6])
    expect(fates.map(([body]) => body)).toEqual(Array.from({ length: 70 }, (_, number) => `${number}`))
  })

  it('fills a frame with 16 KiB at most, and sends a longer event alone', async () => {
    publish = nobody
    for (const length of [4_000, 4_000, 4_000, 10]) await add(messageBy(ada, 'x'.repeat(length)))
    publish = take
    await outbox.flush()
    expect(frames.map((frame) => frame.join('\n').length).every((bytes) => bytes <= 16 * 1024)).toBe(true)
    expect(frames.flat()).toHaveLength(4)
    expect(frames.length).toBeLessThan(4)
  })

  it('takes in what comes while it is sending', async () => {
    const releases: (() => void)[] = []
    publish = async (frame) => {
      await new Promise<void>((resolve) => releases.push(resolve))
      return take(frame)
    }
    const first = add(messageBy(ada, '1'))
    await until(() => releases.length === 1)
    const second = add(messageBy(ada, '2'))
    publish = take
    releases[0]?.()
    await Promise.all([first, second])
    expect(fates).toEqual([
      ['1', 'sent'],
      ['2', 'sent'],
    ])
    expect(frames).toHaveLength(2)
  })

  it('sends together what is signed at the same time: a full message at once, the rest when the last one is signed', async () => {
    const places = await Promise.all(Array.from({ length: 40 }, () => outbox.reserve()))
    const filling = places.slice(0, 39).map((place, index) => place.fill(unsigned(`${index}`)))
    await settle()
    expect(frames.map(({ length }) => length)).toEqual([32])
    await clock.advance(9)
    expect(frames).toHaveLength(1)
    await places[39]?.fill(unsigned('39'))
    await Promise.all(filling)
    expect(frames.map(({ length }) => length)).toEqual([32, 8])
    expect(fates.map(([body]) => body)).toEqual(Array.from({ length: 40 }, (_, index) => `${index}`))
    expect(clock.pending).toBe(0)
  })

  it('waits for what is being signed 10 ms at the most, and not for what is given up', async () => {
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => outbox.reserve()))
    void first?.fill(unsigned('1'))
    await clock.advance(10)
    expect(fates).toEqual([['1', 'sent']])
    void second?.fill(unsigned('2'))
    await settle()
    expect(fates).toHaveLength(1)
    third?.release()
    await settle()
    expect(fates).toHaveLength(2)
  })

  it('has who is over the pace wait for a place', async () => {
    pace = () => 1_000
    for (let number = 0; number < 1_000; number += 1) await add(unsigned('x'))
    const late = outbox.reserve()
    expect(await settles(late)).toBe(false)
    pace = () => 0
    await clock.advance(1_000)
    ;(await late).release()
  })

  describe.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])('at any time (%i microtasks)', (offset) => {
    const pass = async (): Promise<void> => {
      for (let step = 0; step < offset; step += 1) await Promise.resolve()
    }

    it('sends what is added after a flush that had nothing to send began', async () => {
      const place = await outbox.reserve()
      void outbox.flush()
      await pass()
      void place.fill(messageBy(ada, 'late'))
      await settle()
      expect(fates).toEqual([['late', 'sent']])
    })

    it('sends what is added after the last publish of a flush ended', async () => {
      const [first, second] = [await outbox.reserve(), await outbox.reserve()]
      publish = async (frame) => {
        publish = take
        void pass().then(() => second.fill(messageBy(ada, 'late')))
        return take(frame)
      }
      void first.fill(messageBy(ada, 'early'))
      await outbox.flush()
      await settle()
      expect(fates).toEqual([
        ['early', 'sent'],
        ['late', 'sent'],
      ])
    })

    it('sends what is added after a flush that found nobody', async () => {
      const [first, second] = [await outbox.reserve(), await outbox.reserve()]
      publish = async () => {
        publish = take
        void pass().then(() => second.fill(messageBy(ada, 'late')))
        return 0
      }
      void first.fill(messageBy(ada, 'early'))
      await outbox.flush()
      await settle()
      await outbox.flush()
      expect(fates).toEqual([
        ['early', 'sent'],
        ['late', 'sent'],
      ])
    })
  })

  it('keeps what a broken network did not take', async () => {
    publish = async () => Promise.reject(new Error('broken'))
    await add(messageBy(ada, 'hello'))
    expect(fates).toEqual([])
    publish = take
    await outbox.flush()
    expect(fates).toEqual([['hello', 'sent']])
  })

  it('tries again by itself where the network took nothing from who has neighbours, and not after the end', async () => {
    publish = nobody
    await add(messageBy(ada, 'hello'))
    await outbox.flush()
    expect(clock.pending).toBe(2)
    publish = take
    await clock.advance(5_000)
    expect(fates).toEqual([['hello', 'sent']])
    publish = nobody
    await add(messageBy(ada, 'again'))
    outbox.close()
    expect(clock.pending).toBe(0)
  })

  it('says what expired, and does not send it', async () => {
    publish = nobody
    const short = messageBy(ada, 'short', { livesMs: 1_000 })
    await add(short)
    await add(messageBy(ada, 'long'))
    publish = take
    now = toMilliseconds(short.claims.exp)
    await outbox.flush()
    expect(fates).toEqual([
      ['short', 'failed'],
      ['long', 'sent'],
    ])
    expect(frames.flat()).toHaveLength(1)
  })

  it('never sends what was deleted or replaced while it waited, and gives its place away', async () => {
    publish = nobody
    const events = ['1', '2', '3'].map((body) => messageBy(ada, body))
    for (const event of events) await add(event)
    for (let number = 3; number < 1_000; number += 1) await add(unsigned('x'))
    outdone.add(events[1]?.id ?? '')
    const place = await outbox.reserve()
    publish = take
    await outbox.flush()
    await clock.advance(10)
    expect(frames.flat()).toHaveLength(999)
    expect(frames.flat()).not.toContain(events[1]?.jwt)
    expect(fates.map(([body]) => body)).not.toContain('2')
    place.release()
  })

  it('hands the place of what was deleted to who waits for one', async () => {
    publish = nobody
    const event = messageBy(ada, 'gone')
    await add(event)
    for (let number = 1; number < 999; number += 1) await add(unsigned('x'))
    const last = await outbox.reserve()
    const waiting = outbox.reserve()
    await outbox.flush()
    expect(await settles(waiting)).toBe(false)
    outdone.add(event.id)
    await outbox.flush()
    expect(await settles(waiting)).toBe(true)
    for (const place of [last, await waiting]) place.release()
  })

  it('does not lose others when something is replaced while it is sent', async () => {
    publish = nobody
    const events = ['1', '2'].map((body) => messageBy(ada, body))
    for (const event of events) await add(event)
    publish = async (frame) => {
      outdone.add(events[0]?.id ?? '')
      void add(messageBy(ada, '3'))
      publish = take
      return take(frame)
    }
    await outbox.flush()
    expect(fates.map(([body]) => body)).toEqual(['1', '2', '3'])
  })

  it('has a place for 1,000', async () => {
    publish = nobody
    for (let number = 0; number < 1_000; number += 1) await add(unsigned(`${number}`))
    expect(await codeOf(() => outbox.reserve())).toBe('outbox-full')
    publish = take
    const place = await outbox.reserve()
    place.release()
    expect(fates).toHaveLength(1_000)
  })

  it('has no place for more when they all come at once', async () => {
    publish = nobody
    const places = Array.from({ length: 1_000 }, () => outbox.reserve())
    const late = [outbox.reserve(), outbox.reserve()].map((reserving) => codeOf(() => reserving))
    for (const place of await Promise.all(places)) void place.fill(unsigned('x'))
    expect(await Promise.all(late)).toEqual(['outbox-full', 'outbox-full'])
  })

  it('hands a place that was given up to who waits for one, once', async () => {
    publish = nobody
    const places = await Promise.all(Array.from({ length: 1_000 }, () => outbox.reserve()))
    const waiting = [outbox.reserve(), outbox.reserve()]
    places[0]?.release()
    places[0]?.release()
    const first = await waiting[0]
    expect(await settles(waiting[1] ?? Promise.resolve())).toBe(false)
    first?.release()
    ;(await waiting[1])?.release()
    for (const place of places) place.release()
    expect(await settles(outbox.reserve())).toBe(true)
  })

  it('lets who waits go on when somebody is found', async () => {
    publish = nobody
    for (let number = 0; number < 999; number += 1) await add(unsigned(`${number}`))
    const last = await outbox.reserve()
    const waiting = outbox.reserve()
    publish = take
    await last.fill(unsigned('last'))
    expect(await settles(waiting)).toBe(true)
    ;(await waiting).release()
  })

  describe('whose places are all taken', () => {
    /** 1,300 at once, of which nothing is sent for now. */
    const fill = (): Promise<void>[] =>
      Array.from({ length: 1_300 }, (_, number) => add(unsigned(`${number}`)))

    it('gives them away in the order in which they were asked for', async () => {
      pace = () => 60_000
      const order: number[] = []
      const numbers = Array.from({ length: 1_300 }, (_, number) => number)
      const asking = numbers.map(async (number) => {
        const place = await outbox.reserve()
        order.push(number)
        return place
      })
      // None is free by that, one after the other.
      for (const place of await Promise.all(asking.slice(0, 1_000))) {
        void place.fill(unsigned('x'))
        await Promise.resolve()
      }
      await settle()
      pace = () => 0
      await clock.advance(60_000)
      await Promise.all(asking)
      expect(order).toEqual(numbers)
    })

    it('lets nobody wait for one when it is closed', async () => {
      pace = () => 60_000
      const filling = fill()
      await settle()
      outbox.close()
      expect(await settles(Promise.all(filling))).toBe(true)
    })

    it('has none for who waits when there is nobody any more', async () => {
      pace = () => 60_000
      const filling = Promise.allSettled(fill())
      await settle()
      hasNeighbours = false
      await clock.advance(60_000)
      const failed = (await filling).flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []))
      expect(failed).toEqual(Array.from({ length: 300 }, () => 'outbox-full'))
    })
  })

  it('sends again what nobody acknowledged, each time beside an event that is new', async () => {
    const presence = unsignedBy(ada, 'presence', { peer: 'p', since: 1, data: {} }) as SignedEvent
    const events = ['1', '2', '3'].map((body) => messageBy(ada, body))
    for (const event of events) await add(event)
    outbox.acknowledge([events[1]?.id ?? '', 'unknown'])
    expect(fates.filter(([, fate]) => fate === 'acknowledged')).toEqual([['2', 'acknowledged']])
    now += 60 * 60_000
    expect(outbox.again(presence).map((frame) => decodeFrame(frame))).toEqual([
      [presence.jwt, events[0]?.jwt, events[2]?.jwt],
    ])
    outbox.acknowledge(events.map(({ id }) => id))
    expect(outbox.again(presence)).toEqual([])
    expect(fates).toHaveLength(6)
  })

  it('does not send again what was sent when nobody was there', async () => {
    const presence = unsignedBy(ada, 'presence', { peer: 'p', since: 1, data: {} }) as SignedEvent
    isAlone = true
    const event = messageBy(ada, 'hello')
    await add(event)
    isAlone = false
    expect(outbox.again(presence)).toEqual([])
    outbox.acknowledge([event.id])
    expect(fates.at(-1)).toEqual(['hello', 'acknowledged'])
  })

  it('waits its turn where it is sent faster than others take it, and leaves together then', async () => {
    let waitMs = 0
    const asked: number[] = []
    pace = (events) => {
      asked.push(events)
      return waitMs
    }
    await add(messageBy(ada, '1'))
    waitMs = 50
    await add(messageBy(ada, '2'))
    await add(messageBy(ada, '3'))
    expect(fates).toEqual([['1', 'sent']])
    await clock.advance(49)
    expect(frames).toHaveLength(1)
    waitMs = 0
    await clock.advance(1)
    expect(frames.map(({ length }) => length)).toEqual([1, 2])
    expect(asked).toEqual([1, 1, 2, 2])
    expect(fates.slice(1)).toEqual([
      ['2', 'sent'],
      ['3', 'sent'],
    ])
  })

  it('takes no turn while there is nobody to send to, and none after the end', async () => {
    let turns = 0
    pace = () => {
      turns += 1
      return 50
    }
    hasNeighbours = false
    await add(messageBy(ada, '1'))
    expect(turns).toBe(0)
    hasNeighbours = true
    await outbox.flush()
    outbox.close()
    await clock.advance(1_000)
    expect([turns, clock.pending]).toEqual([1, 0])
  })

  it('has failed what was still being signed at the end, and sends it to nobody', async () => {
    const place = await outbox.reserve()
    outbox.close()
    await place.fill(messageBy(ada, 'late'))
    expect([fates, frames]).toEqual([[['late', 'failed']], []])
  })

  it('says what was sent and expired before anybody acknowledged it', async () => {
    const presence = unsignedBy(ada, 'presence', { peer: 'p', since: 1, data: {} }) as SignedEvent
    const short = messageBy(ada, 'short', { livesMs: 1_000 })
    await add(short)
    now = toMilliseconds(short.claims.exp)
    expect(outbox.again(presence)).toEqual([])
    expect(fates).toEqual([
      ['short', 'sent'],
      ['short', 'failed'],
    ])
  })

  it('sends what comes after one that expires meanwhile, and that one has no other fate then', async () => {
    let go = (): void => {}
    publish = async (frame) => {
      await new Promise<void>((resolve) => {
        go = resolve
      })
      return take(frame)
    }
    const old = unsignedBy(ada, 'message', { text: 'old' }, { at: NOW, livesMs: 1_000 }) as SignedEvent
    const young = unsigned('young')
    const adding = add(old)
    await settle()
    const second = add(young)
    await settle()
    now = NOW + 2_000
    await clock.advance(2_000)
    expect(fates).toEqual([['old', 'failed']])
    go()
    await settle()
    go()
    await Promise.all([adding, second])
    expect(frames).toEqual([[old.jwt], [young.jwt]])
    expect(fates).toEqual([
      ['old', 'failed'],
      ['young', 'sent'],
    ])
  })

  it('that is closed while something waits for others has no timer left, and lets nobody wait', async () => {
    const [first] = await Promise.all([outbox.reserve(), outbox.reserve()])
    const filling = first?.fill(unsigned('1'))
    await settle()
    outbox.close()
    await filling
    expect(fates).toEqual([['1', 'failed']])
    expect(clock.pending).toBe(0)
  })

  it('remembers 1,000 that nobody acknowledged', async () => {
    const events = Array.from({ length: 1_001 }, (_, index) => unsigned(`${index}`))
    for (const event of events) await add(event)
    expect([...outbox.unacknowledged.keys()]).toEqual(events.slice(1).map(({ id }) => id))
    expect(fates.filter(([, fate]) => fate === 'failed')).toHaveLength(1)
  })

  it('does not send again what was deleted since', async () => {
    const presence = unsignedBy(ada, 'presence', { peer: 'p', since: 1, data: {} }) as SignedEvent
    const events = ['1', '2'].map((body) => messageBy(ada, body))
    for (const event of events) await add(event)
    outdone.add(events[0]?.id ?? '')
    expect(outbox.again(presence).map((frame) => decodeFrame(frame))).toEqual([
      [presence.jwt, events[1]?.jwt],
    ])
  })

  it('does not wait for an acknowledgement of what was deleted since', async () => {
    const [gone, kept] = [messageBy(ada, 'gone'), messageBy(ada, 'kept')]
    await add(gone)
    outdone.add(gone.id)
    await add(kept)
    expect([...outbox.unacknowledged.keys()]).toEqual([kept.id])
  })

  it('sends again also what leaves no room for another event', async () => {
    const presence = unsignedBy(ada, 'presence', {
      peer: 'p',
      since: 1,
      data: { a: 'x'.repeat(900) },
    }) as SignedEvent
    const long = { ...messageBy(ada, 'long'), jwt: 'x'.repeat(15_500) }
    await add(long)
    await add(messageBy(ada, 'short'))
    const sent = outbox.again(presence).flatMap((frame) => decodeFrame(frame) ?? [])
    expect(sent).toContain(long.jwt)
    expect(sent).toContain(presence.jwt)
  })
})
