import { ManualClock } from 'ghostchat/testing'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import {
  REGISTRY_LIMITS,
  REMEMBERED_ANSWERS,
  type RegistryLimits,
} from '../../../src/node/rendezvous/limits.ts'
import { type Lookup, Registry } from '../../../src/node/rendezvous/registry.ts'
import { systemRandom } from '../../../src/random.ts'
import { topicCid } from '../../../src/wire/topic-cid.ts'
import { found, ip, recordOf, registered } from '../../support/registry.ts'

const NOW = 1_800_000_000_000
const HOUR = 60 * 60 * 1_000

function setUp(limits: Partial<RegistryLimits> = {}) {
  const clock = new ManualClock(NOW)
  const registry = new Registry({ clock, random: systemRandom, limits })
  return { clock, registry }
}

const peersOf = (registry: Registry, lookup: Lookup = { namespace: 'room' }): string[] =>
  found(registry, lookup).map(({ peerId }) => peerId)

describe('a registration', () => {
  it('is found under its namespace, with what the peer signed, and under no other', () => {
    const { registry } = setUp()
    expect(registered(registry, 'ada', { ttlSeconds: 3 * 3600 })).toEqual({
      status: 'OK',
      ttlSeconds: 10_800,
    })
    expect(found(registry, { namespace: 'room' })).toEqual([
      {
        namespace: 'room',
        peerId: 'ada',
        addresses: recordOf('ada').addresses,
        signedPeerRecord: recordOf('ada').signedPeerRecord,
        form: 'multicodec',
        expiresAtMs: NOW + 3 * HOUR,
        origin: 'local',
      },
    ])
    expect(peersOf(registry, { namespace: 'Room' })).toEqual([])
  })

  it.each([
    ['nothing', undefined, 7_200],
    ['zero', 0, 7_200],
    ['a minute', 60, 7_200],
    ['two hours', 7_200, 7_200],
    ['72 hours', 259_200, 259_200],
  ])(
    'that asks for %s gets two hours at least, and is told how long it holds',
    (_wish, ttlSeconds, granted) => {
      const { registry } = setUp()
      expect(registered(registry, 'ada', { ttlSeconds })).toEqual({ status: 'OK', ttlSeconds: granted })
    },
  )

  it.each([259_201, Number.MAX_SAFE_INTEGER])(
    'that asks for more than 72 hours is refused: %i',
    (ttlSeconds) => {
      const { registry } = setUp()
      expect(registered(registry, 'ada', { ttlSeconds })).toMatchObject({ status: 'E_INVALID_TTL' })
      expect(registry.size).toBe(0)
    },
  )

  it.each([
    ['an empty one', '', 'E_INVALID_NAMESPACE'],
    ['one of 255 bytes', `${'ü'.repeat(127)}x`, 'OK'],
    ['one of 256 bytes', 'ü'.repeat(128), 'E_INVALID_NAMESPACE'],
  ])('needs a namespace of 1 to 255 bytes: %s', (_what, namespace, status) => {
    const { registry } = setUp()
    expect(registered(registry, 'ada', { namespace })).toMatchObject({ status })
  })

  it('ends when its time is over, and no sooner', async () => {
    const { registry, clock } = setUp()
    registered(registry, 'ada')
    await clock.advance(2 * HOUR - 1)
    expect(registry.size).toBe(1)
    await clock.advance(1)
    expect(registry.size).toBe(0)
    expect(peersOf(registry)).toEqual([])
    expect(registry.peer('ada')).toBeUndefined()
    expect(registry.namespacesOf('ada')).toEqual([])
    expect(registry.providers(topicCid('room'), 10)).toEqual([])
  })

  it('is renewed by registering again, and stays one', async () => {
    const { registry, clock } = setUp()
    registered(registry, 'ada')
    await clock.advance(HOUR)
    registered(registry, 'ada')
    expect(registry.size).toBe(1)
    await clock.advance(2 * HOUR - 1)
    expect(peersOf(registry)).toEqual(['ada'])
    await clock.advance(1)
    expect(registry.size).toBe(0)
  })

  it('ends in a pause of days, too, and the others stay', async () => {
    const { registry, clock } = setUp()
    registered(registry, 'ada')
    registered(registry, 'bob', { ttlSeconds: 259_200 })
    await clock.advance(50 * HOUR)
    expect(peersOf(registry)).toEqual(['bob'])
  })

  it('is taken back by its peer, in one namespace or in all', () => {
    const { registry } = setUp()
    for (const namespace of ['room', 'hall', 'yard']) registered(registry, 'ada', { namespace })
    registered(registry, 'bob')
    registry.unregister('room', 'ada')
    registry.unregister('room', 'ada')
    registry.unregister('nowhere', 'nobody')
    expect(peersOf(registry)).toEqual(['bob'])
    expect(registry.namespacesOf('ada')).toEqual(['hall', 'yard'])
    registry.drop('ada')
    expect(registry.namespacesOf('ada')).toEqual([])
    expect(registry.size).toBe(1)
  })

  it('is told with the newest record of its peer, whichever namespace that came with', () => {
    const { registry } = setUp()
    registered(registry, 'ada', {
      record: recordOf('ada', { sequence: 5n, address: '/ip4/192.0.2.5/tcp/1' }),
    })
    registered(registry, 'ada', {
      namespace: 'hall',
      record: recordOf('ada', { sequence: 6n, address: '/ip4/192.0.2.6/tcp/1' }),
    })
    expect(found(registry, { namespace: 'room' })[0]?.addresses).toEqual(['/ip4/192.0.2.6/tcp/1'])
    // rust-libp2p numbers records by the second: of two alike the later one counts.
    registered(registry, 'ada', {
      record: recordOf('ada', { sequence: 6n, address: '/ip4/192.0.2.7/tcp/1' }),
    })
    expect(found(registry, { namespace: 'hall' })[0]?.addresses).toEqual(['/ip4/192.0.2.7/tcp/1'])
    // An older one is ignored; the registration it came with counts.
    const older = recordOf('ada', { sequence: 4n, address: '/ip4/192.0.2.4/tcp/1' })
    expect(registered(registry, 'ada', { namespace: 'yard', record: older })).toMatchObject({ status: 'OK' })
    expect(found(registry, { namespace: 'yard' })[0]?.addresses).toEqual(['/ip4/192.0.2.7/tcp/1'])
    expect(registry.peer('ada')).toMatchObject({ namespace: 'yard', addresses: ['/ip4/192.0.2.7/tcp/1'] })
  })

  it('whose record has one form is not told to whoever reads the other', () => {
    const { registry } = setUp()
    registered(registry, 'js')
    registered(registry, 'rust', { record: recordOf('rust', { form: 'rfc0003' }) })
    expect(peersOf(registry, { namespace: 'room' })).toEqual(['js'])
    expect(peersOf(registry, { namespace: 'room', form: 'rfc0003' })).toEqual(['rust'])
    expect(peersOf(registry, { form: 'rfc0003' })).toEqual(['rust'])
    expect(registry.size).toBe(2)
    expect(registry.has('room', 'rfc0003')).toBe(true)
    expect(registry.has('hall', 'rfc0003')).toBe(false)
  })
})

