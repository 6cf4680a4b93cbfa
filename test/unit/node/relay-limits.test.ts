import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { beforeAll, describe, expect, it } from 'vitest'
import { exceedsReservations } from '../../../src/node/relay-limits.ts'

let peers: PeerId[]

beforeAll(async () => {
  peers = await Promise.all(
    [1, 2, 3, 4].map(async () => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))),
  )
})

type Relay = Parameters<typeof exceedsReservations>[2]

const peer = (index: number): PeerId => {
  const found = peers[index]
  if (found === undefined) throw new Error('no such peer')
  return found
}
const connection = (index: number, address: string): Connection =>
  ({ remotePeer: peer(index), remoteAddr: multiaddr(address) }) as Connection

function relay(...entries: [number, string][]): Relay {
  const reservations = new Map(entries.map(([index, address]) => [peer(index), { addr: multiaddr(address) }]))
  return { reservations } as unknown as Relay
}

const ip = (last: number, port = 1): string => `/ip4/192.0.2.${last}/tcp/${port}/ws`

describe('the relay reservations of an address', () => {
  it('are as many as allowed', () => {
    const mine = [connection(0, ip(1, 5))]
    expect(exceedsReservations(peer(0), mine, relay(), 2)).toBe(false)
    expect(exceedsReservations(peer(0), mine, relay([1, ip(1, 2)]), 2)).toBe(false)
    expect(exceedsReservations(peer(0), mine, relay([1, ip(1, 2)], [2, ip(1, 3)]), 2)).toBe(true)
  })

  it('of other addresses do not count, nor does the own one when it is renewed', () => {
    const mine = [connection(0, ip(1))]
    expect(exceedsReservations(peer(0), mine, relay([1, ip(2)], [2, ip(3)]), 1)).toBe(false)
    expect(exceedsReservations(peer(0), mine, relay([0, ip(1)]), 1)).toBe(false)
  })

  it('are counted for each address a client has', () => {
    const mine = [connection(0, ip(9)), connection(0, '/ip6/2001:db8::1/tcp/1/ws')]
    expect(exceedsReservations(peer(0), mine, relay([1, '/ip6/2001:db8::1/tcp/2/ws']), 1)).toBe(true)
  })

  it('are those of a whole /64 in IPv6, from which one household may choose', () => {
    const mine = [connection(0, '/ip6/2001:db8::1/tcp/1/ws')]
    expect(exceedsReservations(peer(0), mine, relay([1, '/ip6/2001:db8::ffff/tcp/2/ws']), 1)).toBe(true)
    expect(exceedsReservations(peer(0), mine, relay([1, '/ip6/2001:db8:0:1::1/tcp/2/ws']), 1)).toBe(false)
  })

  it('of a client that is not connected, or has no address, are not counted', () => {
    const others = [connection(1, ip(1))]
    expect(exceedsReservations(peer(0), others, relay([2, ip(1)]), 1)).toBe(false)
    expect(
      exceedsReservations(peer(0), [connection(0, '/dns4/node.example/tcp/1/ws')], relay([2, ip(1)]), 1),
    ).toBe(false)
  })

  it.each(['/ip4/127.0.0.1/tcp/1/ws', '/ip6/::1/tcp/1/ws'])('of this machine are free: %s', (address) => {
    expect(exceedsReservations(peer(0), [connection(0, address)], relay([1, address], [2, address]), 1)).toBe(
      false,
    )
  })
})
