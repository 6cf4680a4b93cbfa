import { ManualClock, settle } from 'ghostchat/testing'
import { expect, it } from 'vitest'
import { silentLogger } from '../../../src/logger.ts'
import type { Channel, FrameStream } from '../../../src/network/network.ts'
import { systemRandom } from '../../../src/random.ts'
import { CatchUp } from '../../../src/room/catch-up.ts'
import type { RoomListener } from '../../../src/room/listener.ts'
import { Message } from '../../../src/room/message.ts'
import { Recovery } from '../../../src/room/recovery.ts'
import type { RoomState } from '../../../src/room/state.ts'
import { Timeline } from '../../../src/room/timeline.ts'
import { memoryStreams } from '../../../src/testing/memory-stream.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { encodeSync } from '../../../src/wire/sync.ts'
import { eventBy, messageBy, NOW, testAuthor, testPeerId } from '../../support/authors.ts'
import { eventsFrame, lastTurn } from '../../support/sync.ts'

const [ada, carol] = [testAuthor(1), testAuthor(2)]
let clock: ManualClock
let timeline: Timeline
let told: boolean[]
/** Who was asked, in order. */
let asked: string[]
/** What each of them sends. */
let answers: Map<string, Uint8Array<ArrayBuffer>[]>
let members: string[]
/** What chance says; nothing, and it is chance. */
let fraction: number | undefined
let catchUp: CatchUp

const events = new Map<string, SignedEvent<'message'>>()
const said = (text: string, at: number, parents: SignedEvent['id'][] = []): SignedEvent<'message'> => {
  const event = messageBy(ada, text, { at: NOW + at, parents })
  events.set(event.jwt, event)
  return event
}

/** A room that asks for so many messages, with nobody in it. */
function enter(backlogLimit: number): void {
  clock = new ManualClock(NOW)
  events.clear()
  // Whoever comes first in the list is asked first.
  const random = { ...systemRandom, fraction: () => fraction ?? systemRandom.fraction() }
  timeline = new Timeline()
  told = []
  asked = []
  members = []
  const state: Partial<RoomState> = {
    timeline,
    roster: { events: () => [] } as unknown as RoomState['roster'],
    passOn: () => false,
    reveal: (messages: readonly Message[]) => [...messages],
    admitHistory: async (jwts: readonly string[]) => {
      const known = jwts.flatMap((jwt) => events.get(jwt) ?? [])
      for (const event of known) timeline.add(event, clock.now())
      const messages = known.map((event) => new Message(event, 'sent'))
      return { fresh: known, messages, timeline: known, untimely: 0, early: false, rejected: false }
    },
  }
  const listener: Partial<RoomListener> = {
    backlog: () => {},
    message: () => {},
    recovered: ({ complete }) => told.push(complete),
  }
  catchUp = new CatchUp({
    clock,
    random,
    logger: silentLogger,
    listener: listener as RoomListener,
    state: state as RoomState,
    recovery: new Recovery({ clock, random, logger: silentLogger, candidates: () => members }),
    backlogLimit,
    onCompared: () => {},
  })
  catchUp.open({
    open: async (peer: string) => openStream(peer),
    publish: async () => 1,
  } as unknown as Channel)
}

function openStream(peer: string): FrameStream {
  const [here, there] = memoryStreams()
  asked.push(peer)
  void (async () => {
    await there.frames[Symbol.asyncIterator]().next()
    for (const frame of answers.get(peer) ?? []) await there.send(frame)
    await there.close()
  })().catch(() => {})
  return here
}

const bound = (at: number) => ({ timestamp: NOW + at, prefix: '' })
const turnFrom = (floor: { timestamp: number; prefix: string }): Uint8Array<ArrayBuffer> =>
  encodeSync({ kind: 'turn', floor, roster: [], timeline: [{ upper: undefined, kind: 'same' }] })

