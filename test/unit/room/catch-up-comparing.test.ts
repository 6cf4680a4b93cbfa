import { ManualClock, settle } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../src/logger.ts'
import type { Channel, FrameStream } from '../../../src/network/network.ts'
import { type Random, systemRandom } from '../../../src/random.ts'
import { CatchUp } from '../../../src/room/catch-up.ts'
import type { RoomListener } from '../../../src/room/listener.ts'
import { Message } from '../../../src/room/message.ts'
import { START } from '../../../src/room/reconciler.ts'
import { Recovery } from '../../../src/room/recovery.ts'
import type { RoomState } from '../../../src/room/state.ts'
import { Timeline } from '../../../src/room/timeline.ts'
import { memoryStreams } from '../../../src/testing/memory-stream.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { decodeSync, encodeSync, type SyncFrame } from '../../../src/wire/sync.ts'
import { messageBy, NOW, testAuthor } from '../../support/authors.ts'
import { eventsFrame, lastTurn } from '../../support/sync.ts'

const ada = testAuthor(1)
const LIMIT = 3
/** The peer left something out because it was too much. */
const cutTurn = encodeSync({
  kind: 'turn',
  floor: START,
  roster: [],
  timeline: [{ upper: undefined, kind: 'rest' }],
})

let clock: ManualClock
let timeline: Timeline
/** What the peer was asked, each time. */
let openings: (SyncFrame | undefined)[]
/** What it answers to each; nothing, and it stays silent. */
let script: Uint8Array<ArrayBuffer>[][]
let peerEnds: FrameStream[]
let told: unknown[][]
let compared: string[]
let beforeStream: Promise<void>
let events: Map<string, SignedEvent<'message'>>
let members: string[]
let isEarly: boolean
/** The peer holds the stream when it has said what the script says. */
let isEndless: boolean
let fraction: number | undefined
/** Whether gossip has not brought what comparisons did. */
let passesOn: boolean
let catchUp: CatchUp

const said = (text: string, at: number, parents: SignedEvent['id'][] = []): SignedEvent<'message'> => {
  const event = messageBy(ada, text, { at: NOW + at, parents })
  events.set(event.jwt, event)
  return event
}

/** An event that names one that never was comes from the peer. */
function showGap(): { shown: SignedEvent<'message'> } {
  const shown = said('shown', -10, [said('never', -11).id])
  timeline.add(shown, clock.now())
  catchUp.arrived(shown, ['a'])
  return { shown }
}

beforeEach(() => {
  clock = new ManualClock(NOW)
  fraction = undefined
  passesOn = false
  const random: Random = { ...systemRandom, fraction: () => fraction ?? systemRandom.fraction() }
  timeline = new Timeline()
  openings = []
  script = []
  peerEnds = []
  told = []
  compared = []
  members = ['a']
  isEarly = false
  isEndless = false
  beforeStream = Promise.resolve()
  events = new Map()
  const recovery = new Recovery({
    clock,
    random,
    logger: silentLogger,
    candidates: () => members,
  })
  const state: Partial<RoomState> = {
    timeline,
    roster: { events: () => [] } as unknown as RoomState['roster'],
    passOn: () => passesOn,
    reveal: (messages: readonly Message[]) => [...messages],
    messages: () => [],
    countMessages: () => 0,
    admitHistory: async (jwts: string[]) => {
      const known = jwts.flatMap((jwt) => events.get(jwt) ?? [])
      for (const event of known) timeline.add(event, clock.now())
      const messages = known.map((event) => new Message(event, 'sent'))
      return { fresh: known, messages, timeline: known, untimely: 0, early: isEarly, rejected: false }
    },
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
    recovery,
    backlogLimit: LIMIT,
    onCompared: (ids) => compared.push(...ids),
  })
  catchUp.open({ open: () => beforeStream.then(openStream), publish: async () => 1 } as unknown as Channel)
})

/** The peer takes a stream, and answers what the script says. */
function openStream(): FrameStream {
  const [here, there] = memoryStreams()
  const answer = script.shift()
  peerEnds.push(there)
  void (async () => {
    const first = await there.frames[Symbol.asyncIterator]().next()
    openings.push(first.done ? undefined : decodeSync(first.value))
    for (const frame of answer ?? []) await there.send(frame)
    if (answer !== undefined && !isEndless) await there.close()
  })().catch(() => {})
  return here
}

/** What was asked of the timeline. */
const asked = (): unknown[] =>
  openings.map((said) => {
    if (said?.kind !== 'open') return said?.kind
    const newest = said.timeline.find(({ kind }) => kind === 'newest')
    return newest?.kind === 'newest' ? newest.limit : 'all'
  })

