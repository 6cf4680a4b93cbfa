import type { Libp2p, PeerId, Stream } from '@libp2p/interface'
import { lpStream, streamPair } from '@libp2p/utils'
import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { silentLogger } from '../../../src/logger.ts'
import type { Asker } from '../../../src/node/rendezvous/asker.ts'
import { ADDRESS_PACE, CLIENT_PACE, Federation } from '../../../src/node/rendezvous/federation.ts'
import { Registry } from '../../../src/node/rendezvous/registry.ts'
import { systemRandom } from '../../../src/random.ts'
import {
  decodeRendezvous,
  encodeRendezvous,
  RENDEZVOUS_PROTOCOL,
  type RegisterBody,
  type RendezvousMessage,
} from '../../../src/wire/rendezvous.ts'
import { NOW } from '../../support/authors.ts'
import { found } from '../../support/registry.ts'
import { ShiftedClock } from '../../support/shifted-clock.ts'
import { envelopeOf, type Keyed, keyed } from '../../support/signed-records.ts'
import { settles, until } from '../../support/world.ts'

const namespace = 'room'
const CLIENT: Asker = { peerId: 'client', ip: '192.0.2.1' }

/** What a node does when it is asked: it says who is registered, that it is asked too much, or nothing at all. */
type Reaction = () => RegisterBody[] | Promise<RegisterBody[]> | 'refusal' | 'silence'

let own: Keyed
let one: Keyed
let two: Keyed
let ada: Keyed
let clock: ManualClock
let set: ShiftedClock
let registry: Registry
let nodes: PeerId[]
let named: PeerId[]
/** Which node was asked for which namespace. */
let asked: [node: string, namespace: string | undefined][]
/** By node. */
let reactions: Map<string, Reaction>
/** Nodes that cannot be dialled. */
let unreachable: Set<string>
/** By node: how many questions it has not answered, and the most there were at once. */
let open: Map<string, { now: number; most: number }>
let federation: Federation

beforeEach(async () => {
  ;[own, one, two, ada] = [await keyed(), await keyed(), await keyed(), await keyed()]
  clock = new ManualClock(NOW)
  set = new ShiftedClock(clock)
  registry = new Registry({ clock, random: systemRandom })
  nodes = [one.peerId]
  named = [one.peerId]
  asked = []
  reactions = new Map()
  unreachable = new Set()
  open = new Map()
  const libp2p = { peerId: own.peerId, dialProtocol } as unknown as Libp2p
  federation = new Federation({
    libp2p,
    registry,
    nodes: () => nodes,
    isNamed: (peerId) => named.includes(peerId),
    addressOf: () => '192.0.2.66',
    clock: set,
    logger: silentLogger,
  })
})

async function dialProtocol(peer: PeerId, protocol: string): Promise<Stream> {
  expect(protocol).toBe(RENDEZVOUS_PROTOCOL)
  const node = peer.toString()
  if (unreachable.has(node)) {
    asked.push([node, undefined])
    throw new Error('no way there')
  }
  const [outbound, inbound]: [Stream, Stream] = await streamPair()
  void serve(node, inbound)
  return outbound
}

async function serve(node: string, stream: Stream): Promise<void> {
  const prefixed = lpStream(stream)
  const bytes = await prefixed.read().catch(() => undefined)
  const request = bytes && decodeRendezvous(bytes.subarray())
  if (request?.type !== 'discover') return
  asked.push([node, request.namespace])
  const isOver = countOf(node, stream)
  const reaction = (await reactions.get(node)?.()) ?? []
  if (reaction === 'silence') return
  isOver()
  const answer: RendezvousMessage =
    reaction === 'refusal'
      ? { type: 'discover-response', registrations: [], status: 'E_UNAVAILABLE' }
      : { type: 'discover-response', registrations: reaction, status: 'OK' }
  await prefixed.write(encodeRendezvous(answer)).catch(() => {})
  await stream.close().catch(() => {})
}

