import type { GossipSub } from '@libp2p/gossipsub'
import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { ManualClock, settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LINKS_PER_ROOM, LINKS_WANTED_MAX, Mesh } from '../../../src/network/mesh.ts'
import { NOW, TOPIC } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'
import { ShiftedClock } from '../../support/shifted-clock.ts'

/** A connection that can be looked at. */
interface FakeConnection {
  remotePeer: PeerId
  status: 'open' | 'closed'
  limits: object | undefined
  streams: object[]
  isClosed: boolean
  close(): Promise<void>
}

interface Dial {
  peerId: string
  way: 'relayed' | 'direct'
  at: number
  signal: AbortSignal
}

const OTHER_TOPIC = `${TOPIC}-2`
const relay = multiaddr('/ip4/127.0.0.1/tcp/1/ws')
/** In the order of their texts: the own one is in the middle. */
const ids = Array.from({ length: 41 }, (_, index) => realPeerId(index)).sort()
const own = ids[20] ?? ''
const [smaller = '', larger = ''] = [ids[0], ids[40]]
const others = ids.filter((id) => id !== own)

let clock: ManualClock
let shown: ShiftedClock
let connections: FakeConnection[]
let dials: Dial[]
let topics: string[]
let candidates: Map<string, string[]>
let subscribers: Map<string, string[]>
let nodes: string[]
let directWays: (peerId: string) => Multiaddr[]
let answer: (dial: Dial) => Promise<FakeConnection>
let sparse: [string, number][]
let mesh: Mesh

beforeEach(() => {
  clock = new ManualClock(NOW)
  shown = new ShiftedClock(clock)
  connections = []
  dials = []
  topics = [TOPIC]
  candidates = new Map()
  subscribers = new Map()
  nodes = []
  sparse = []
  directWays = (peerId) => [multiaddr(`${relay}/p2p-circuit/webrtc/p2p/${peerId}`)]
  answer = async ({ peerId, way }) => connect(peerId, way === 'relayed')
  const libp2p = {
    peerId: peerIdFromString(own),
    getConnections: () => connections.filter(({ status }) => status === 'open'),
    dial: async ([address]: Multiaddr[], { signal }: { signal: AbortSignal }) => {
      const peerId = String(address).split('/').at(-1) ?? ''
      const way = String(address).includes('/webrtc/') ? ('direct' as const) : ('relayed' as const)
      const dial = { peerId, way, at: clock.now() - NOW, signal }
      dials.push(dial)
      return answer(dial)
    },
  } as unknown as Libp2p
  const pubsub = {
    getSubscribers: (topic: string) => (subscribers.get(topic) ?? []).map((id) => peerIdFromString(id)),
  } as unknown as GossipSub
  mesh = new Mesh({
    libp2p,
    pubsub,
    clock: shown,
    random: { bytes: (length) => new Uint8Array(length), fraction: () => 0.5 },
    topics: () => topics,
    candidates: (topic) => candidates.get(topic) ?? [],
    routesTo: (peerId) => ({
      relayed: [multiaddr(`${relay}/p2p-circuit/p2p/${peerId}`)],
      direct: directWays(peerId),
    }),
    isNode: (peerId) => nodes.includes(peerId.toString()),
    onSparse: (topic) => sparse.push([topic, clock.now() - NOW]),
  })
})
afterEach(async () => {
  mesh.close()
  await settle()
  expect(clock.pending).toBe(0)
})

function connect(peerId: string, isLimited = false): FakeConnection {
  const connection: FakeConnection = {
    remotePeer: peerIdFromString(peerId),
    status: 'open',
    limits: isLimited ? {} : undefined,
    streams: [],
    isClosed: false,
    close: async () => {
      connection.status = 'closed'
      connection.isClosed = true
    },
  }
  connections.push(connection)
  return connection
}

const fail = async (): Promise<never> => Promise.reject(new Error('no way'))
const untilAborted = ({ signal }: Dial): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
/** The peers that were dialled directly. */
const direct = (): string[] => dials.flatMap(({ peerId, way }) => (way === 'direct' ? [peerId] : []))
const linked = (): string[] => mesh.links().map(({ remotePeer }) => remotePeer.toString())

