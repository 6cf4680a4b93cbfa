import { generateKeyPair } from '@libp2p/crypto/keys'
import type { GossipSub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { ManualClock } from 'ghostchat/testing'
import { createLibp2p } from 'libp2p'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../src/logger.ts'
import { Doorkeeper } from '../../../src/network/doorkeeper.ts'
import { hubGossip } from '../../../src/network/gossip.ts'
import { NOW } from '../../support/authors.ts'
import { ShiftedClock } from '../../support/shifted-clock.ts'

let clock: ManualClock
let shown: ShiftedClock
let scores: Map<string, number>
let aborted: string[]
let named: string[]
let addresses: Map<string, string>
let prices: Map<string, number>
let mallory: PeerId
let ada: PeerId
let doorkeeper: Doorkeeper

async function newPeer(): Promise<PeerId> {
  return peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
}

beforeEach(async () => {
  clock = new ManualClock(NOW)
  shown = new ShiftedClock(clock)
  scores = new Map()
  aborted = []
  named = []
  addresses = new Map()
  prices = new Map()
  mallory = await newPeer()
  ada = await newPeer()
  doorkeeper = doorkeeperOf({
    score: { score: (peerId: string) => scores.get(peerId) ?? 0 },
  } as unknown as GossipSub)
})

function doorkeeperOf(pubsub: GossipSub): Doorkeeper {
  const connectionOf = (remotePeer: PeerId): Connection =>
    ({ remotePeer, abort: () => aborted.push(remotePeer.toString()) }) as unknown as Connection
  return new Doorkeeper({
    libp2p: { getConnections: () => [mallory, ada, mallory].map(connectionOf) } as unknown as Libp2p,
    pubsub,
    clock: shown,
    logger: silentLogger,
    isNamed: (peerId) => named.includes(peerId),
    addressOf: (peerId) => addresses.get(peerId),
    priceOf: (peerId) => prices.get(peerId) ?? 1,
  })
}

/** A gossipsub whose scores are what its neighbours owe. */
async function scored(): Promise<{ pubsub: GossipSub; owed: (peerId: string) => number }> {
  const peer = await createLibp2p({ start: false, services: { identify: identify(), pubsub: hubGossip() } })
  const { pubsub } = peer.services
  const { opts } = pubsub as GossipSub & {
    opts: { scoreParams: { appSpecificScore(peerId: string): number } }
  }
  const owed = (peerId: string): number => Math.round(opts.scoreParams.appSpecificScore(peerId))
  Object.assign(pubsub, { score: { score: owed } })
  return { pubsub, owed }
}

describe('a doorkeeper', () => {
  it('puts out whoever is below the last threshold, with all its connections and nobody beside it', async () => {
    const id = mallory.toString()
    doorkeeper.offended(id, 'reject')
    doorkeeper.offended(ada.toString(), 'excess')
    await clock.advance(500)
    expect(aborted).toEqual([])
    scores.set(id, -81)
    await clock.advance(250)
    expect(aborted).toEqual([id, id])
    expect(doorkeeper.isBanned(id)).toBe(true)
    expect(doorkeeper.isBanned(ada.toString())).toBe(false)
  })

  it.each([0, -3_600_000])(
    'lets it in again after ten minutes, and the clock is moved by %i ms',
    async (ms) => {
      const id = mallory.toString()
      scores.set(id, -1_000)
      doorkeeper.offended(id, 'reject')
      await clock.advance(250)
      shown.aheadMs = ms
      expect(doorkeeper.isBanned(id)).toBe(true)
      await clock.advance(10 * 60_000 - 1)
      expect(doorkeeper.isBanned(id)).toBe(true)
      await clock.advance(1)
      expect(doorkeeper.isBanned(id)).toBe(false)
      expect(doorkeeper.banned).toBe(0)
    },
  )

  it('leaves whoever offends a little alone, and looks no longer than it has to', async () => {
    scores.set(mallory.toString(), -80)
    doorkeeper.offended(mallory.toString(), 'reject')
    await clock.advance(5_000)
    expect(aborted).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('hangs up on no node that was named by hand', async () => {
    const id = mallory.toString()
    named.push(id)
    scores.set(id, -1_000)
    doorkeeper.offended(id, 'reject')
    doorkeeper.offended(id, 'excess')
    await clock.advance(5_000)
    expect(aborted).toEqual([])
    expect(doorkeeper.isBanned(id)).toBe(false)
  })

  it('lets somebody who only brought too much in again after a minute', async () => {
    const id = mallory.toString()
    scores.set(id, -81)
    doorkeeper.offended(id, 'excess')
    await clock.advance(250 + 60_000 - 1)
    expect(doorkeeper.isBanned(id)).toBe(true)
    await clock.advance(1)
    expect(doorkeeper.isBanned(id)).toBe(false)
  })

  it('has whoever brings too much pay five times as much where somebody was put out, and whoever does not nothing', async () => {
    const { pubsub, owed } = await scored()
    const scoredDoor = doorkeeperOf(pubsub)
    for (const peerId of [mallory, ada]) addresses.set(peerId.toString(), '192.0.2.1')
    const id = mallory.toString()
    for (let times = 0; times < 110; times += 1) scoredDoor.offended(id, 'excess')
    expect(owed(id)).toBe(-40)
    for (let times = 0; times < 80; times += 1) scoredDoor.offended(id, 'excess')
    await clock.advance(250)
    expect(aborted).toEqual([id, id])
    expect(owed(ada.toString())).toBe(0)
    for (let times = 0; times < 22; times += 1) scoredDoor.offended(ada.toString(), 'excess')
    expect(owed(ada.toString())).toBe(-40)
    scoredDoor.close()
  })

  it('remembers where somebody came from who hung up itself', async () => {
    const { pubsub, owed } = await scored()
    const scoredDoor = doorkeeperOf(pubsub)
    for (const peerId of [mallory, ada]) addresses.set(peerId.toString(), '192.0.2.1')
    for (let times = 0; times < 130; times += 1) scoredDoor.offended(mallory.toString(), 'excess')
    addresses.delete(mallory.toString())
    await clock.advance(250)
    for (let times = 0; times < 22; times += 1) scoredDoor.offended(ada.toString(), 'excess')
    expect(owed(ada.toString())).toBe(-40)
    scoredDoor.close()
  })

  it('takes what gossip had no use for as too much, until it is closed', async () => {
    const { pubsub, owed } = await scored()
    const scoredDoor = doorkeeperOf(pubsub)
    const id = mallory.toString()
    const send = (pubsub as GossipSub & { handleReceivedRpc(from: PeerId, rpc: object): Promise<void> })
      .handleReceivedRpc
    for (let times = 0; times < 121; times += 1) await send(mallory, { subscriptions: [], messages: [] })
    expect(owed(id)).toBe(-84)
    await clock.advance(250)
    expect(aborted).toEqual([id, id])
    scoredDoor.close()
    await send(mallory, { subscriptions: [], messages: [] })
    expect(owed(id)).toBeGreaterThanOrEqual(-84)
  })

  it('charges whoever carries the messages of many less for one too many', async () => {
    const { pubsub, owed } = await scored()
    const scoredDoor = doorkeeperOf(pubsub)
    prices.set(ada.toString(), 0.5)
    for (let times = 0; times < 210; times += 1) scoredDoor.offended(ada.toString(), 'excess')
    expect(owed(ada.toString())).toBe(-20)
    scoredDoor.close()
  })

  it('remembers so many only', async () => {
    for (let number = 0; number < 10_050; number += 1) {
      scores.set(`${number}`, -100)
      doorkeeper.offended(`${number}`, 'reject')
    }
    await clock.advance(250)
    expect(doorkeeper.banned).toBe(10_000)
    expect(doorkeeper.isBanned('0')).toBe(false)
    expect(doorkeeper.isBanned('10049')).toBe(true)
  })

  it('ends with what it guards', async () => {
    scores.set(mallory.toString(), -100)
    doorkeeper.offended(mallory.toString(), 'reject')
    doorkeeper.close()
    expect(clock.pending).toBe(0)
  })
})