describe('a lookup', () => {
  it('without a namespace, or with an empty one, finds everybody', () => {
    const { registry } = setUp()
    registered(registry, 'ada')
    registered(registry, 'bob', { namespace: 'hall' })
    expect(peersOf(registry, {}).sort()).toEqual(['ada', 'bob'])
    expect(peersOf(registry, { namespace: '' }).sort()).toEqual(['ada', 'bob'])
  })

  it('in a namespace over 255 bytes is refused', () => {
    const { registry } = setUp()
    expect(registry.discover({ namespace: 'x'.repeat(256) })).toMatchObject({ status: 'E_INVALID_NAMESPACE' })
  })

  it('is answered with 1,000 at the most, or with as many as were asked for', () => {
    const { registry } = setUp()
    for (let peer = 0; peer < 1_100; peer += 1) registered(registry, `peer ${peer}`, { ip: ip(peer) })
    expect(peersOf(registry)).toHaveLength(1_000)
    expect(peersOf(registry, { namespace: 'room', limit: 0 })).toHaveLength(1_000)
    expect(peersOf(registry, { namespace: 'room', limit: 5_000 })).toHaveLength(1_000)
    expect(peersOf(registry, { namespace: 'room', limit: 7 })).toHaveLength(7)
  })

  it('is answered with different ones each time when there are more', () => {
    const { registry } = setUp()
    for (let peer = 0; peer < 300; peer += 1) registered(registry, `peer ${peer}`, { ip: ip(peer % 10) })
    const seen = new Set<string>()
    for (let time = 0; time < 100; time += 1) {
      for (const peer of peersOf(registry, { namespace: 'room', limit: 10 })) seen.add(peer)
    }
    // 1,000 draws of 300: each stays unseen with a probability of 4 %; at chance, 289 are seen.
    expect(seen.size).toBeGreaterThan(250)
  })

  it('is answered with no more bytes than an answer may have, and the rest follows', () => {
    const { registry } = setUp({ maxAnswerBytes: 4_000 })
    for (let peer = 0; peer < 10; peer += 1) {
      registered(registry, `peer ${peer}`, { record: recordOf(`peer ${peer}`, { bytes: 1_000 }) })
    }
    const answers: string[][] = []
    let cookie: Uint8Array | undefined
    for (let turn = 0; turn < 5; turn += 1) {
      const answer = registry.discover({ namespace: 'room', cookie })
      if (answer.status !== 'OK') throw new Error(answer.text)
      answers.push(answer.registrations.map(({ peerId }) => peerId))
      cookie = answer.cookie
    }
    expect(answers.map(({ length }) => length)).toEqual([3, 3, 3, 1, 0])
    expect(new Set(answers.flat()).size).toBe(10)
  })

  it('goes on to the end when what it was told first is forgotten, at the cost of hearing some of it twice', () => {
    const { registry } = setUp()
    for (let peer = 0; peer < 30; peer += 1) registered(registry, `peer ${peer}`, { ip: ip(peer % 4) })
    const ask = (cookie?: Uint8Array) => {
      const answer = registry.discover({ namespace: 'room', limit: 10, cookie })
      if (answer.status !== 'OK') throw new Error(answer.text)
      return answer
    }
    const first = ask()
    const rest = (): string[][] => {
      const answers: string[][] = []
      for (let answer = ask(first.cookie); answer.registrations.length > 0; answer = ask(answer.cookie)) {
        answers.push(answer.registrations.map(({ peerId }) => peerId))
      }
      return answers
    }
    const told = first.registrations.map(({ peerId }) => peerId)
    expect(rest().map(({ length }) => length)).toEqual([10, 10])
    expect(new Set([...told, ...rest().flat()]).size).toBe(30)
    for (let other = 0; other < REMEMBERED_ANSWERS; other += 1) ask()
    expect(rest().map(({ length }) => length)).toEqual([10, 10, 10])
    expect(new Set(rest().flat()).size).toBe(30)
  })

  it('by the CID of the topic finds the same, whatever codec the CID has', () => {
    const { registry } = setUp()
    registered(registry, 'ada')
    registered(registry, 'rust', { record: recordOf('rust', { form: 'rfc0003' }) })
    registered(registry, 'bob', { namespace: 'hall' })
    const cid = topicCid('room')
    const peers = (cid: CID, limit = 10) => registry.providers(cid, limit).map(({ peerId }) => peerId)
    expect(peers(cid).sort()).toEqual(['ada', 'rust'])
    expect(peers(CID.createV1(0x70, cid.multihash)).sort()).toEqual(['ada', 'rust'])
    expect(peers(cid, 1)).toHaveLength(1)
    registry.drop('ada')
    expect(peers(cid)).toEqual(['rust'])
    registry.drop('rust')
    expect(peers(cid)).toEqual([])
  })

  it('leaves out what was learnt from other nodes where only local ones are wanted', () => {
    const { registry } = setUp()
    registered(registry, 'ada')
    registered(registry, 'bob', { origin: 'node-b' })
    registered(registry, 'carol', { origin: 'node-b', namespace: 'hall' })
    expect(peersOf(registry).sort()).toEqual(['ada', 'bob'])
    expect(peersOf(registry, { namespace: 'room', localOnly: true })).toEqual(['ada'])
    expect(peersOf(registry, { namespace: 'hall', localOnly: true })).toEqual([])
    expect(registry.peer('bob')).toMatchObject({ origin: 'node-b' })
  })
})

