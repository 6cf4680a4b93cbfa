import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../src/logger.ts'
import type { Channel } from '../../../src/network/network.ts'
import { type Random, systemRandom } from '../../../src/random.ts'
import { CatchUp } from '../../../src/room/catch-up.ts'
import type { RoomListener } from '../../../src/room/listener.ts'
import { Message } from '../../../src/room/message.ts'
import { START } from '../../../src/room/reconciler.ts'
import type { Recovery } from '../../../src/room/recovery.ts'
import type { RoomState } from '../../../src/room/state.ts'
import type { SyncOutcome } from '../../../src/room/sync-session.ts'
import { Timeline } from '../../../src/room/timeline.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import type { EventId } from '../../../src/wire/event-id.ts'
import { messageBy, NOW, testAuthor } from '../../support/authors.ts'

const ada = testAuthor(1)
const WHOLE: SyncOutcome = { floor: START, restBefore: undefined, isCut: false }

/** Looks without a reason, and what is passed on, come after all other tests unless they want it otherwise. */
const random: Random = { ...systemRandom, fraction: () => fraction }
/** The timer of the next look without a reason. */
const QUIET = 1

let fraction: number
let clock: ManualClock
let timeline: Timeline
let members: string[]
/** Who is asked how: how many, who first, and when. */
let rounds: { peers: number | undefined; first: readonly string[] | undefined; at: number }[]
/** What those who are asked answer; nothing where they do not. */
let answers: SyncOutcome[]
/** Happens while somebody is asked. */
let whileAsking: () => Promise<void> | void
let told: unknown[][]
/** Whether gossip has not brought what comparisons did. */
let passesOn: boolean
let catchUp: CatchUp

beforeEach(() => {
  fraction = 1_000
  clock = new ManualClock(NOW)
  timeline = new Timeline()
  members = ['a', 'b', 'c']
  rounds = []
  answers = [WHOLE]
  whileAsking = () => {}
  told = []
  passesOn = false
  const recovery: Pick<Recovery, 'candidates' | 'run'> = {
    candidates: () => members,
    async run(_ask, { signal, peers, first }) {
      rounds.push({ peers, first, at: clock.now() - NOW })
      await whileAsking()
      signal.throwIfAborted()
      return answers as never[]
    },
  }
  const state: Partial<RoomState> = {
    timeline,
    roster: { events: () => [] } as unknown as RoomState['roster'],
    passOn: () => passesOn,
    reveal: (messages: readonly Message[]) => [...messages],
    countMessages: () => timeline.slice(Number.POSITIVE_INFINITY).events.length,
    messages: (limit: number) =>
      timeline.slice(limit).events.map((event) => new Message(event as never, 'sent')),
  }
  const listener: Partial<RoomListener> = {
    backlog: (messages) => told.push(['backlog', ...messages.map(({ text }) => text)]),
    message: ({ text }) => told.push(['message', text]),
    recovered: ({ complete, count }) => told.push(['recovered', complete, count]),
  }
  catchUp = new CatchUp({
    clock,
    random,
    logger: silentLogger,
    listener: listener as RoomListener,
    state: state as RoomState,
    recovery: recovery as Recovery,
    backlogLimit: 50,
    onCompared: () => {},
  })
  catchUp.open({ publish: async () => 1 } as unknown as Channel)
})

const times = (): number[] => rounds.map(({ at }) => at)
const said = (text: string, options: { at?: number; parents?: EventId[] } = {}): SignedEvent<'message'> =>
  messageBy(ada, text, options)
const messageOf = (event: SignedEvent<'message'>): Message => new Message(event, 'sent')
/** A peer sent these, because it saw that they were missing here. */
const receive = (...events: SignedEvent<'message'>[]): void => catchUp.received(events, events.map(messageOf))
/** An event that names one that is not here comes from `b`. */
function showGap(text = 'later'): { lost: SignedEvent<'message'>; shown: SignedEvent<'message'> } {
  const lost = said(`before ${text}`, { at: clock.now() })
  const shown = said(text, { at: clock.now() + 1, parents: [lost.id] })
  timeline.add(shown, clock.now())
  catchUp.arrived(shown, ['b'])
  return { lost, shown }
}