describe('a comparison', () => {
  it('asks for the backlog first, and then for all from where that began', async () => {
    script = [[lastTurn()], [lastTurn()]]
    catchUp.connected()
    await clock.advance(3_000)
    expect(asked()).toEqual([LIMIT, 'all'])
  })

  it('asks for all where nothing is left out any more', async () => {
    script = [[lastTurn()], [lastTurn()]]
    catchUp.connected()
    await settle()
    await catchUp.request({ limit: 5 })
    expect(asked()).toEqual([LIMIT, 'all'])
  })

  it('asks for as many as are still wanted where the newest are no history', async () => {
    const [old, live] = [said('old', -1), said('live', 1)]
    const before = { timestamp: NOW + 1, prefix: '' }
    const page = [said('live 2', 2), said('live 3', 3)]
    script = [
      [eventsFrame(live.jwt, ...page.map(({ jwt }) => jwt)), lastTurn(before)],
      [eventsFrame(old.jwt), lastTurn()],
    ]
    catchUp.connected()
    await settle()
    expect(asked()).toEqual([LIMIT, LIMIT])
    script = []
    expect(told[0]).toEqual(['backlog', 'old'])
  })

  it('asks for the rest of the limit only', async () => {
    const page = [said('old', -1), said('live', 1), said('live 2', 2)]
    const before = { timestamp: NOW - 1, prefix: '' }
    script = [[eventsFrame(...page.map(({ jwt }) => jwt)), lastTurn(before)], [lastTurn()]]
    catchUp.connected()
    await settle()
    expect(asked()).toEqual([LIMIT, LIMIT - 1])
  })

  it('that went to its end closes a gap that the peer cannot close: it does not have it', async () => {
    script = [[lastTurn()], [cutTurn], [cutTurn], [lastTurn()]]
    catchUp.connected()
    await settle()
    const { shown } = showGap()
    // Twice something was left out: it may be that.
    await clock.advance(4_000)
    expect(asked()).toEqual([LIMIT, 'all', 'all'])
    expect([catchUp.heads(), told.at(-1)]).toEqual([[], ['recovered', false, 0]])
    await clock.advance(1_000)
    expect([catchUp.heads(), told.at(-1)]).toEqual([[shown.id], ['recovered', true, 0]])
  })

  it.each([
    ['leaves a gap to others', lastTurn(), true],
    ['closes a gap that lies before it', lastTurn({ timestamp: NOW - 20, prefix: '' }), false],
  ])('for the backlog %s', async (_what, turn, isGap) => {
    const { shown } = showGap()
    const page = [1, 2, 3].map((number) => said(`page ${number}`, number - 20))
    script = [[eventsFrame(...page.map(({ jwt }) => jwt)), turn]]
    catchUp.connected()
    await settle()
    members = ['a', 'b']
    expect(catchUp.heads().includes(shown.id)).toBe(!isGap)
  })

  it('for the backlog says nothing of what was written while it was on its way', async () => {
    let open = (): void => {}
    beforeStream = new Promise((resolve) => {
      open = resolve
    })
    const lost = said('lost', 2_000)
    const next = messageBy(ada, 'next', { at: NOW + 2_001, parents: [lost.id] })
    const page = [1, 2, 3].map((number) => said(`page ${number}`, number - 20))
    script = [[eventsFrame(...page.map(({ jwt }) => jwt)), lastTurn({ timestamp: NOW - 20, prefix: '' })]]
    catchUp.connected()
    await clock.advance(2_100)
    timeline.add(next, clock.now())
    catchUp.arrived(next, ['a'])
    open()
    await settle()
    expect(told.filter(([what]) => what === 'recovered')).toEqual([['recovered', false, LIMIT]])
  })

  it('of which something is too early to be taken in did not bring all', async () => {
    isEarly = true
    script = [[eventsFrame(said('early', 0).jwt), lastTurn()]]
    catchUp.connected()
    await settle()
    expect(told.at(-1)).toEqual(['recovered', false, 1])
  })

  it('shows that the peer has what both bring, as far as it keeps that, unless something was left out', async () => {
    const event = said('both', 0)
    timeline.add(event, NOW)
    const floor = { timestamp: NOW + 1, prefix: '' }
    const same = [{ upper: undefined, kind: 'same' as const }]
    script = [[lastTurn()], [cutTurn], [encodeSync({ kind: 'turn', floor, roster: [], timeline: same })]]
    catchUp.connected()
    await clock.advance(3_000)
    catchUp.connected()
    await settle()
    expect([asked(), compared]).toEqual([[LIMIT, 'all', 'all'], []])
    script = [[lastTurn()]]
    catchUp.connected()
    await settle()
    expect(compared).toEqual([event.id])
  })

  it.each([
    ['does not bring is soon followed by another', true, 4],
    ['brings, too, is followed by another in its time', false, 3],
  ])('without a reason that brings what gossip %s', async (_what, isLost, expected) => {
    fraction = 0.5
    passesOn = isLost
    script = [[lastTurn()], [lastTurn()], [eventsFrame(said('late', 5).jwt), lastTurn()], [lastTurn()]]
    catchUp.connected()
    await clock.advance(82_000)
    expect(told).toContainEqual(['message', 'late'])
    expect(openings).toHaveLength(expected)
  })

  it('after the first one tells what comes at once, whether or not it comes to an end', async () => {
    script = [[lastTurn()], [eventsFrame(said('old', -1).jwt)]]
    catchUp.connected()
    await settle()
    isEndless = true
    await clock.advance(3_000)
    expect(asked()).toEqual([LIMIT, 'all'])
    expect(told.at(-1)).toEqual(['backlog', 'old'])
  })

  it('is broken off when the room is left', async () => {
    catchUp.connected()
    await settle()
    const [there] = peerEnds
    catchUp.close(new Error('left'))
    await settle()
    await expect(there?.send(lastTurn())).rejects.toThrow()
    expect(clock.pending).toBe(0)
  })

  it('does not begin where the room was left before its stream came', async () => {
    let come = (): void => {}
    beforeStream = new Promise((resolve) => {
      come = resolve
    })
    catchUp.connected()
    await settle()
    catchUp.close(new Error('left'))
    come()
    await settle()
    expect(openings.filter((said) => said !== undefined)).toEqual([])
  })
})
