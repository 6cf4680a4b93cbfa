import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { beforeAll, describe, expect, it } from 'vitest'
import { ReservationLimits } from '../../../src/node/relay-limits.ts'

let peers: PeerId[]

beforeAll(async () => {
  peers = await Promise.all(
    [1, 2, 3, 4].map(async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))),
  )
})

const peer = (index: number): PeerId => {
  const found = peers[index]
  if (found === undefined) throw new Error('no such peer')
  return found
}

/** Whether a peer that is connected from these addresses may reserve a place. */
function admits(limits: ReservationLimits, index: number, ...addresses: string[]): boolean {
  const connections = addresses.map((address) => ({ remoteAddr: multiaddr(address) }) as Connection)
  return limits.admits(peer(index), connections)
}

const ip = (last: number, port = 1): string => `/ip4/192.0.2.${last}/tcp/${port}/ws`

describe('the relay reservations of an address', () => {
  it('are as many as allowed', () => {
    const limits = new ReservationLimits(2)
    expect([0, 1, 2].map((index) => admits(limits, index, ip(1, index + 1)))).toEqual([true, true, false])
  })

  it('of other addresses do not count, nor does the own one when it is renewed', () => {
    const limits = new ReservationLimits(1)
    expect([1, 2].map((index) => admits(limits, index, ip(index)))).toEqual([true, true])
    expect(admits(limits, 1, ip(1))).toBe(true)
  })

  it('are counted for each address a client has', () => {
    const limits = new ReservationLimits(1)
    expect(admits(limits, 1, '/ip6/2001:db8::1/tcp/2/ws')).toBe(true)
    expect(admits(limits, 0, ip(9), '/ip6/2001:db8::1/tcp/1/ws')).toBe(false)
    expect(admits(limits, 2, ip(9))).toBe(true)
  })

  it('are those of a whole /64 in IPv6, from which one household may choose', () => {
    const limits = new ReservationLimits(1)
    expect(admits(limits, 1, '/ip6/2001:db8::ffff/tcp/2/ws')).toBe(true)
    expect(admits(limits, 0, '/ip6/2001:db8::1/tcp/1/ws')).toBe(false)
    expect(admits(limits, 0, '/ip6/2001:db8:0:1::1/tcp/1/ws')).toBe(true)
  })

  it('end with their clients, and where a client comes back from elsewhere', () => {
    const limits = new ReservationLimits(1)
    expect(admits(limits, 0, ip(1))).toBe(true)
    limits.left(peer(0))
    expect(admits(limits, 1, ip(1))).toBe(true)
    expect(admits(limits, 1, ip(2))).toBe(true)
    expect(admits(limits, 2, ip(1))).toBe(true)
  })

  it('of a client that has no address are not counted', () => {
    const limits = new ReservationLimits(1)
    expect([0, 1].map((index) => admits(limits, index))).toEqual([true, true])
    expect([0, 1].map((index) => admits(limits, index, '/dns4/node.example/tcp/1/ws'))).toEqual([true, true])
  })

  it.each(['/ip4/127.0.0.1/tcp/1/ws', '/ip6/::1/tcp/1/ws'])(
    'of this machine are not counted: %s',
    (address) => {
      const limits = new ReservationLimits(1)
      expect([0, 1].map((index) => admits(limits, index, address))).toEqual([true, true])
    },
  )

  it('take no longer to count where there are many', () => {
    const limits = new ReservationLimits(1)
    const many = { toString: () => String(id) } as PeerId
    let id = 0
    let looked = 0
    const connections = [
      {
        get remoteAddr() {
          looked += 1
          return multiaddr(`/ip4/198.51.${id >> 8}.${id & 255}/tcp/1/ws`)
        },
      } as Connection,
    ]
    for (; id < 4_000; id += 1) expect(limits.admits(many, connections)).toBe(true)
    expect(looked).toBe(4_000)
  })
})
