import { multiaddr } from '@multiformats/multiaddr'
import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import type { FoundPeer } from '../../../src/discovery/found-peer.ts'
import { AddressBook } from '../../../src/network/address-book.ts'
import { NOW } from '../../support/authors.ts'

const HOURS = 60 * 60_000
let clock: ManualClock
let book: AddressBook

beforeEach(() => {
  clock = new ManualClock(NOW)
  book = new AddressBook(clock)
})

/** Somebody who was found at these ports. */
function found(peerId: string, ...ports: number[]): FoundPeer {
  return { peerId, addresses: ports.map((port) => multiaddr(`/ip4/198.51.100.1/tcp/${port}/ws`)) }
}

const portsOf = (peerId: string): number[] =>
  book.addressesOf(peerId).map((address) => Number(address.getComponents()[1]?.value))

describe('an address book', () => {
  it('knows who is in a topic and where, and nothing of others', () => {
    book.add('a', [found('ada', 1, 2), found('bob', 3)])
    book.add('b', [found('cyd', 4)])
    expect(book.peersIn('a')).toEqual(['ada', 'bob'])
    expect(book.peersIn('b')).toEqual(['cyd'])
    expect(book.peersIn('c')).toEqual([])
    expect([portsOf('ada'), portsOf('cyd'), portsOf('eve')]).toEqual([[1, 2], [4], []])
  })

  it('believes what was told last', () => {
    book.add('a', [found('ada', 1, 2)])
    book.add('a', [found('ada', 3)])
    expect(portsOf('ada')).toEqual([3])
    expect(book.peersIn('a')).toEqual(['ada'])
  })

  it('says whether somebody is new', () => {
    expect(book.add('a', [found('ada', 1)])).toBe(true)
    expect(book.add('a', [found('ada', 2)])).toBe(false)
    expect(book.add('a', [])).toBe(false)
  })

  it('lets what nobody signed neither replace nor push out what somebody did', () => {
    book.add('a', [found('ada', 1)])
    book.add('a', [found('ada'), found('bob', 2)], false)
    expect([portsOf('ada'), portsOf('bob')]).toEqual([[1], [2]])
    const invented = Array.from({ length: 500 }, (_, index) => found(`peer ${index}`, 3))
    book.add('a', invented, false)
    expect(book.peersIn('a')).toHaveLength(128)
    expect(portsOf('ada')).toEqual([1])
    book.add('a', [found('bob', 4)])
    expect(portsOf('bob')).toEqual([4])
  })

  it('takes the newest of what was told under several topics', async () => {
    book.add('a', [found('ada', 1)])
    await clock.advance(1)
    book.add('b', [found('ada', 2)])
    expect(portsOf('ada')).toEqual([2])
    await clock.advance(1)
    book.add('a', [found('ada', 3)])
    expect(portsOf('ada')).toEqual([3])
  })

  it('counts somebody as present for two hours after it was last told of', async () => {
    book.add('a', [found('ada', 1), found('bob', 2)])
    await clock.advance(1 * HOURS)
    book.add('a', [found('bob', 2)])
    await clock.advance(1 * HOURS)
    expect(book.peersIn('a')).toEqual(['ada', 'bob'])
    await clock.advance(1)
    expect(book.peersIn('a')).toEqual(['bob'])
  })

  it('keeps 256 peers of a topic, those who were told of last', () => {
    book.add(
      'a',
      Array.from({ length: 256 }, (_, index) => found(`peer ${index}`, 1)),
    )
    book.add('a', [found('peer 0', 1), found('newcomer', 1)])
    const peers = book.peersIn('a')
    expect(peers).toHaveLength(256)
    expect(peers).toContain('peer 0')
    expect(peers).toContain('newcomer')
    expect(peers).not.toContain('peer 1')
  })

  it('keeps the first 8 addresses of a peer', () => {
    book.add('a', [found('ada', 1, 2, 3, 4, 5, 6, 7, 8, 9)])
    expect(portsOf('ada')).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('forgets a topic that was left, and only that', () => {
    book.add('a', [found('ada', 1), found('bob', 2)])
    book.add('b', [found('bob', 3)])
    book.forget('a')
    expect(book.peersIn('a')).toEqual([])
    expect([portsOf('ada'), portsOf('bob')]).toEqual([[], [3]])
  })
})