/** Counts a question as open until the function is called, or its stream closes. */
function countOf(node: string, stream: Stream): () => void {
  const count = open.get(node) ?? { now: 0, most: 0 }
  open.set(node, count)
  count.now += 1
  count.most = Math.max(count.most, count.now)
  let isOpen = true
  const close = (): void => {
    if (isOpen) count.now -= 1
    isOpen = false
  }
  stream.addEventListener('close', close)
  return close
}

/** Has the other nodes asked, on behalf of somebody. */
const refresh = (name: string, asker: Asker = CLIENT): Promise<void> => federation.refresh(name, asker)
/** What a node does from now on. */
const reacts = ({ peerId }: Keyed, reaction: Reaction): unknown => reactions.set(peerId.toString(), reaction)
const peersIn = (name = namespace): string[] =>
  found(registry, { namespace: name }).map(({ peerId }) => peerId)

/** A node names somebody. */
async function naming(peer: Keyed, body: Partial<RegisterBody> = {}): Promise<() => RegisterBody[]> {
  const signedPeerRecord = await envelopeOf(peer)
  return () => [{ namespace, signedPeerRecord, ttlSeconds: 7_200, ...body }]
}

describe('what other nodes know', () => {
  it('is asked of each of them, and kept as what that node said', async () => {
    nodes = [one.peerId, two.peerId]
    const bob = await keyed()
    reacts(one, await naming(ada))
    reacts(two, await naming(bob))
    await refresh(namespace)
    const origins = found(registry, { namespace }).map(({ peerId, origin }) => [peerId, origin])
    expect(origins.sort()).toEqual(
      [
        [ada.peerId.toString(), one.peerId.toString()],
        [bob.peerId.toString(), two.peerId.toString()],
      ].sort(),
    )
    expect(found(registry, { namespace, localOnly: true })).toEqual([])
  })

  it('counts under the node where that was named, else under its address', async () => {
    nodes = [one.peerId, two.peerId]
    reacts(one, await naming(ada))
    reacts(two, await naming(await keyed()))
    const register = vi.spyOn(registry, 'register')
    await refresh(namespace)
    const owners = register.mock.calls.map(([{ origin, ip }]) => [origin, ip])
    expect(new Map(owners as [string, unknown][])).toEqual(
      new Map<string, unknown>([
        [one.peerId.toString(), undefined],
        [two.peerId.toString(), '192.0.2.66'],
      ]),
    )
  })

  it('is asked of nobody where there is no other node', async () => {
    nodes = []
    await refresh(namespace)
    expect([asked, clock.pending]).toEqual([[], 0])
  })

  it('is asked for once a second at the most, for each namespace', async () => {
    await Promise.all([refresh(namespace), refresh(namespace)])
    await refresh(namespace)
    await clock.advance(999)
    await refresh(namespace)
    expect(asked).toHaveLength(1)
    await refresh('hall')
    expect(asked.map(([, name]) => name)).toEqual([namespace, 'hall'])
    await clock.advance(1)
    await refresh(namespace)
    expect(asked.map(([, name]) => name)).toEqual([namespace, 'hall', namespace])
  })

  it.each([undefined, 0, 61, 7_200, 2 ** 53 - 1])(
    'is kept for 60 s at the most, whatever the other node says: %s',
    async (ttlSeconds) => {
      const { ttlSeconds: _, ...body } = (await naming(ada))()[0] as RegisterBody
      reacts(one, () => [{ ...body, ...(ttlSeconds !== undefined && { ttlSeconds }) }])
      await refresh(namespace)
      await clock.advance(59_999)
      expect(peersIn()).toEqual([ada.peerId.toString()])
      await clock.advance(1)
      expect(peersIn()).toEqual([])
    },
  )

  it('is kept for as long as it is good where that is less', async () => {
    reacts(one, await naming(ada, { ttlSeconds: 5 }))
    await refresh(namespace)
    expect(found(registry, { namespace })[0]?.expiresAtMs).toBe(NOW + 5_000)
  })

  it('is nothing where the peer named no address, or the record cannot be passed on as it is', async () => {
    const [nowhere, strange] = [await keyed(), await keyed()]
    const records = [
      await envelopeOf(nowhere, { addresses: [] }),
      // With a field that nobody knows: read and written again it would be another.
      Uint8Array.of(...(await envelopeOf(strange)), 0x7a, 0),
      await envelopeOf(ada),
    ]
    reacts(one, () => records.map((signedPeerRecord) => ({ namespace, signedPeerRecord, ttlSeconds: 60 })))
    await refresh(namespace)
    expect(peersIn()).toEqual([ada.peerId.toString()])
  })
})