describe('what was learnt from another node', () => {
  it('does not take the place of what the peer registered here, but its newer record counts', () => {
    const { registry } = setUp()
    registered(registry, 'ada', { ttlSeconds: 259_200 })
    const newer = recordOf('ada', { sequence: 9n, address: '/ip4/192.0.2.9/tcp/1' })
    registered(registry, 'ada', { origin: 'node-b', record: newer })
    expect(found(registry, { namespace: 'room' })).toMatchObject([
      { origin: 'local', expiresAtMs: NOW + 72 * HOUR, addresses: ['/ip4/192.0.2.9/tcp/1'] },
    ])
  })

  it('gives way to what the peer registers here, and is not its to take back', () => {
    const { registry } = setUp()
    registered(registry, 'ada', { origin: 'node-b' })
    registry.unregister('room', 'ada')
    registry.drop('ada')
    expect(peersOf(registry)).toEqual(['ada'])
    registered(registry, 'ada')
    expect(found(registry, { namespace: 'room' })).toMatchObject([{ origin: 'local' }])
    registry.drop('ada')
    expect(registry.size).toBe(0)
  })

  it('counts under that node: it cannot crowd out the clients of this one', () => {
    const { registry } = setUp({ maxPerNamespace: 10 })
    for (let peer = 0; peer < 10; peer += 1) registered(registry, `far ${peer}`, { origin: 'node-b' })
    for (let peer = 0; peer < 4; peer += 1) {
      expect(registered(registry, `near ${peer}`, { ip: ip(1) })).toMatchObject({ status: 'OK' })
    }
    expect(peersOf(registry).filter((peer) => peer.startsWith('near'))).toHaveLength(4)
  })

  it('does not count toward what its peer may register here', () => {
    const { registry } = setUp({ maxPerPeer: 2 })
    for (let room = 0; room < 5; room += 1) {
      registered(registry, 'ada', { origin: 'node-b', namespace: `made up ${room}` })
    }
    expect(registered(registry, 'ada', { namespace: 'made up 0' })).toMatchObject({ status: 'OK' })
    expect(registered(registry, 'ada', { namespace: 'room' })).toMatchObject({ status: 'OK' })
    expect(registered(registry, 'ada', { namespace: 'made up 1' })).toMatchObject({ status: 'E_UNAVAILABLE' })
    registry.unregister('room', 'ada')
    expect(registered(registry, 'ada', { namespace: 'made up 1' })).toMatchObject({ status: 'OK' })
  })

  it('counts under the address of a node that nobody named: many at one address weigh as much as one', () => {
    const { registry } = setUp()
    for (let peer = 0; peer < 20; peer += 1) registered(registry, `near ${peer}`, { ip: ip(peer) })
    for (let peer = 0; peer < 640; peer += 1) {
      registered(registry, `far ${peer}`, { origin: `node ${peer % 64}`, ip: '192.0.2.66', ttlSeconds: 60 })
    }
    for (let round = 0; round < 20; round += 1) {
      const near = found(registry, { namespace: 'room', limit: 12 }).filter(
        ({ origin }) => origin === 'local',
      )
      expect(near.length).toBeGreaterThanOrEqual(11)
    }
    expect(found(registry, { namespace: 'room', localOnly: true })).toHaveLength(20)
  })

  it('counts under a node that was named, wherever that is', () => {
    const { registry } = setUp()
    for (let peer = 0; peer < 40; peer += 1) {
      registered(registry, `far ${peer}`, { origin: `node ${peer % 4}`, ttlSeconds: 60 })
    }
    const nodes = found(registry, { namespace: 'room', limit: 4 }).map(({ origin }) => origin)
    expect(new Set(nodes).size).toBe(4)
  })
})

