import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, Libp2p, PeerId, Stream, StreamHandler } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { streamPair } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { ManualClock } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../src/logger.ts'
import { frameStream } from '../../../src/network/frame-stream.ts'
import { Wills } from '../../../src/node/wills.ts'
import { topicOf } from '../../../src/wire/topic.ts'
import { eventBy, messageBy, NOW, TOPIC, testAuthor, testPeerId } from '../../support/authors.ts'
import { until } from '../../support/world.ts'

const ada = testAuthor(1)
const address = '/ip4/192.0.2.1/tcp/1/ws'
let clock: ManualClock
let client: PeerId
let handler: StreamHandler
let events: EventTarget
let published: [string, string][]
let read: number
let connected: boolean
let accepted: boolean
let wills: Wills

beforeEach(async () => {
  clock = new ManualClock(NOW)
  client = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  events = new EventTarget()
  published = []
  read = 0
  const libp2p = {
    addEventListener: events.addEventListener.bind(events),
    removeEventListener: events.removeEventListener.bind(events),
    handle: async (_protocol: string, onStream: StreamHandler) => {
      handler = onStream
    },
    getConnections: () => (connected ? [{}] : []),
  } as unknown as Libp2p
  const publish = async (topic: string, jwt: string): Promise<void> => void published.push([topic, jwt])
  connected = true
  accepted = true
  const wouldAccept = async (): Promise<boolean> => accepted
  wills = new Wills({ libp2p, clock, logger: silentLogger, wouldAccept, publish })
  await wills.start()
})
afterEach(() => {
  wills.stop()
  expect(clock.pending).toBe(0)
})

const will = (options = {}): string => eventBy(ada, 'leave', { peer: client.toString() }, options).jwt

/** Leaves frames with the node, in one stream. */
async function entrust(...frames: string[]): Promise<void> {
  const [outbound, inbound]: [Stream, Stream] = await streamPair()
  const reading = handler(inbound, { remotePeer: client } as Connection)
  const stream = frameStream(outbound)
  for (const frame of frames) await stream.send(new TextEncoder().encode(frame))
  await stream.close()
  await reading
  read += 1
}

const tell = (event: string, detail: unknown): boolean =>
  events.dispatchEvent(new CustomEvent(event, { detail }))
const disconnect = (): void => {
  connected = false
  tell('peer:disconnect', client)
}
const closePage = (): void => {
  connected = false
  wills.pageGone(address)
  tell('connection:close', {
    remotePeer: client,
    remoteAddr: multiaddr(`${address}/p2p/${client.toString()}`),
  })
}

