import { Message } from '@canvas-js/libp2p-rendezvous/protocol'
import fc from 'fast-check'
import { seededRandom } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { openPeerRecord } from '../../src/discovery/peer-record.ts'
import { Registry } from '../../src/node/rendezvous/registry.ts'
import {
  decodeRendezvous,
  encodeRendezvous,
  RENDEZVOUS_STATUS,
  type RendezvousMessage,
  type RendezvousStatus,
} from '../../src/wire/rendezvous.ts'
import { property } from '../support/property.ts'
import { found, ip, recordOf, registered } from '../support/registry.ts'
import { runs } from '../support/runs.ts'

const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text.isWellFormed())
const number = fc.oneof(fc.nat(), fc.maxSafeNat())
const data = fc.uint8Array({ maxLength: 24 })
const status = fc.constantFrom(...(Object.keys(RENDEZVOUS_STATUS) as RendezvousStatus[]))
const some = { requiredKeys: [] as [] }
const body = fc.record({ namespace: text, signedPeerRecord: data, ttlSeconds: number }, some)

const message: fc.Arbitrary<RendezvousMessage> = fc.oneof(
  body.map((body) => ({ type: 'register' as const, ...body })),
  fc.record(
    { type: fc.constant('register-response' as const), status, statusText: text, ttlSeconds: number },
    { requiredKeys: ['type', 'status'] },
  ),
  fc.record({ type: fc.constant('unregister' as const), namespace: text }, { requiredKeys: ['type'] }),
  fc.record(
    { type: fc.constant('discover' as const), namespace: text, limit: number, cookie: data },
    { requiredKeys: ['type'] },
  ),
  fc.record(
    {
      type: fc.constant('discover-response' as const),
      registrations: fc.array(body, { maxLength: 5 }),
      cookie: data,
      status,
      statusText: text,
    },
    { requiredKeys: ['type', 'registrations', 'status'] },
  ),
)

function numbersIn(value: object): number[] {
  return Object.values(value).flatMap((item: unknown) => {
    if (typeof item === 'number') return [item]
    return Array.isArray(item) ? item.flatMap(numbersIn) : []
  })
}

describe('rendezvous messages', () => {
  it('come out as they went in', () => {
    fc.assert(
      property(message, (message) => {
        expect(decodeRendezvous(encodeRendezvous(message))).toEqual(message)
      }),
      runs(1_000),
    )
  })

  it('are read alike by the codec of another implementation', () => {
    fc.assert(
      property(message, (message) => {
        const theirs = Message.decode(encodeRendezvous(message))
        expect(theirs.type).toBe(message.type.toUpperCase().replace('-', '_'))
        const discover = theirs.discoverResponse
        if (message.type === 'discover-response') {
          expect(discover?.status).toBe(message.status)
          expect(discover?.registrations.map(({ ns, ttl }) => [ns, ttl])).toEqual(
            message.registrations.map(({ namespace = '', ttlSeconds = 0 }) => [
              namespace,
              BigInt(ttlSeconds),
            ]),
          )
        }
        // What theirs writes of some numbers from 2^31 on is no number.
        if (numbersIn(message).some((number) => number >= 2 ** 31)) return
        // Theirs writes no zeros and no empty values, and ours reads what it wrote.
        const back = decodeRendezvous(Message.encode(theirs))
        expect(back?.type).toBe(message.type)
        expect(Message.decode(encodeRendezvous(back as RendezvousMessage))).toEqual(theirs)
      }),
      runs(500),
    )
  })

  it('never make the codec throw, whatever the bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.tuple(message, fc.nat(), fc.nat(255)).map(([message, at, value]) => {
        const bytes = encodeRendezvous(message)
        bytes[at % bytes.length] = value
        return bytes
      }),
      fc.tuple(message, fc.nat()).map(([message, at]) => {
        const bytes = encodeRendezvous(message)
        return bytes.subarray(0, at % bytes.length)
      }),
    )
    fc.assert(
      property(bytes, (bytes) => {
        const decoded = decodeRendezvous(bytes)
        if (decoded !== undefined) expect(decodeRendezvous(encodeRendezvous(decoded))).toEqual(decoded)
      }),
      runs(5_000),
    )
  })

  it('carry records of which the bytes never make the reader throw', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(await openPeerRecord(bytes)).toBeUndefined()
      }),
      runs(500),
    )
  })
})

type Step =
  | { do: 'register'; peer: number; room: number; ttlHours: number }
  | { do: 'unregister'; peer: number; room: number }
  | { do: 'drop'; peer: number }
  | { do: 'wait'; hours: number }