/** Lets it look as often as it wants to within a time. */
async function pass(ms: number): Promise<void> {
  mesh.wake()
  await clock.advance(ms)
}

describe('a mesh', () => {
  it('waits a second, then connects to those who were found in the room', async () => {
    candidates.set(TOPIC, others.slice(0, 2))
    mesh.wake()
    await clock.advance(999)
    expect(dials).toEqual([])
    await clock.advance(1)
    expect(direct().sort()).toEqual(others.slice(0, 2))
    expect(linked().sort()).toEqual(others.slice(0, 2))
  })

  it('connects through a node first, and closes that connection when nobody uses it', async () => {
    candidates.set(TOPIC, [larger])
    const used = new Set<string>()
    answer = async ({ peerId, way }) => {
      const connection = connect(peerId, way === 'relayed')
      if (way === 'relayed' && used.has(peerId)) connection.streams.push({})
      return connection
    }
    await pass(1_000)
    expect(dials.map(({ way }) => way)).toEqual(['relayed', 'direct'])
    expect(connections.map(({ isClosed }) => isClosed)).toEqual([true, false])

    used.add(smaller)
    candidates.set(TOPIC, [larger, smaller])
    await pass(1_000)
    expect(connections.map(({ isClosed }) => isClosed)).toEqual([true, false, false, false])
  })

  it('uses a connection through a node that is there already, and leaves it open', async () => {
    candidates.set(TOPIC, [larger])
    const circuit = connect(larger, true)
    await pass(1_000)
    expect(dials.map(({ way }) => way)).toEqual(['direct'])
    expect(circuit.isClosed).toBe(false)
  })

  it('connects to subscribers it has not found, and to no node, not to itself and to nobody without a direct way', async () => {
    const [node = '', member = '', found = '', old = ''] = others
    nodes = [node]
    subscribers.set(TOPIC, [node, member])
    candidates.set(TOPIC, [own, found, old])
    directWays = (peerId) => (peerId === old ? [] : [multiaddr(`${relay}/p2p-circuit/webrtc/p2p/${peerId}`)])
    await pass(10_000)
    expect(direct().sort()).toEqual([member, found].sort())
  })

  it('are wanted to four members of each room, and to twelve in all', () => {
    expect([LINKS_PER_ROOM, LINKS_WANTED_MAX]).toEqual([4, 12])
  })

  it(`makes ${LINKS_PER_ROOM} links in a room, two at a time, and chooses by chance`, async () => {
    candidates.set(TOPIC, others)
    const open: (() => void)[] = []
    answer = (dial) =>
      dial.way === 'relayed'
        ? Promise.resolve(connect(dial.peerId, true))
        : new Promise((resolve) => open.push(() => resolve(connect(dial.peerId))))
    await pass(1_000)
    expect(direct()).toHaveLength(2)
    for (const finish of open.splice(0)) finish()
    await settle()
    await clock.advance(1_000)
    expect(direct()).toHaveLength(4)
    for (const finish of open.splice(0)) finish()
    await clock.advance(100_000)
    expect(linked()).toHaveLength(LINKS_PER_ROOM)
    expect(new Set(direct()).size).toBe(LINKS_PER_ROOM)
    expect(direct()).not.toEqual(others.slice(0, LINKS_PER_ROOM))
  })

  it('counts the links others made', async () => {
    const [first = '', second = '', third = '', fourth = '', fifth = ''] = others
    candidates.set(TOPIC, [first, second, third, fourth, fifth])
    for (const peerId of [first, second, third]) connect(peerId)
    await pass(100_000)
    expect(direct()).toHaveLength(1)
    expect([fourth, fifth]).toContain(direct()[0])
  })

  it(`makes ${LINKS_WANTED_MAX} links for all rooms together`, async () => {
    topics = Array.from({ length: 8 }, (_, index) => `${TOPIC}-${index}`)
    for (const [index, topic] of topics.entries())
      candidates.set(topic, others.slice(5 * index, 5 * index + 5))
    await pass(200_000)
    expect(linked()).toHaveLength(LINKS_WANTED_MAX)
  })

  it('counts nobody who is in none of its rooms, however many are connected', async () => {
    for (const stranger of others.slice(10, 30)) connect(stranger)
    candidates.set(TOPIC, others.slice(0, 2))
    await pass(5_000)
    expect(direct().sort()).toEqual(others.slice(0, 2))
    // A member may come even so; a further stranger may not.
    candidates.set(TOPIC, others.slice(0, 3))
    expect([mesh.admits(others[2] ?? ''), mesh.admits(others[35] ?? '')]).toEqual([true, false])
  })

  it('lets one link serve several rooms', async () => {
    topics = [TOPIC, OTHER_TOPIC]
    for (const topic of topics) candidates.set(topic, others.slice(0, 4))
    await pass(100_000)
    expect(direct()).toHaveLength(4)
  })

  it('makes a link anew when one is lost and somebody says so', async () => {
    candidates.set(TOPIC, [larger])
    await pass(1_000)
    for (const connection of connections) connection.status = 'closed'
    await pass(1_000)
    expect(direct()).toEqual([larger, larger])
  })

  it('says that a room is sparse when nobody is left to try, and looks again every 30 s', async () => {
    candidates.set(TOPIC, others.slice(0, LINKS_PER_ROOM - 1))
    await pass(1_000)
    expect(sparse).toEqual([[TOPIC, 1_000]])
    sparse = []
    await clock.advance(61_000)
    // Each attempt that ends has it look once more.
    expect(sparse.length).toBeGreaterThan(1)
    expect(sparse.at(-1)?.[1]).toBeLessThanOrEqual(62_000)
    expect((sparse.at(-1)?.[1] ?? 0) - (sparse.at(-2)?.[1] ?? 0)).toBe(30_000)
    candidates.set(TOPIC, others)
    await clock.advance(30_000)
    sparse = []
    await clock.advance(60_000)
    expect(sparse).toEqual([])
  })

  it('leaves a peer alone after a failure, twice as long after each further one, a quarter of an hour at most', async () => {
    candidates.set(TOPIC, [larger])
    answer = fail
    await pass(2_800_000)
    const times = dials.map(({ at }) => at)
    const pauses = times.slice(1).map((at, index) => Math.round((at - (times[index] ?? 0)) / 10_000) * 10)
    expect(pauses).toEqual([30, 60, 120, 240, 480, 900, 900])
  })

  it('leaves a peer alone no longer where the clock is set back', async () => {
    candidates.set(TOPIC, [larger])
    answer = fail
    await pass(10_000)
    const before = dials.length
    shown.aheadMs = -3_600_000
    await pass(60_000)
    expect(dials.length).toBeGreaterThan(before)
  })

  it('forgets failures when a link comes about', async () => {
    candidates.set(TOPIC, [larger])
    answer = fail
    await pass(1_000)
    answer = async ({ peerId, way }) => connect(peerId, way === 'relayed')
    await pass(32_000)
    expect(linked()).toEqual([larger])
    for (const connection of connections) connection.status = 'closed'
    answer = fail
    await pass(1_000)
    const count = dials.length
    await pass(29_000)
    expect(dials).toHaveLength(count)
    await pass(2_000)
    expect(dials).toHaveLength(count + 1)
  })

  it('gives an attempt 15 s, and a failed one does not keep others out', async () => {
    candidates.set(TOPIC, [larger])
    answer = (dial) =>
      dial.way === 'direct' ? untilAborted(dial) : Promise.resolve(connect(dial.peerId, true))
    await pass(1_000)
    const [, attempt] = dials
    await clock.advance(14_999)
    expect(attempt?.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(attempt?.signal.aborted).toBe(true)
    expect(connections.map(({ isClosed }) => isClosed)).toEqual([true])
    candidates.set(TOPIC, [larger, smaller])
    await pass(2_000)
    expect(direct()).toEqual([larger, smaller])
  })

  it('does not take it for a failure when the other side was faster', async () => {
    candidates.set(TOPIC, [larger])
    answer = async ({ peerId, way }) => {
      if (way === 'relayed') return connect(peerId, true)
      connect(peerId)
      throw new Error('aborted')
    }
    await pass(1_000)
    expect(linked()).toEqual([larger])
    for (const connection of connections) connection.status = 'closed'
    await pass(1_000)
    expect(direct()).toEqual([larger, larger])
  })

  it('closes a link it has made when there has been no room in common for a minute', async () => {
    candidates.set(TOPIC, [smaller])
    const foreign = connect(larger)
    await pass(1_000)
    candidates.set(TOPIC, [])
    await clock.advance(1_000)
    expect(linked().sort()).toEqual([smaller, larger].sort())
    await clock.advance(58_000)
    expect(linked().sort()).toEqual([smaller, larger].sort())
    await clock.advance(60_000)
    expect(linked()).toEqual([larger])
    expect(foreign.isClosed).toBe(false)
  })

  it('keeps a link when the room in common is back within the minute', async () => {
    candidates.set(TOPIC, [smaller])
    await pass(1_000)
    for (let round = 0; round < 4; round += 1) {
      candidates.set(TOPIC, [])
      await clock.advance(45_000)
      subscribers.set(TOPIC, [smaller])
      await clock.advance(45_000)
      subscribers.set(TOPIC, [])
    }
    expect(direct()).toEqual([smaller])
    expect(linked()).toEqual([smaller])
  })

  it('ends its attempts and does nothing more when it is closed', async () => {
    candidates.set(TOPIC, others)
    answer = untilAborted
    await pass(1_000)
    expect(dials.map(({ signal }) => signal.aborted)).toEqual([false, false])
    mesh.close()
    expect(dials.map(({ signal }) => signal.aborted)).toEqual([true, true])
    await pass(100_000)
    expect(dials).toHaveLength(2)
    expect(mesh.admits(larger)).toBe(false)
  })
})

describe('the links of a mesh', () => {
  it('are open connections to others than nodes, not through a node', () => {
    const [node = '', gone = '', relayed = '', member = ''] = others
    nodes = [node]
    connect(node)
    connect(gone).status = 'closed'
    connect(relayed, true)
    connect(member)
    expect(linked()).toEqual([member])
  })
})

describe('a mesh that is asked for a link', () => {
  it('admits somebody, and nobody twice', () => {
    expect(mesh.admits(larger)).toBe(true)
    connect(larger, true)
    expect(mesh.admits(larger)).toBe(true)
    connect(larger)
    expect(mesh.admits(larger)).toBe(false)
    expect(mesh.admits(smaller)).toBe(true)
  })

  it('admits up to 16, more than it makes itself', () => {
    for (const peerId of others.slice(0, 15)) connect(peerId)
    expect(mesh.admits(larger)).toBe(true)
    connect(others[15] ?? '')
    expect(mesh.admits(larger)).toBe(false)
  })

  it.each([
    ['smaller', smaller, true],
    ['larger', larger, false],
  ])(
    'where both connect at once, lets the one with the smaller peer id do it: the other’s is %s',
    async (_size, peerId, isAdmitted) => {
      candidates.set(TOPIC, [peerId])
      answer = untilAborted
      await pass(1_000)
      expect(mesh.admits(peerId)).toBe(isAdmitted)
      expect(dials[0]?.signal.aborted).toBe(isAdmitted)
    },
  )

  it('does not connect to somebody it has admitted, for 15 s: two links between the same two are one too many', async () => {
    candidates.set(TOPIC, [larger])
    expect(mesh.admits(larger)).toBe(true)
    await pass(14_999)
    expect(dials).toEqual([])
    await pass(2_000)
    expect(direct()).toEqual([larger])
  })

  it('admits the other side again once its own attempt has failed', async () => {
    candidates.set(TOPIC, [larger])
    answer = fail
    await pass(1_000)
    expect(mesh.admits(larger)).toBe(true)
  })

  it('tries itself half a minute after it gave way, where the other side had no success', async () => {
    candidates.set(TOPIC, [smaller])
    answer = untilAborted
    await pass(1_000)
    expect(mesh.admits(smaller)).toBe(true)
    answer = async ({ peerId, way }) => connect(peerId, way === 'relayed')
    await pass(29_000)
    expect(direct()).toEqual([])
    await pass(2_000)
    expect(direct()).toEqual([smaller])
  })
})