describe('a will', () => {
  it('is published 10 s after the connection was lost, once', async () => {
    const jwt = will()
    await entrust(jwt)
    disconnect()
    await clock.advance(9_999)
    expect(published).toEqual([])
    await clock.advance(1)
    expect(published).toEqual([[TOPIC, jwt]])
    disconnect()
    await clock.advance(60_000)
    expect(published).toHaveLength(1)
  })

  it('is not published when the client is back in time', async () => {
    await entrust(will())
    disconnect()
    await clock.advance(9_999)
    tell('peer:connect', client)
    await clock.advance(60_000)
    expect(published).toEqual([])
    disconnect()
    await clock.advance(10_000)
    expect(published).toHaveLength(1)
  })

  it('is published at once when the page went away', async () => {
    const jwt = will()
    await entrust(jwt)
    closePage()
    expect(published).toEqual([[TOPIC, jwt]])
    disconnect()
    await clock.advance(10_000)
    expect(published).toHaveLength(1)
  })

  it('takes the place of an earlier one of the room, and stands beside those of other rooms', async () => {
    const other = topicOf('space', 'other')
    const [first, second, third] = [will(), will({ at: NOW + 1 }), will({ topic: other })]
    await entrust(first)
    await entrust(third)
    await entrust(second)
    disconnect()
    await clock.advance(10_000)
    expect(published).toEqual([
      [TOPIC, second],
      [other, third],
    ])
  })

  it.each([
    ['of another device', () => eventBy(ada, 'leave', { peer: `${'1'.repeat(46)}` }).jwt],
    ['that is a message', () => messageBy(ada, 'hello').jwt],
    ['that is a join', () => eventBy(ada, 'join', { peer: client.toString(), data: {} }).jwt],
    ['that is rubbish', () => 'hello'],
    ['that is too long', () => will({ topic: `3box.chat.space.${'x'.repeat(1_000)}` })],
  ])('%s is not kept', async (_what, make) => {
    await entrust(make())
    disconnect()
    await clock.advance(10_000)
    expect(published).toEqual([])
    expect(read).toBe(1)
  })

  it.each([
    ['nothing', ''],
    ['rubbish', 'hello'],
    ['what is too long', 'x'.repeat(1_025)],
  ])('is not read behind %s', async (_what, bad) => {
    await entrust(bad, will()).catch(() => {})
    disconnect()
    await clock.advance(10_000)
    expect(published).toEqual([])
  })

  it('is not read behind 1,000 others in one stream', async () => {
    const before = Array.from({ length: 1_000 }, () => will())
    await entrust(...before, will({ at: NOW + 1 })).catch(() => {})
    disconnect()
    await clock.advance(10_000)
    expect(published).toEqual([[TOPIC, before[0]]])
  })

  it('is waited for 5 s on a stream, and no longer than the stream is open', async () => {
    const [outbound, inbound]: [Stream, Stream] = await streamPair()
    const reading = handler(inbound, { remotePeer: client } as Connection)
    await clock.advance(4_999)
    expect(outbound.status).toBe('open')
    await clock.advance(1)
    await reading
    expect(inbound.status).not.toBe('open')
    await entrust(will())
    expect(clock.pending).toBe(0)
  })

  it('is kept for 1,000 rooms of a client and not one more', async () => {
    await entrust(
      ...Array.from({ length: 1_001 }, (_, room) => will({ topic: topicOf('space', `room-${room}`) })),
    )
    disconnect()
    await clock.advance(10_000)
    expect(published).toHaveLength(1_000)
  })

  it('is not kept where the gate of the room would not accept it, or the client is not in the room', async () => {
    accepted = false
    await entrust(will())
    disconnect()
    await clock.advance(10_000)
    expect(published).toEqual([])
  })

  it('is not kept when the client is gone before it was read', async () => {
    connected = false
    await entrust(will())
    disconnect()
    await clock.advance(10_000)
    expect(published).toEqual([])
  })

  it('is not published when the node stops', async () => {
    await entrust(will())
    disconnect()
    wills.stop()
    await clock.advance(60_000)
    expect(published).toEqual([])
  })

  describe('of a device whose connection here is lost', () => {
    const announce = (type: 'join' | 'presence', at: number, author = ada, topic = TOPIC): void =>
      wills.seen(eventBy(author, type, { peer: client.toString(), data: {} }, { at, topic }))

    it.each(['join', 'presence'] as const)(
      'is void when the device announced itself later by another way: %s',
      async (type) => {
        const [first, second] = [will(), will({ topic: topicOf('space', 'other') })]
        await entrust(first, second)
        disconnect()
        await clock.advance(5_000)
        announce(type, NOW + 5_000)
        await clock.advance(5_000)
        expect(published.map(([, jwt]) => jwt)).toEqual([second])
      },
    )

    it('holds against what the device said before it left it, and at the same moment', async () => {
      await entrust(will({ at: NOW + 1_000 }))
      disconnect()
      announce('presence', NOW)
      announce('presence', NOW + 1_000)
      await clock.advance(10_000)
      expect(published).toHaveLength(1)
    })

    it('holds against what others say of the device, of other devices and other rooms', async () => {
      const jwt = will()
      await entrust(jwt)
      disconnect()
      announce('join', NOW + 5_000, testAuthor(2))
      announce('join', NOW + 5_000, ada, topicOf('space', 'other'))
      wills.seen(eventBy(ada, 'join', { peer: testPeerId(9), data: {} }, { at: NOW + 5_000 }))
      wills.seen(messageBy(ada, 'hello', { at: NOW + 5_000 }))
      wills.seen(eventBy(ada, 'leave', { peer: client.toString() }, { at: NOW + 5_000 }))
      await clock.advance(10_000)
      expect(published).toEqual([[TOPIC, jwt]])
    })
  })

  it('holds while its device is connected here, whatever the device says by another way', async () => {
    const jwt = will()
    await entrust(jwt)
    wills.seen(eventBy(ada, 'presence', { peer: client.toString(), data: {} }, { at: NOW + 5_000 }))
    disconnect()
    await clock.advance(10_000)
    expect(published).toEqual([[TOPIC, jwt]])
  })

  it('is counted by device', async () => {
    expect(wills.size).toBe(0)
    await entrust(will(), will({ topic: topicOf('space', 'other') }))
    expect(wills.size).toBe(1)
    disconnect()
    await clock.advance(10_000)
    expect(wills.size).toBe(0)
  })

  it('survives a stream that breaks before it said anything', async () => {
    const [outbound, inbound]: [Stream, Stream] = await streamPair()
    let done = false
    void Promise.resolve(handler(inbound, { remotePeer: client } as Connection)).then(() => {
      done = true
    })
    outbound.abort(new Error('cable'))
    await until(() => done)
    await entrust(will())
    disconnect()
    await clock.advance(10_000)
    expect(published).toHaveLength(1)
  })
})