describe('the limits', () => {
  it('are those of the spec and of the threats', () => {
    expect(REGISTRY_LIMITS).toEqual({
      maxPerPeer: 1_000,
      maxPerAddress: 10_000,
      maxPerNamespace: 10_000,
      maxTotal: 50_000,
      maxAnswerBytes: 1_000_000,
    })
  })

  it('hold for the namespaces of a peer', () => {
    const { registry } = setUp({ maxPerPeer: 3 })
    for (let room = 0; room < 3; room += 1) registered(registry, 'ada', { namespace: `room ${room}` })
    expect(registered(registry, 'ada', { namespace: 'room 3' })).toMatchObject({ status: 'E_UNAVAILABLE' })
    expect(registered(registry, 'ada', { namespace: 'room 2' })).toMatchObject({ status: 'OK' })
    expect(registered(registry, 'bob', { namespace: 'room 3' })).toMatchObject({ status: 'OK' })
    registry.unregister('room 0', 'ada')
    expect(registered(registry, 'ada', { namespace: 'room 3' })).toMatchObject({ status: 'OK' })
  })

  it.each([
    ['IPv4', '192.0.2.1', '192.0.2.1', '192.0.2.2'],
    ['IPv4 in IPv6', '::ffff:192.0.2.1', '192.0.2.1', '::ffff:192.0.2.2'],
    ['the /64 of IPv6', '2001:db8::1', '2001:db8::ffff:2', '2001:db8:0:1::1'],
  ])('hold for an address: %s', (_what, first, second, other) => {
    const { registry } = setUp({ maxPerAddress: 2 })
    registered(registry, 'ada', { ip: first })
    registered(registry, 'bob', { ip: second })
    expect(registered(registry, 'eve', { ip: second })).toMatchObject({ status: 'E_UNAVAILABLE' })
    expect(registered(registry, 'bob', { ip: second })).toMatchObject({ status: 'OK' })
    expect(registered(registry, 'eve', { ip: other })).toMatchObject({ status: 'OK' })
    expect(registered(registry, 'eve', { ip: second })).toMatchObject({ status: 'E_UNAVAILABLE' })
    expect(peersOf(registry).sort()).toEqual(['ada', 'bob', 'eve'])
  })

  it.each([
    ['a namespace', { maxPerNamespace: 100 }, () => 'room'],
    ['all', { maxTotal: 100 }, (peer: number) => `room ${peer}`],
  ])(
    'hold for %s, and whoever comes from a quieter address gets a place of the most crowded',
    (_what, limits, room) => {
      const { registry } = setUp(limits)
      for (let peer = 0; peer < 90; peer += 1) {
        registered(registry, `loud ${peer}`, { ip: ip(1), namespace: room(peer) })
      }
      for (let peer = 0; peer < 10; peer += 1) {
        registered(registry, `other ${peer}`, { ip: ip(2), namespace: room(peer) })
      }
      expect(registered(registry, 'loud too', { ip: ip(1), namespace: room(90) })).toMatchObject({
        status: 'E_UNAVAILABLE',
      })
      for (let peer = 0; peer < 45; peer += 1) {
        const answer = registered(registry, `quiet ${peer}`, { ip: ip(3), namespace: room(peer) })
        expect(answer).toMatchObject({ status: 'OK' })
        expect(registry.size).toBe(100)
      }
      expect(registered(registry, 'quiet too', { ip: ip(3), namespace: room(45) })).toMatchObject({
        status: 'E_UNAVAILABLE',
      })
      const left = found(registry, {}).map(({ peerId }) => peerId.split(' ')[0])
      const count = (who: string): number => left.filter((name) => name === who).length
      expect([count('quiet'), count('other')]).toEqual([45, 10])
      expect(count('loud')).toBe(45)
    },
  )

  it('refuse a newcomer when all addresses are equally quiet', () => {
    const { registry } = setUp({ maxPerNamespace: 5 })
    for (let peer = 0; peer < 5; peer += 1) registered(registry, `peer ${peer}`, { ip: ip(peer) })
    expect(registered(registry, 'late', { ip: ip(9) })).toMatchObject({ status: 'E_UNAVAILABLE' })
    expect(registered(registry, 'peer 3', { ip: ip(3) })).toMatchObject({ status: 'OK' })
    expect(registry.size).toBe(5)
  })
})

