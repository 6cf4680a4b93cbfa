import { describe, expect, it } from 'vitest'
import { peerFilter } from '../../../../src/node/routing/filter.ts'
import type { PeerEntry } from '../../../../src/node/routing/peer-directory.ts'
import { testPeerId } from '../../../support/authors.ts'

const peerId = testPeerId(1)
const relay = testPeerId(2)
const tcp = '/ip4/192.0.2.1/tcp/4001'
const ws = '/dns4/example.org/tcp/443/tls/ws'
const quic6 = '/ip6/2001:db8::1/udp/4001/quic-v1'
const circuit = `/dns4/example.org/tcp/443/wss/p2p/${relay}/p2p-circuit/webrtc`
const all = [tcp, ws, quic6, circuit]

/** Which addresses pass a query, or `undefined` where the peer itself does not. */
function passed(query: string, entry: Partial<PeerEntry> = {}): readonly string[] | undefined {
  const filter = peerFilter(new URLSearchParams(query))
  if (filter === undefined) throw new Error('the filter was refused')
  return filter({ peerId, addresses: all, ...entry })?.addresses
}

describe('filter-addrs', () => {
  it.each([
    ['', all],
    ['filter-addrs=', all],
    ['filter-addrs=,,', all],
    ['filter-addrs=tcp', [tcp, ws, circuit]],
    ['filter-addrs=webrtc', [circuit]],
    ['filter-addrs=WebRTC', [circuit]],
    ['filter-addrs=quic-v1,wss', [quic6, circuit]],
    ['filter-addrs=quic-v1%2Cwss', [quic6, circuit]],
    ['filter-addrs=!ip6', [tcp, ws, circuit]],
    ['filter-addrs=!ip6,!p2p-circuit', [tcp, ws]],
    ['filter-addrs=tcp,!p2p-circuit,!ws', [tcp]],
    ['filter-addrs=unknown,quic-v1', [quic6]],
    ['filter-addrs=tcp&filter-addrs=webrtc', [tcp, ws, circuit]],
  ])('%s passes what it should', (query, expected) => {
    expect(passed(query)).toEqual(expected)
  })

  it.each([
    'filter-addrs=unknown',
    'filter-addrs=webtransport',
    'filter-addrs=!tcp,!udp',
    'filter-addrs=no-such',
  ])('%s leaves a peer out whose addresses do not pass', (query) => {
    expect(passed(query)).toBeUndefined()
  })

  it('passes a peer without addresses only where unknown ones are wanted', () => {
    expect(passed('filter-addrs=unknown', { addresses: [] })).toEqual([])
    expect(passed('filter-addrs=tcp,unknown', { addresses: [] })).toEqual([])
    expect(passed('filter-addrs=tcp', { addresses: [] })).toBeUndefined()
    expect(passed('filter-addrs=!tcp', { addresses: [] })).toBeUndefined()
    expect(passed('', { addresses: [] })).toEqual([])
  })

  it('looks at the names of protocols, and not at values that are called the same', () => {
    const addresses = ['/dns4/webrtc/tcp/80', '/dns4/example.org/tcp/443/tls/sni/ws']
    expect(passed('filter-addrs=webrtc', { addresses })).toBeUndefined()
    expect(passed('filter-addrs=!ws', { addresses })).toEqual(addresses)
  })

  it('leaves the peer as it was', () => {
    const entry = { peerId, addresses: all }
    peerFilter(new URLSearchParams('filter-addrs=tcp'))?.(entry)
    expect(entry.addresses).toBe(all)
  })
})

describe('filter-protocols', () => {
  const protocols = ['transport-bitswap', 'Ghostchat']
  it.each(['transport-bitswap', 'x,TRANSPORT-BITSWAP', 'ghostchat', 'unknown,ghostchat'])(
    'passes who serves one of %s, with all it serves',
    (names) => {
      const filter = peerFilter(new URLSearchParams({ 'filter-protocols': names }))
      expect(filter?.({ peerId, addresses: [], protocols })).toEqual({ peerId, addresses: [], protocols })
    },
  )

  it('leaves out who serves none of them', () => {
    expect(passed('filter-protocols=transport-graphsync', { protocols })).toBeUndefined()
    expect(passed('filter-protocols=unknown', { protocols })).toBeUndefined()
  })

  it('passes who serves nothing known only where that is wanted', () => {
    expect(passed('filter-protocols=unknown')).toEqual(all)
    expect(passed('filter-protocols=unknown', { protocols: [] })).toEqual(all)
    expect(passed('filter-protocols=ghostchat')).toBeUndefined()
  })

  it('and filter-addrs have both to pass', () => {
    expect(passed('filter-protocols=ghostchat&filter-addrs=webrtc', { protocols })).toEqual([circuit])
    expect(passed('filter-protocols=ghostchat&filter-addrs=no-such', { protocols })).toBeUndefined()
  })
})

describe('a filter that is too long', () => {
  const names = (count: number): string => Array.from({ length: count }, (_, at) => `n${at}`).join()
  it.each(['filter-addrs', 'filter-protocols'])('is refused: %s', (name) => {
    const query = (list: string): URLSearchParams => new URLSearchParams({ [name]: list })
    expect(peerFilter(query(names(40)))).toBeDefined()
    expect(peerFilter(query(names(41)))).toBeUndefined()
    expect(peerFilter(query('x'.repeat(63)))).toBeDefined()
    expect(peerFilter(query(`!${'x'.repeat(63)}`))).toBeDefined()
    expect(peerFilter(query('x'.repeat(64)))).toBeUndefined()
  })
})