describe('after a connection was made, a device', () => {
  it('asks one member, and two more three seconds later', async () => {
    catchUp.connected()
    await clock.advance(2_999)
    expect(rounds).toEqual([{ peers: 1, first: undefined, at: 0 }])
    await clock.advance(1)
    expect(rounds[1]).toEqual({ peers: 2, first: undefined, at: 3_000 })
  })

  it('that came as a newcomer looks once more, and then no more while nothing is missing', async () => {
    answers = []
    catchUp.connected()
    await clock.advance(1_000)
    answers = [WHOLE]
    await clock.advance(120_000)
    expect(times()).toEqual([0, 3_000, 6_000])
    expect(clock.pending).toBe(QUIET)
  })

  it('looks a second time once, however often it is connected meanwhile', async () => {
    catchUp.connected()
    await clock.advance(1_000)
    catchUp.connected()
    await clock.advance(60_000)
    expect(times()).toEqual([0, 1_000, 4_000])
  })

  it('looks again where nobody answers, after pauses that double up to 24 s', async () => {
    answers = []
    catchUp.connected()
    await clock.advance(100_000)
    expect(times()).toEqual([0, 3_000, 9_000, 21_000, 45_000, 69_000, 93_000])
    answers = [WHOLE]
    await clock.advance(100_000)
    expect(clock.pending).toBe(QUIET)
  })

  it('looks no further where nobody is there', async () => {
    members = []
    answers = []
    catchUp.connected()
    await clock.advance(120_000)
    expect(times()).toEqual([0, 3_000])
    expect(told).toEqual([['backlog'], ['recovered', true, 0]])
  })

  it('looks no more once the room is left, and tells nothing', async () => {
    catchUp.connected()
    catchUp.close(new Error('left'))
    await clock.advance(60_000)
    expect(times()).toEqual([0])
    expect(told).toEqual([])
    expect(clock.pending).toBe(0)
  })
})

describe('what a device brings into a comparison', () => {
  it('is what it keeps from a minute before it came, until it knows how far its history goes', async () => {
    expect(catchUp.contents().floor).toEqual({ timestamp: NOW - 60_000, prefix: '' })
    members = []
    catchUp.connected()
    await settle()
    expect(catchUp.contents().floor).toEqual({ timestamp: NOW - 86_400_000, prefix: '' })
  })

  it('is nothing that has expired', async () => {
    const [short, long] = [messageBy(ada, 'short', { livesMs: 1_000 }), said('long', { at: NOW + 1 })]
    for (const event of [short, long]) timeline.add(event, NOW)
    expect(catchUp.contents().timeline).toEqual([short, long])
    await clock.advance(1_000)
    expect(catchUp.contents().timeline).toEqual([long])
  })
})