describe('a node that does not answer', () => {
  it.each(['silence', 'unreachable'] as const)(
    'is not asked for 30 s, and keeps nobody waiting meanwhile: %s',
    async (reaction) => {
      nodes = [one.peerId, two.peerId]
      if (reaction === 'silence') reacts(one, () => reaction)
      else unreachable.add(one.peerId.toString())
      reacts(two, await naming(ada))
      const first = refresh(namespace)
      await until(() => asked.length === 2)
      await clock.advance(1_000)
      await first
      // What the other node said has not been lost over it.
      expect(peersIn()).toEqual([ada.peerId.toString()])

      const silentSince = reaction === 'silence' ? NOW + 1_000 : NOW
      asked.splice(0)
      expect(await settles(refresh('hall'))).toBe(true)
      await clock.advance(silentSince + 29_999 - clock.now())
      expect(await settles(refresh('cellar'))).toBe(true)
      expect(asked).toEqual([
        [two.peerId.toString(), 'hall'],
        [two.peerId.toString(), 'cellar'],
      ])
      asked.splice(0)
      await clock.advance(1)
      reactions.clear()
      unreachable.clear()
      await refresh('attic')
      expect(asked.map(([node]) => node).sort()).toEqual([one, two].map(({ peerId }) => `${peerId}`).sort())
    },
  )

  it('is another than one that refuses: that is asked again', async () => {
    reacts(one, () => 'refusal')
    await refresh(namespace)
    reacts(one, await naming(ada))
    await clock.advance(1_000)
    await refresh(namespace)
    expect(peersIn()).toEqual([ada.peerId.toString()])
  })

  it('keeps whoever asks waiting for 1 s', async () => {
    reacts(one, () => 'silence')
    const asking = [refresh(namespace), refresh(namespace)]
    await until(() => asked.length === 1)
    await clock.advance(999)
    expect(await settles(Promise.race(asking))).toBe(false)
    await clock.advance(1)
    await Promise.all(asking)
    expect(asked).toHaveLength(1)
  })

  it('leaves no timer and no question behind', async () => {
    reacts(one, () => 'silence')
    const asking = refresh(namespace)
    await until(() => asked.length === 1)
    await clock.advance(1_000)
    await asking
    expect(clock.pending).toBe(0)
  })

  it('keeps nobody waiting once this node stops', async () => {
    reacts(one, () => 'silence')
    const asking = refresh(namespace)
    await until(() => asked.length === 1)
    federation.stop()
    await asking
    expect(clock.pending).toBe(0)
  })
})

