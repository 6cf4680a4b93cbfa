import type { Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { forgetPeers } from '../../../src/network/forget-peers.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'
import { ShiftedClock } from '../../support/shifted-clock.ts'

const [ada = '', bob = ''] = [realPeerId(1), realPeerId(2)]
let clock: ManualClock
let set: ShiftedClock
let connected: Set<string>
let forgotten: string[]
let libp2p: EventTarget

beforeEach(() => {
  clock = new ManualClock(NOW)
  set = new ShiftedClock(clock)
  connected = new Set()
  forgotten = []
  libp2p = Object.assign(new EventTarget(), {
    getConnections: (peerId: object) => (connected.has(String(peerId)) ? [{}] : []),
    peerStore: {
      delete: async (peerId: object) => {
        forgotten.push(String(peerId))
        throw new Error('it cannot')
      },
    },
  })
  forgetPeers(libp2p as unknown as Libp2p, set)
})

const leaves = (peerId: string): void =>
  void libp2p.dispatchEvent(new CustomEvent('peer:disconnect', { detail: peerIdFromString(peerId) }))

describe('a peer that is gone', () => {
  it('is forgotten after half a minute, once', async () => {
    leaves(ada)
    await clock.advance(10_000)
    leaves(bob)
    await clock.advance(19_999)
    expect(forgotten).toEqual([])
    await clock.advance(1)
    expect(forgotten).toEqual([ada])
    await clock.advance(9_999)
    expect(forgotten).toEqual([ada])
    await clock.advance(1)
    expect(forgotten).toEqual([ada, bob])
    expect(clock.pending).toBe(0)
  })

  it('is forgotten within a minute, too, when the clock is set back meanwhile', async () => {
    leaves(ada)
    set.aheadMs = -3_600_000
    await clock.advance(60_000)
    expect(forgotten).toEqual([ada])
  })

  it('is forgotten half a minute after it went for the last time', async () => {
    leaves(ada)
    await clock.advance(20_000)
    leaves(ada)
    await clock.advance(29_999)
    expect(forgotten).toEqual([])
    await clock.advance(1)
    expect(forgotten).toEqual([ada])
  })

  it('is remembered when it is back by then', async () => {
    leaves(ada)
    connected.add(ada)
    await clock.advance(30_000)
    expect(forgotten).toEqual([])
  })

  it('sets no timer beyond the end of the node', () => {
    leaves(ada)
    libp2p.dispatchEvent(new Event('stop'))
    expect(clock.pending).toBe(0)
  })
})