describe('1,000 registrations of one address', () => {
  function crowded() {
    const { registry } = setUp()
    for (let peer = 0; peer < 1_000; peer += 1) registered(registry, `loud ${peer}`, { ip: ip(1) })
    for (let peer = 0; peer < 5; peer += 1) registered(registry, `quiet ${peer}`, { ip: ip(2 + peer) })
    return registry
  }
  const quiet = (peers: string[]): number => peers.filter((peer) => peer.startsWith('quiet')).length

  it('crowd nobody at another address out of an answer', () => {
    const registry = crowded()
    for (let time = 0; time < 50; time += 1) {
      expect(quiet(peersOf(registry, { namespace: 'room', limit: 10 }))).toBe(5)
      expect(quiet(registry.providers(topicCid('room'), 10).map(({ peerId }) => peerId))).toBeGreaterThan(0)
    }
    expect(quiet(peersOf(registry, { namespace: 'room', limit: 6 }))).toBe(5)
  })

  it('delay nobody at another address in an answer about what is new', () => {
    const { registry } = setUp()
    const before = registry.discover({ namespace: 'room' })
    if (before.status !== 'OK') throw new Error(before.text)
    for (let peer = 0; peer < 1_000; peer += 1) registered(registry, `loud ${peer}`, { ip: ip(1) })
    registered(registry, 'quiet', { ip: ip(2) })
    const peers = peersOf(registry, { namespace: 'room', limit: 2, cookie: before.cookie })
    expect(peers).toContain('quiet')
  })

  it('make nobody at another address wait: what is looked at is what is answered', () => {
    const registry = crowded()
    const first = registry.discover({ namespace: 'room', limit: 10 })
    expect(first).toMatchObject({ status: 'OK', looked: 10 })
    const all = registry.discover({ namespace: 'room' })
    expect(all).toMatchObject({ status: 'OK', looked: 1_000 })
    // And whoever has read everything looks at what is new alone.
    const { registry: fresh } = setUp()
    for (let peer = 0; peer < 900; peer += 1) registered(fresh, `loud ${peer}`, { ip: ip(1) })
    const read = fresh.discover({ namespace: 'room' })
    if (read.status !== 'OK') throw new Error(read.text)
    registered(fresh, 'quiet', { ip: ip(2) })
    expect(fresh.discover({ namespace: 'room', cookie: read.cookie })).toMatchObject({
      looked: 1,
      registrations: [{ peerId: 'quiet' }],
    })
  })
})