const peer = fc.nat(11)
const room = fc.nat(3)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('register' as const), peer, room, ttlHours: fc.nat(80) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('unregister' as const), peer, room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), peer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.nat(30) }) },
)

const name = (peer: number): string => `peer ${peer}`
/** A registry reads the time and sets no timers. */
function handClock() {
  return {
    time: 0,
    now() {
      return this.time
    },
    after(): () => void {
      throw new Error('a registry sets no timers')
    },
  }
}

/** Peers 0 to 5 are at one address, the others at one each. */
const ipOf = (peer: number): string => ip(peer < 6 ? 0 : peer)

describe('a registry', () => {
  it('knows what a simple list knows, while nothing is full', () => {
    fc.assert(
      property(fc.array(step, { maxLength: 30 }), (steps) => {
        const clock = handClock()
        const registry = new Registry({ clock, random: seededRandom(1) })
        const model = new Map<string, number>()
        for (const step of steps) {
          if (step.do === 'wait') clock.time += step.hours * 3_600_000
          else apply(registry, step, model, clock)
          for (const [key, end] of model) if (end <= clock.now()) model.delete(key)
        }
        expect(registry.size).toBe(model.size)
        const all = found(registry, {}).map(({ peerId, namespace }) => `${peerId} in ${namespace}`)
        expect(all.sort()).toEqual([...model.keys()].sort())
        for (let room = 0; room < 4; room += 1) {
          const here = found(registry, { namespace: `room ${room}` })
          expect(here).toHaveLength(all.filter((key) => key.endsWith(`in room ${room}`)).length)
        }
        for (let peer = 0; peer < 12; peer += 1) {
          const rooms = all.filter((key) => key.startsWith(`${name(peer)} in`))
          expect(registry.namespacesOf(name(peer))).toHaveLength(rooms.length)
          expect(registry.peer(name(peer)) === undefined).toBe(rooms.length === 0)
        }
      }),
      runs(200),
    )
  })

  it('stays within its limits, and a flood from one address leaves others their fair share', () => {
    const limits = { maxPerNamespace: 8, maxTotal: 12, maxPerPeer: 3, maxPerAddress: 9 }
    fc.assert(
      property(fc.array(fc.tuple(fc.nat(200), fc.nat(3), fc.nat(4)), { maxLength: 45 }), (requests) => {
        const registry = new Registry({ clock: handClock(), random: seededRandom(1), limits })
        for (const [peer, room, address] of requests) {
          // Address 0 is loud: it has any number of peers, the others one each.
          const peerId = address === 0 ? name(peer) : `quiet ${address}`
          const before = found(registry, {}).length
          const namespace = `room ${room}`
          const answer = registered(registry, peerId, { namespace, ip: ip(address) })
          const isIn = registry.namespacesOf(peerId).includes(namespace)
          if (answer.status === 'OK') expect(isIn).toBe(true)
          else expect(found(registry, {})).toHaveLength(before)
          assertLimits(registry, limits)
          // In a full room, whoever has nothing there gets in while another has two or more.
          if (answer.status !== 'OK' && address !== 0 && !isIn) {
            const here = found(registry, { namespace }).filter(({ peerId }) => !peerId.startsWith('quiet'))
            const isPeerFull = registry.namespacesOf(peerId).length >= limits.maxPerPeer
            const isRoomFull = found(registry, { namespace }).length >= limits.maxPerNamespace
            if (!isPeerFull && isRoomFull) expect(here.length).toBeLessThan(2)
          }
        }
      }),
      runs(100),
    )
  })

  it('tells whoever comes back with its cookies everything that stays, and nothing twice that did not change', () => {
    const limits = fc.integer({ min: 1, max: 7 })
    const rounds = fc.array(fc.tuple(fc.array(step, { maxLength: 8 }), limits), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      property(fc.nat(20), rounds, (many, rounds) => {
        const clock = handClock()
        const registry = new Registry({ clock, random: seededRandom(1) })
        const model = new Map<string, number>()
        for (let index = 0; index < many; index += 1) {
          registered(registry, `first ${index}`, { namespace: 'room 0', ip: ip(index % 5) })
        }
        const told = new Map<string, number>()
        let cookie: Uint8Array | undefined
        const ask = (limit: number): number => {
          const answer = registry.discover({ namespace: 'room 0', limit, cookie })
          if (answer.status !== 'OK') throw new Error(answer.text)
          expect(answer.registrations.length).toBeLessThanOrEqual(limit)
          cookie = answer.cookie
          for (const { peerId } of answer.registrations) told.set(peerId, (told.get(peerId) ?? 0) + 1)
          return answer.registrations.length
        }
        const renewals = new Map<string, number>()
        for (const [steps, limit] of rounds) {
          ask(limit)
          for (const step of steps) {
            if (step.do === 'wait') continue
            if (step.do === 'register' && step.room === 0 && step.ttlHours <= 72) {
              renewals.set(name(step.peer), (renewals.get(name(step.peer)) ?? 0) + 1)
            }
            apply(registry, step, model, clock)
          }
        }
        for (let turn = 0; turn < 200 && ask(3) > 0; turn += 1);
        for (const { peerId } of found(registry, { namespace: 'room 0' })) expect(told.has(peerId)).toBe(true)
        for (const [peerId, times] of told) {
          expect(times).toBeLessThanOrEqual(renewals.get(peerId) ?? 1)
        }
      }),
      runs(300),
    )
  })

  it('takes no cookie of another namespace, of another run, or of nobody', () => {
    const registry = new Registry({ clock: handClock(), random: seededRandom(1) })
    const other = new Registry({ clock: handClock(), random: seededRandom(2) })
    const cookieOf = (registry: Registry, namespace?: string): Uint8Array => {
      const answer = registry.discover({ namespace })
      if (answer.status !== 'OK') throw new Error(answer.text)
      return answer.cookie
    }
    const statusFor = (cookie: Uint8Array): string => registry.discover({ namespace: 'room', cookie }).status
    const right = cookieOf(registry, 'room')
    expect(statusFor(right)).toBe('OK')
    expect(statusFor(new Uint8Array())).toBe('OK')
    for (const wrong of [cookieOf(registry, 'hall'), cookieOf(registry), cookieOf(other, 'room')]) {
      expect(statusFor(wrong)).toBe('E_INVALID_COOKIE')
    }
    const forged = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.tuple(fc.nat(right.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, change]) => {
        return right.map((byte, index) => (index === at ? byte ^ change : byte))
      }),
    )
    fc.assert(
      property(forged, (cookie) => {
        expect(statusFor(cookie)).toBe('E_INVALID_COOKIE')
      }),
      runs(1_000),
    )
  })

  it('gives cookies that rust-libp2p can take apart: 8 bytes, then 255 bytes of UTF-8 at the most', () => {
    const registry = new Registry({ clock: handClock(), random: seededRandom(1) })
    for (let peer = 0; peer < 30; peer += 1) registered(registry, name(peer), { ip: ip(peer) })
    let cookie: Uint8Array | undefined
    for (let turn = 0; turn < 40; turn += 1) {
      const answer = registry.discover({ namespace: 'room', limit: 1, cookie })
      if (answer.status !== 'OK') throw new Error(answer.text)
      cookie = answer.cookie
      expect(cookie.length).toBeGreaterThan(8)
      expect(cookie.length).toBeLessThanOrEqual(8 + 255)
      expect(() => new TextDecoder('utf-8', { fatal: true }).decode(answer.cookie.subarray(8))).not.toThrow()
    }
  })
})

