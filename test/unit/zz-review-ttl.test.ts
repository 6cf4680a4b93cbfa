import { expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { MeetingPoint } from '../../src/discovery/meeting-point.ts'
import { systemRandom } from '../../src/random.ts'
import { Mesh } from '../../src/network/mesh.ts'
import { ManualClock } from '../../src/testing/index.ts'
import { multiaddr } from '@multiformats/multiaddr'

it('ttl overflow: timers', async () => {
  let timers = 0
  const clock = { now: () => Date.now(), after: (ms: number, t: () => void) => { timers++; return systemClock.after(ms, t) } }
  const m = new MeetingPoint({ requests: { register: async () => Number.MAX_SAFE_INTEGER, unregister: async () => {}, discover: async () => ({ peers: [] }) } as never, clock, random: systemRandom, hasAddresses: () => true, onFound: () => {}, onFailure: console.log })
  m.enter('t'); m.connected({} as never)
  await new Promise((r) => setTimeout(r, 5000))
  m.disconnected()
  console.log('TIMERS in 5 s with ttl 2^53-1:', timers)
}, 10_000)
it('ttl 1 second: registrations', async () => {
  let n = 0
  const m = new MeetingPoint({ requests: { register: async () => { n++; return 1 }, unregister: async () => {}, discover: async () => ({ peers: [] }) } as never, clock: systemClock, random: systemRandom, hasAddresses: () => true, onFound: () => {}, onFailure: console.log })
  m.enter('t'); m.connected({} as never)
  await new Promise((r) => setTimeout(r, 5000))
  m.disconnected()
  console.log('REGISTRATIONS in 5 s with ttl 1:', n)
}, 10_000)
it('mesh starves beside a dapp\'s own connections, and inbound strangers', async () => {
  for (const count of [0, 11, 12]) {
    const clock = new ManualClock()
    const dialled: unknown[] = []
    const connections = Array.from({ length: count }, (_, i) => ({ status: 'open', limits: undefined, remotePeer: { toString: () => 'stranger' + i }, streams: [] }))
    const libp2p = { peerId: { toString: () => 'me' }, getConnections: () => connections, dial: async (a: unknown) => { dialled.push(a); throw new Error('x') } }
    const mesh = new Mesh({ libp2p: libp2p as never, pubsub: { getSubscribers: () => [] } as never, clock, random: systemRandom, topics: () => ['t'], candidates: () => ['a', 'b', 'c', 'd'], routesTo: () => ({ relayed: [multiaddr('/ip4/1.2.3.4/tcp/1/ws')], direct: [multiaddr('/ip4/1.2.3.4/tcp/1/ws')] }), isNode: () => false, onSparse: () => {} })
    mesh.wake()
    await clock.advance(120_000)
    console.log('strangers connected', count, '-> dials to members in 120 s:', dialled.length)
    mesh.close()
  }
})
