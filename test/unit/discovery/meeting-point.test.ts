import type { Connection } from '@libp2p/interface'
import { ManualClock, settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FoundPeer } from '../../../src/discovery/found-peer.ts'
import { MeetingPoint, type RendezvousRequests } from '../../../src/discovery/meeting-point.ts'
import { RendezvousError } from '../../../src/discovery/rendezvous-client.ts'
import { NOW, TOPIC } from '../../support/authors.ts'
import { ShiftedClock } from '../../support/shifted-clock.ts'

/** How long the node grants, in seconds. */
const TTL = 7_200
/** Half of it, which is when a registration is renewed with a chance of one half. */
const RENEWAL_MS = (TTL * 1000) / 2
const OTHER = `${TOPIC}-2`
const ada: FoundPeer = { peerId: 'ada', addresses: [] }

interface Asked {
  what: 'register' | 'unregister' | 'discover'
  topic: string
  connection: Connection
  signal: AbortSignal
  at: number
}

let clock: ManualClock
let set: ShiftedClock
let asked: Asked[]
let found: [string, readonly FoundPeer[]][]
let failures: string[]
let isReachable: boolean
let answer: (request: Asked) => Promise<void>
let meeting: MeetingPoint

beforeEach(() => {
  clock = new ManualClock(NOW)
  set = new ShiftedClock(clock)
  asked = []
  found = []
  failures = []
  isReachable = true
  answer = async () => {}
  const ask = (
    what: Asked['what'],
    connection: Connection,
    { namespace, signal }: { namespace: string; signal: AbortSignal },
  ): Promise<void> => {
    const request = { what, topic: namespace, connection, signal, at: clock.now() - NOW }
    asked.push(request)
    return answer(request)
  }
  const requests: RendezvousRequests = {
    register: async (point, options) => ask('register', point, options).then(() => TTL),
    unregister: (point, options) => ask('unregister', point, options),
    discover: async (point, options) => ask('discover', point, options).then(() => ({ peers: [ada] })),
  }
  meeting = new MeetingPoint({
    requests,
    clock: set,
    random: { bytes: (length) => new Uint8Array(length), fraction: () => 0.5 },
    hasAddresses: () => isReachable,
    onFound: (topic, peers) => found.push([topic, peers]),
    onFailure: (thrown) => failures.push((thrown as Error).message),
  })
})
afterEach(async () => {
  meeting.disconnected()
  await settle()
  expect(clock.pending).toBe(0)
})

/** Stands for a connection to the node. */
function connect(): Connection {
  const connection = {} as Connection
  meeting.connected(connection)
  return connection
}

const untilAborted = ({ signal }: Asked): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

/** What was asked since the last time, in order. */
function said(): string[] {
  return asked.splice(0).map(({ what, topic }) => `${what} ${topic === TOPIC ? 'a' : 'b'}`)
}