function apply(
  registry: Registry,
  step: Exclude<Step, { do: 'wait' }>,
  model: Map<string, number>,
  clock: Clock,
): void {
  const peerId = name(step.peer)
  if (step.do === 'drop') {
    registry.drop(peerId)
    for (const key of model.keys()) if (key.startsWith(`${peerId} in`)) model.delete(key)
    return
  }
  const namespace = `room ${step.room}`
  const key = `${peerId} in ${namespace}`
  if (step.do === 'unregister') {
    registry.unregister(namespace, peerId)
    model.delete(key)
    return
  }
  const ttlSeconds = step.ttlHours * 3600
  const record = recordOf(peerId, { sequence: BigInt(step.ttlHours) })
  const answer = registered(registry, peerId, { namespace, ip: ipOf(step.peer), ttlSeconds, record })
  if (step.ttlHours > 72) {
    expect(answer.status).toBe('E_INVALID_TTL')
    return
  }
  const granted = Math.max(2, step.ttlHours) * 3600
  expect(answer).toEqual({ status: 'OK', ttlSeconds: granted })
  model.set(key, clock.now() + granted * 1_000)
}

function assertLimits(
  registry: Registry,
  limits: { maxPerNamespace: number; maxTotal: number; maxPerPeer: number },
): void {
  const all = found(registry, {})
  expect(all.length).toBe(registry.size)
  expect(all.length).toBeLessThanOrEqual(limits.maxTotal)
  for (const namespace of new Set(all.map(({ namespace }) => namespace))) {
    const here = all.filter((one) => one.namespace === namespace)
    expect(here.length).toBeLessThanOrEqual(limits.maxPerNamespace)
  }
  for (const peerId of new Set(all.map(({ peerId }) => peerId))) {
    expect(registry.namespacesOf(peerId).length).toBeLessThanOrEqual(limits.maxPerPeer)
  }
}