describe('what others name and is not here', () => {
  it('is left out of the heads, with all that builds on it', () => {
    const first = said('first')
    timeline.add(first, NOW)
    expect(catchUp.heads()).toEqual([first.id])
    const { shown } = showGap()
    timeline.add(said('built on it', { at: NOW + 2, parents: [shown.id] }), NOW)
    expect(catchUp.heads()).toEqual([first.id])
  })

  it('is asked for after 1.5 s, of the device that named it first, unless it came', async () => {
    showGap()
    await clock.advance(1_499)
    expect(rounds).toEqual([])
    await clock.advance(1)
    expect(rounds).toEqual([{ peers: 1, first: ['b'], at: 1_500 }])
  })

  it('is not looked for where all that is named is here', async () => {
    const first = said('first')
    timeline.add(first, NOW)
    catchUp.arrived(said('next', { at: NOW + 1, parents: [first.id] }), ['b'])
    expect(clock.pending).toBe(1) // the wait for a connection
  })

  it('is not asked for where it came meanwhile', async () => {
    const { lost } = showGap()
    await clock.advance(1_000)
    timeline.add(lost, clock.now())
    await clock.advance(60_000)
    expect(rounds).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('is asked for again after pauses that double up to a minute, and no more when it came', async () => {
    const { lost } = showGap()
    await clock.advance(250_000)
    expect(times()).toEqual([1_500, 4_500, 10_500, 22_500, 46_500, 94_500, 154_500, 214_500])
    timeline.add(lost, clock.now())
    await clock.advance(60_000)
    expect(clock.pending).toBe(QUIET)
  })

  it('sets no timer any more when it came', async () => {
    const { lost } = showGap()
    whileAsking = () => void timeline.add(lost, clock.now())
    await clock.advance(1_500)
    expect(rounds).toHaveLength(1)
    expect(clock.pending).toBe(1 + QUIET) // the wait for a connection
  })

  it('is asked for soon again where something of it came', async () => {
    showGap('one')
    const { lost } = showGap('two')
    await clock.advance(20_000)
    whileAsking = () => void timeline.add(lost, clock.now())
    await clock.advance(10_000)
    expect(times()).toEqual([1_500, 4_500, 10_500, 22_500, 24_000, 27_000])
  })

  it('does not bring a look each time somebody names what does not exist, but after a quiet minute', async () => {
    const one = showGap('one')
    await clock.advance(10_500)
    timeline.add(one.lost, clock.now())
    await clock.advance(20_000)
    expect(clock.pending).toBe(QUIET)
    // The pause is what it came to, until a minute after the last look.
    const before = times().length
    const two = showGap('two')
    await clock.advance(1_500)
    expect(times().length).toBe(before)
    timeline.add(two.lost, clock.now())
    await clock.advance(90_000)
    const three = showGap('three')
    await clock.advance(1_500)
    expect(times().length).toBe(before + 1)
    timeline.add(three.lost, clock.now())
  })

  it('is asked for no more once the room is left', async () => {
    showGap()
    catchUp.close(new Error('left'))
    await clock.advance(60_000)
    expect(rounds).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('is asked for no more where the room is left meanwhile', async () => {
    showGap()
    whileAsking = () => catchUp.close(new Error('left'))
    await clock.advance(60_000)
    expect(times()).toEqual([1_500])
    expect(clock.pending).toBe(0)
  })
})

describe('what a device tells', () => {
  const old = said('old', { at: NOW - 1_000 })
  const older = said('older', { at: NOW - 2_000 })
  const later = said('later', { at: NOW + 1 })

  it('is one backlog of what came from either side while it asked, in order, and what is new as such', async () => {
    whileAsking = () => receive(later, old)
    catchUp.connected()
    await settle()
    expect(told).toEqual([
      ['backlog', 'old'],
      ['message', 'later'],
      ['recovered', true, 2],
    ])
  })

  it('is in the backlog also where gossip brings it first, while what was written since is told at once', async () => {
    const own = said('own', { at: NOW })
    whileAsking = () => {
      catchUp.heard([messageOf(old)])
      catchUp.heard([messageOf(own), messageOf(older)])
      told.push(['asked'])
    }
    catchUp.connected()
    await settle()
    catchUp.heard([messageOf(said('late', { at: NOW - 3_000 }))])
    expect(told).toEqual([
      ['message', 'own'],
      ['asked'],
      ['backlog', 'older', 'old'],
      ['recovered', true, 2],
      ['message', 'late'],
    ])
  })

  it('is what came within 5 s where whoever brings it does not come to an end, and then each as it comes', async () => {
    let end = (): void => {}
    whileAsking = () => {
      whileAsking = () => {}
      receive(old)
      return new Promise((resolve) => {
        end = resolve
      })
    }
    const backlogs = (): unknown[] => told.filter(([what]) => what === 'backlog')
    catchUp.connected()
    await clock.advance(4_999)
    expect(backlogs()).toEqual([])
    await clock.advance(1)
    expect(backlogs()).toEqual([['backlog', 'old']])
    told.length = 0
    receive(older)
    end()
    await settle()
    expect(told).toEqual([
      ['backlog', 'older'],
      ['recovered', true, 1],
      ['recovered', true, 1],
    ])
  })

  it('is at each connection whether it has all, also where that is as before', async () => {
    catchUp.connected()
    await settle()
    catchUp.connected()
    await settle()
    expect(told).toEqual([['backlog'], ['recovered', true, 0], ['backlog'], ['recovered', true, 0]])
    await clock.advance(60_000)
    expect(told).toHaveLength(4)
  })

  it('is what a peer sends because it saw that it was missing here', async () => {
    catchUp.connected()
    await settle()
    told.length = 0
    receive(old)
    receive()
    expect(told).toEqual([
      ['backlog', 'old'],
      ['recovered', true, 1],
    ])
  })

  it('says of what a peer sent that it is all only where that was so before', async () => {
    answers = []
    catchUp.connected()
    await settle()
    receive(later)
    expect(told).toEqual([
      ['backlog'],
      ['recovered', false, 0],
      ['message', 'later'],
      ['recovered', false, 1],
    ])
  })

  it('is that not all was found where a comparison did not go to its end', async () => {
    answers = [{ ...WHOLE, isCut: true }]
    catchUp.connected()
    await settle()
    expect(told.at(-1)).toEqual(['recovered', false, 0])
  })

  it('is that something is missing while there is a gap, and that nothing is when it is closed, once each', async () => {
    const { lost } = showGap()
    catchUp.connected()
    await settle()
    expect(told).toEqual([['backlog'], ['recovered', false, 0]])
    await clock.advance(4_500)
    expect(told).toHaveLength(2)
    whileAsking = () => void timeline.add(lost, clock.now())
    await clock.advance(20_000)
    expect(told.slice(2)).toEqual([['recovered', true, 0]])
  })

  it('is nothing any more once the room is left', async () => {
    whileAsking = () => catchUp.close(new Error('left'))
    catchUp.connected()
    await settle()
    receive(old)
    expect(told).toEqual([])
  })
})

describe('a request for what was before', () => {
  it('waits for a connection for 5 s, and for what that brings', async () => {
    let isAnswered = false
    const asking = catchUp.request({ limit: 10 }).then(() => {
      isAnswered = true
    })
    await clock.advance(4_999)
    expect([isAnswered, rounds]).toEqual([false, []])
    await clock.advance(1)
    await asking
  })

  it('that came before there was a connection waits for what that brings, and no longer', async () => {
    let isAnswered = false
    let answer = (): void => {}
    whileAsking = () => new Promise((resolve) => (answer = resolve))
    const asking = catchUp.request({ limit: 10 }).then(() => {
      isAnswered = true
    })
    catchUp.connected()
    await settle()
    expect([isAnswered, rounds.length]).toEqual([false, 1])
    whileAsking = () => {}
    answer()
    await settle()
    expect(isAnswered).toBe(true)
    await asking
  })

  it('is answered without asking where enough is here', async () => {
    catchUp.connected()
    await settle()
    for (let number = 0; number < 3; number += 1) timeline.add(said(`${number}`, { at: NOW + number }), NOW)
    const before = rounds.length
    expect(await catchUp.request({ limit: 3 })).toHaveLength(3)
    expect(rounds).toHaveLength(before)
  })

  it('asks three members, and again once, where none has anything older', async () => {
    catchUp.connected()
    await settle()
    const before = rounds.length
    expect(await catchUp.request({ limit: 3 })).toEqual([])
    expect(rounds.slice(before).map(({ peers }) => peers)).toEqual([3, 3])
  })

  it('asks once where all that there is was asked for before', async () => {
    members = []
    catchUp.connected()
    await settle()
    members = ['a', 'b']
    const before = rounds.length
    await catchUp.request({ limit: 3 })
    expect(rounds).toHaveLength(before + 1)
  })

  it('asks nobody twice where nobody is there', async () => {
    catchUp.connected()
    await settle()
    const before = rounds.length
    whileAsking = () => {
      members = []
    }
    expect(await catchUp.request({ limit: 3 })).toEqual([])
    expect(rounds).toHaveLength(before + 1)
  })

  it('ends when the room is left', async () => {
    const asking = catchUp.request({ limit: 3 })
    catchUp.close(new Error('left'))
    await expect(asking).rejects.toThrow('left')
    await expect(catchUp.request({ limit: 3 })).rejects.toThrow('left')
    expect(clock.pending).toBe(0)
  })
})

describe('a look without a reason', () => {
  beforeEach(() => {
    fraction = 0.5
  })

  it('asks one member some time after a connection was made, and tells nothing where nothing was missing', async () => {
    catchUp.connected()
    await clock.advance(30_000)
    rounds.length = 0
    const before = told.length
    await clock.advance(10_000)
    expect(rounds).toEqual([{ peers: 1, first: undefined, at: 40_000 }])
    expect(told).toHaveLength(before)
  })

  it('tells nothing where nobody answers', async () => {
    catchUp.connected()
    await clock.advance(30_000)
    answers = []
    const before = told.length
    await clock.advance(10_000)
    expect(times()).toContain(40_000)
    expect(told).toHaveLength(before)
  })

  it('is taken soon after a gap, and by nobody who is alone or still a newcomer', async () => {
    members = []
    catchUp.connected()
    await clock.advance(3_600_000)
    expect(times()).toEqual([0, 3_000])
    members = ['a']
    const { lost } = showGap()
    await clock.advance(1_500)
    timeline.add(lost, clock.now())
    catchUp.connected()
    await clock.advance(10_000)
    rounds.length = 0
    await clock.advance(60_000)
    expect(times()).toEqual([3_600_000 + 1_500 + 40_000])
  })

  it.each([
    // From 2 s on it is known that gossip does not bring it.
    ['soon again after a peer brought what gossip does not', 0, true, 42_000],
    ['soon again after a peer brought what was there before the connection was made', -1, false, 40_000],
    ['when it is due after a peer brought what gossip brings, too', 0, false, 80_000],
  ])('is taken %s', async (_when, age, isLost, expected) => {
    passesOn = isLost
    catchUp.connected()
    // The second one, and no third one before 120 s.
    await clock.advance(40_000)
    rounds.length = 0
    receive(said('late', { at: NOW + age }))
    await clock.advance(80_000)
    expect(times()[0]).toBe(40_000 + expected)
  })
})
