import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { ManualClock } from 'ghostchat/testing'
import { beforeEach, expect, it } from 'vitest'
import { CircuitRates } from '../../../src/node/circuit-rates.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'

const peer = (number: number): PeerId => peerIdFromString(realPeerId(number))
const from = (address: string): Connection[] => [
  { remoteAddr: multiaddr(`${address}/tcp/1/ws`) } as unknown as Connection,
]
const [member, other, stranger] = [peer(1), peer(2), peer(3)]
const HERE = from('/ip4/127.0.0.1')
const THERE = from('/ip4/192.0.2.1')
let clock: ManualClock
let rates: CircuitRates

beforeEach(() => {
  clock = new ManualClock(NOW)
  rates = new CircuitRates(clock)
})

/** How many of 200 circuits are admitted, each of somebody else unless it is said of whom. */
function admitted(connections: Connection[], source?: PeerId, to = member): number {
  const tries = Array.from({ length: 200 }, (_, number) => number)
  return tries.filter((number) => rates.admits(source ?? peer(100 + number), to, connections)).length
}

it('a peer opens 16 circuits to a member at once and one in two seconds, and as many to another', async () => {
  expect(admitted(HERE, stranger)).toBe(16)
  await clock.advance(4_000)
  expect(admitted(HERE, stranger)).toBe(2)
  expect(admitted(HERE, stranger, other)).toBe(16)
})

it('those who share an address open 64 to a member at once and two a second, and nobody else pays for it', async () => {
  expect(admitted(THERE)).toBe(64)
  await clock.advance(4_000)
  expect(admitted(THERE)).toBe(8)
  expect(rates.admits(stranger, member, from('/ip4/192.0.2.2'))).toBe(true)
  expect(rates.admits(stranger, other, THERE)).toBe(true)
})

it('addresses of one IPv6 network are one, and those of this machine none', () => {
  expect(admitted(from('/ip6/2001:db8::1'))).toBe(64)
  expect(admitted(from('/ip6/2001:db8::2'))).toBe(0)
  expect(admitted(HERE)).toBe(200)
})