describe('many questions at once', () => {
  /** The node answers one question each time this is called. */
  function answerable(): () => void {
    const waiting: (() => void)[] = []
    reacts(one, () => new Promise((resolve) => waiting.push(() => resolve([]))))
    return () => waiting.shift()?.()
  }

  it('come to one node 12 at a time', async () => {
    const answerOne = answerable()
    const asking = Array.from({ length: 30 }, (_, index) => refresh(`room ${index}`))
    await until(() => asked.length >= 12)
    expect(await settles(Promise.race(asking))).toBe(false)
    expect(asked).toHaveLength(12)
    for (let answered = 1; answered <= 18; answered += 1) {
      answerOne()
      await until(() => asked.length >= 12 + answered)
      expect(asked).toHaveLength(12 + answered)
    }
    for (let answered = 0; answered < 12; answered += 1) answerOne()
    await Promise.all(asking)
    expect(new Set(asked.map(([, name]) => name)).size).toBe(30)
  })

  it('come to each node 12 at a time, so that a slow one does not hold up another', async () => {
    nodes = [one.peerId, two.peerId]
    reacts(one, () => 'silence')
    const asking = Array.from({ length: 20 }, (_, index) => refresh(`room ${index}`))
    const askedOf = ({ peerId }: Keyed): number => asked.filter(([node]) => node === peerId.toString()).length
    await until(() => askedOf(two) === 20)
    expect([askedOf(one), open.get(one.peerId.toString())]).toEqual([12, { now: 12, most: 12 }])
    await clock.advance(1_000)
    await Promise.all(asking)
    expect(open.get(one.peerId.toString())).toEqual({ now: 0, most: 12 })
    expect(clock.pending).toBe(0)
  })

  it('are 64 at the most: whoever asks more gets what is known, at once', async () => {
    reacts(one, () => 'silence')
    const asking = Array.from({ length: 64 }, (_, index) => refresh(`room ${index}`))
    expect(await settles(refresh('one too many'))).toBe(true)
    // Who asks for what is being asked for waits for that.
    expect(await settles(refresh('room 63'))).toBe(false)
    await clock.advance(1_000)
    await Promise.all(asking)
    expect(asked.some(([, name]) => name === 'one too many')).toBe(false)
  })
})

describe('a client that asks for rooms it makes up', () => {
  let room = 0
  /** How many of so many questions the other node was asked. */
  async function ask(count: number, asker: Asker): Promise<number> {
    const before = asked.length
    for (let question = 0; question < count; question += 1) {
      room += 1
      await refresh(`room ${room}`, asker)
    }
    return asked.length - before
  }

  it('has so many asked for, then has to wait, and others do not', async () => {
    expect(await ask(CLIENT_PACE.burst + 10, CLIENT)).toBe(CLIENT_PACE.burst)
    expect(await ask(10, { peerId: 'another', ip: CLIENT.ip })).toBe(10)
    await clock.advance(1_000)
    expect(await ask(10, CLIENT)).toBe(CLIENT_PACE.perSecond)
  })

  it('has no more asked for from one address as many clients', async () => {
    let sum = 0
    for (let client = 0; client < 4; client += 1) {
      sum += await ask(100, { peerId: `client ${client}`, ip: '2001:db8::'.concat(String(client)) })
    }
    expect(sum).toBe(ADDRESS_PACE.burst)
    expect(await ask(10, { peerId: 'elsewhere', ip: '192.0.2.2' })).toBe(10)
  })

  it('is asked for again after a while, also when the clock was set back', async () => {
    await refresh(namespace)
    const before = asked.length
    set.aheadMs = -3_600_000
    await refresh(namespace)
    await clock.advance(2_000)
    await refresh(namespace)
    expect(asked.length).toBe(before + 1)
  })

  it('pays nothing for what was asked just now, or is being asked', async () => {
    for (let turn = 0; turn < 2; turn += 1) await Promise.all([refresh(namespace), refresh(namespace)])
    expect(await ask(CLIENT_PACE.burst, CLIENT)).toBe(CLIENT_PACE.burst - 1)
  })
})

describe('whoever asks', () => {
  it('is a node as long as it is connected as one', () => {
    expect([one, ada].map(({ peerId }) => federation.isNode(peerId.toString()))).toEqual([true, false])
    nodes = []
    expect(federation.isNode(one.peerId.toString())).toBe(false)
  })
})