it('three who came lately themselves do not say that what is older than what they keep is not missing', async () => {
  fraction = 0
  enter(100)
  const older = said('older', -1_000)
  const page = said('page', -10, [older.id])
  const late = [eventsFrame(page.jwt), turnFrom(bound(-20))]
  answers = new Map([
    ...['late 1', 'late 2', 'late 3'].map((peer) => [peer, late] as const),
    ['old', [eventsFrame(older.jwt, page.jwt), turnFrom({ timestamp: 0, prefix: '' })]],
  ])
  members = ['late 1', 'late 2', 'late 3', 'old']
  catchUp.connected()
  await settle()
  expect(asked).toEqual(['late 1'])
  expect(told).toEqual([false])
  members = ['late 2', 'late 3', 'late 1', 'old']
  await clock.advance(4_000)
  expect(new Set(asked)).toEqual(new Set(['late 1', 'late 2', 'late 3']))
  expect([timeline.get(older.id), told.at(-1)]).toEqual([undefined, false])
  members = ['old', 'late 1', 'late 2', 'late 3']
  await clock.advance(20_000)
  expect([timeline.get(older.id), told.at(-1)]).toEqual([older, true])
})

it('where nobody is there who keeps more, it is given up within minutes', async () => {
  fraction = undefined
  enter(100)
  const page = said('page', -10, [said('older', -1_000).id])
  members = Array.from({ length: 12 }, (_, number) => `late ${number}`)
  answers = new Map(members.map((peer) => [peer, [eventsFrame(page.jwt), turnFrom(bound(-20))]]))
  catchUp.connected()
  await clock.advance(360_000)
  expect(told.at(-1)).toBe(true)
})

it('what a member names in its presence while the first page is on its way is not older than that', async () => {
  // No quiet look: they are not what is looked at here.
  fraction = 0.999
  enter(3)
  const lost = said('the newest, only b has it', -5)
  const page = [1, 2, 3].map((number) => said(`page ${number}`, number - 20))
  const older = { timestamp: NOW - 20, prefix: '' }
  answers = new Map([
    ['a', [eventsFrame(...page.map(({ jwt }) => jwt)), lastTurn(older)]],
    ['b', [eventsFrame(lost.jwt), lastTurn()]],
  ])
  // Only a is known when the connection is made; b greets, and names what it has, before a has answered.
  members = ['a']
  catchUp.connected()
  members = ['a', 'b']
  const greeting = { peer: testPeerId(2), data: {} }
  catchUp.arrived(eventBy(carol, 'presence', greeting, { at: NOW + 1, parents: [lost.id] }), ['b'])
  await settle()
  expect(asked).toEqual(['a'])
  expect(told).toEqual([false])
  // It is fetched from whoever named it, before the second look.
  await clock.advance(2_000)
  expect(asked).toEqual(['a', 'b'])
  expect(timeline.get(lost.id)).toBeDefined()
  expect(told).toEqual([false, true])
})

it('what is named live after the first page is missing, whatever was thought of it before', async () => {
  fraction = 0.999
  enter(3)
  const lost = said('the newest, only b has it', -5)
  const page = [1, 2, 3].map((number) => said(`page ${number}`, number - 20))
  const older = { timestamp: NOW - 20, prefix: '' }
  answers = new Map([['a', [eventsFrame(...page.map(({ jwt }) => jwt)), lastTurn(older)]]])
  members = ['a']
  catchUp.connected()
  const greeting = { peer: testPeerId(2), data: {} }
  catchUp.arrived(eventBy(carol, 'presence', greeting, { at: NOW + 1, parents: [lost.id] }), ['b'])
  await settle()
  members = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']
  await clock.advance(1_000)
  const next = said('builds on it', 1_000, [lost.id])
  timeline.add(next, clock.now())
  catchUp.arrived(next, ['b'])
  // Whoever names `next` says that it has `lost`.
  expect(catchUp.heads()).not.toContain(next.id)
})