describe('a meeting point', () => {
  it('takes registrations back one after the other, and none of a room that was entered again', async () => {
    connect()
    for (const room of [TOPIC, OTHER]) meeting.enter(room)
    await clock.advance(2_000)
    said()
    let answered = (): void => {}
    answer = ({ what }) =>
      what === 'unregister'
        ? new Promise((resolve) => {
            answered = resolve
          })
        : Promise.resolve()
    for (const room of [TOPIC, OTHER]) meeting.leave(room)
    await settle()
    expect(said()).toEqual(['unregister a'])
    meeting.enter(OTHER)
    answered()
    await clock.advance(0)
    expect(said()).toEqual(['discover b', 'register b'])
  })

  it('renews a registration before it ends, also when the clock was set back', async () => {
    connect()
    meeting.enter(TOPIC)
    await clock.advance(60_000)
    said()
    set.aheadMs = -2 * TTL * 1000
    await clock.advance(TTL * 1000 - 60_000)
    expect(said()).toContain('register a')
  })

  it('looks who is in a room and registers there, once it is connected, whatever comes first', async () => {
    meeting.enter(TOPIC)
    await clock.advance(60_000)
    expect(asked).toEqual([])
    const connection = connect()
    await clock.advance(0)
    expect(asked.map((request) => request.connection)).toEqual([connection, connection])
    expect(said()).toEqual(['discover a', 'register a'])
    expect(found).toEqual([[TOPIC, [ada]]])
    meeting.enter(OTHER)
    await clock.advance(0)
    expect(said()).toEqual(['discover b', 'register b'])
    meeting.enter(OTHER)
    await clock.advance(0)
    expect(said()).toEqual([])
  })

  it('looks a second time a second after it registered, for those who came at the same moment', async () => {
    meeting.enter(TOPIC)
    connect()
    await clock.advance(999)
    said()
    await clock.advance(1)
    expect(said()).toEqual(['discover a'])
    await clock.advance(600_000)
    expect(said()).toEqual([])
  })

  it('renews a registration half its time before it ends', async () => {
    meeting.enter(TOPIC)
    connect()
    await clock.advance(1_000)
    said()
    await clock.advance(RENEWAL_MS - 1_001)
    expect(said()).toEqual([])
    await clock.advance(1)
    expect(said()).toEqual(['register a'])
    await clock.advance(RENEWAL_MS)
    expect(said()).toEqual(['register a'])
  })

  it('looks again when somebody wants it to, after 20 s and once', async () => {
    meeting.enter(TOPIC)
    connect()
    await clock.advance(10_000)
    said()
    meeting.seek(TOPIC)
    await clock.advance(5_000)
    meeting.seek(TOPIC)
    await clock.advance(14_999)
    expect(said()).toEqual([])
    await clock.advance(1)
    expect(said()).toEqual(['discover a'])
    await clock.advance(100_000)
    expect(said()).toEqual([])
    meeting.seek(OTHER)
    await clock.advance(100_000)
    expect(said()).toEqual([])
  })

  it('looks at once for whoever waits for it, in a room it is in, while there is a connection', async () => {
    meeting.enter(TOPIC)
    await meeting.lookUp(TOPIC)
    connect()
    await clock.advance(10_000)
    found = []
    said()
    await meeting.lookUp(TOPIC)
    await meeting.lookUp(OTHER)
    expect(said()).toEqual(['discover a'])
    expect(found).toEqual([[TOPIC, [ada]]])
    answer = async () => Promise.reject(new Error('the node is busy'))
    await meeting.lookUp(TOPIC)
    expect(failures).toEqual(['the node is busy'])
  })

  it('registers nothing before it can be reached somewhere, but looks who is there', async () => {
    isReachable = false
    meeting.enter(TOPIC)
    connect()
    await clock.advance(60_000)
    expect(said()).toEqual(['discover a'])
    isReachable = true
    meeting.addressesChanged()
    await clock.advance(99)
    expect(said()).toEqual([])
    await clock.advance(1)
    expect(said()).toEqual(['register a'])
  })

  it('registers anew when it can be reached elsewhere, once for changes of the same moment', async () => {
    meeting.enter(TOPIC)
    meeting.enter(OTHER)
    connect()
    await clock.advance(10_000)
    said()
    meeting.addressesChanged()
    await clock.advance(50)
    meeting.addressesChanged()
    await clock.advance(10_000)
    expect(said()).toEqual(['register a', 'register b'])
  })

  it('does not lose a change of addresses that comes while it registers', async () => {
    const answers: (() => void)[] = []
    meeting.enter(TOPIC)
    connect()
    await clock.advance(10_000)
    said()
    answer = () => new Promise((resolve) => answers.push(resolve))
    meeting.addressesChanged()
    await clock.advance(100)
    meeting.addressesChanged()
    answers.shift()?.()
    await clock.advance(200)
    expect(said()).toEqual(['register a', 'register a'])
    answers.shift()?.()
  })

  it('takes a registration back when the room is left, and asks no more about it', async () => {
    meeting.enter(TOPIC)
    meeting.enter(OTHER)
    const connection = connect()
    await clock.advance(10_000)
    said()
    meeting.leave(TOPIC)
    await settle()
    expect(asked[0]).toMatchObject({ what: 'unregister', topic: TOPIC, connection })
    meeting.leave(TOPIC)
    expect(said()).toEqual(['unregister a'])
    await clock.advance(2 * RENEWAL_MS)
    expect(said()).toEqual(['register b', 'register b'])
  })

  it('takes back a registration that was under way when the room was left', async () => {
    let register = (): void => {}
    answer = ({ what }) =>
      what === 'register' ? new Promise((resolve) => (register = resolve)) : Promise.resolve()
    meeting.enter(TOPIC)
    connect()
    await clock.advance(0)
    meeting.leave(TOPIC)
    await settle()
    expect(said()).toEqual(['discover a', 'register a', 'unregister a'])
    register()
    await settle()
    expect(said()).toEqual(['unregister a'])
  })

  it('says nothing of whom it found in a room that was left meanwhile', async () => {
    let discover = (): void => {}
    answer = ({ what }) =>
      what === 'discover' ? new Promise((resolve) => (discover = resolve)) : Promise.resolve()
    meeting.enter(TOPIC)
    connect()
    await clock.advance(0)
    meeting.leave(TOPIC)
    discover()
    await settle()
    expect(found).toEqual([])
    expect(said().filter((entry) => entry === 'unregister a')).not.toEqual([])
  })

  it('registers everything anew over a new connection', async () => {
    meeting.enter(TOPIC)
    meeting.enter(OTHER)
    connect()
    await clock.advance(10_000)
    said()
    meeting.disconnected()
    await clock.advance(60_000)
    meeting.seek(TOPIC)
    meeting.addressesChanged()
    await clock.advance(60_000)
    expect(said()).toEqual([])
    const again = connect()
    await clock.advance(0)
    expect(asked.every(({ connection }) => connection === again)).toBe(true)
    expect(said()).toEqual(['discover a', 'register a', 'discover b', 'register b'])
    await clock.advance(1_000)
    expect(said()).toEqual(['discover a', 'discover b'])
  })

  it.each(['discover', 'register'] as const)(
    'ends what it asks when the connection ends, blames nobody, and asks anew over the next one: %s',
    async (what) => {
      answer = (request) => (request.what === what ? untilAborted(request) : Promise.resolve())
      meeting.enter(TOPIC)
      connect()
      await clock.advance(0)
      const request = asked.at(-1)
      expect([request?.what, request?.signal.aborted]).toEqual([what, false])
      meeting.disconnected()
      expect(request?.signal.aborted).toBe(true)
      await settle()
      said()
      answer = async () => {}
      connect()
      await clock.advance(0)
      expect(said()).toEqual(['discover a', 'register a'])
      expect(failures).toEqual([])
    },
  )

  it.each(['discover', 'register'] as const)(
    'does not take a late answer over an old connection for one over the new: %s',
    async (what) => {
      let late = (): void => {}
      let isFirst = true
      answer = (request) => {
        if (request.what !== what || !isFirst) return Promise.resolve()
        isFirst = false
        return new Promise((resolve) => (late = resolve))
      }
      meeting.enter(TOPIC)
      connect()
      await clock.advance(0)
      said()
      const second = connect()
      late()
      await clock.advance(0)
      expect(asked.map(({ connection }) => connection === second)).toEqual([true, true])
      expect(said()).toEqual(['discover a', 'register a'])
    },
  )

  it('waits after a failure, 5 s and twice as long after each further one, five minutes at most', async () => {
    answer = async () => Promise.reject(new Error('the node is busy'))
    meeting.enter(TOPIC)
    connect()
    await clock.advance(20 * 60_000)
    const times = asked.map(({ at }) => at / 1000)
    expect(times.slice(1).map((at, index) => at - (times[index] ?? 0))).toEqual([
      5, 10, 20, 40, 80, 160, 300, 300,
    ])
    expect(new Set(failures)).toEqual(new Set(['the node is busy']))
    answer = async () => {}
    await clock.advance(5 * 60_000)
    said()
    answer = async () => Promise.reject(new Error('the node is busy'))
    const failedAt = clock.now() - NOW + 100
    meeting.addressesChanged()
    await clock.advance(5_100)
    expect(asked.map(({ at }) => at - failedAt)).toEqual([0, 5_000])
  })

  it('begins its pauses anew over a new connection', async () => {
    answer = async () => Promise.reject(new Error('the node is busy'))
    meeting.enter(TOPIC)
    connect()
    await clock.advance(60_000)
    said()
    connect()
    await clock.advance(5_000)
    expect(said()).toEqual(['discover a', 'discover a'])
  })

  it.each(['discover', 'register'] as const)(
    'is not kept from its other rooms by one for which the node refuses to %s',
    async (what) => {
      answer = async (request) => {
        if (request.what === what && request.topic === TOPIC)
          throw new RendezvousError('the room is full', { status: 'E_UNAVAILABLE' })
      }
      meeting.enter(TOPIC)
      meeting.enter(OTHER)
      connect()
      await clock.advance(60_000)
      const about = said()
      expect(about).toContain('discover b')
      expect(about).toContain('register b')
    },
  )

  it('survives that a registration cannot be taken back', async () => {
    meeting.enter(TOPIC)
    connect()
    await clock.advance(10_000)
    answer = async () => Promise.reject(new Error('gone'))
    meeting.leave(TOPIC)
    await settle()
    expect(failures).toEqual(['gone'])
  })
})
