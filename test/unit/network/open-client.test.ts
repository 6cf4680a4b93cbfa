import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { yamux } from '@libp2p/yamux'
import { ManualClock, settle } from 'ghostchat/testing'
import { createLibp2p } from 'libp2p'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { silentLogger } from '../../../src/logger.ts'
import { chatGossipsub } from '../../../src/network/gossip.ts'
import type { ChannelHandler } from '../../../src/network/network.ts'
import { type OpenClient, openClient } from '../../../src/network/open-client.ts'
import { systemRandom } from '../../../src/random.ts'
import { NOW, TOPIC } from '../../support/authors.ts'
import { codeOf } from '../../support/world.ts'

const OTHER = `${TOPIC}-2`
const handler: ChannelHandler = {
  onGossip: async () => 'accept',
  onNeighbours: () => {},
  onWider: () => {},
  onPeerLost: () => {},
  onStream: () => {},
}

let clock: ManualClock
let libp2p: Libp2p

beforeEach(async () => {
  clock = new ManualClock(NOW)
  const created = await createLibp2p({
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: chatGossipsub() },
  })
  libp2p = created
  onTestFinished(async () => void (await created.stop()))
})

/** What one space has of the libp2p node. */
async function use(options: { nodes?: string[] } = {}): Promise<OpenClient> {
  const client = await openClient(
    { nodes: options.nodes ?? [], routing: [], onFailure: () => {}, libp2p },
    {
      clock,
      random: systemRandom,
      logger: silentLogger,
      iceServers: [],
      allowPrivateAddresses: false,
      direct: true,
      webRtc: async () => undefined,
    },
  )
  onTestFinished(() => client.network.close())
  return client
}

const topics = (): string[] => (libp2p.services as { pubsub: { getTopics(): string[] } }).pubsub.getTopics()
const protocols = (): string[] => libp2p.getProtocols().filter((protocol) => protocol.includes('ghostchat'))

describe('the libp2p node of a dapp', () => {
  it('serves several spaces, each in rooms of its own', async () => {
    const [first, second] = await Promise.all([use(), use()])
    expect(first.network.peerId).toBe(libp2p.peerId.toString())
    expect(second.network.peerId).toBe(first.network.peerId)
    first.network.join(TOPIC, handler)
    second.network.join(OTHER, handler)
    expect(topics()).toEqual([TOPIC, OTHER])
  })

  it('is in a room once: the second space that enters it is refused, until the first has left it', async () => {
    const [first, second] = [await use(), await use()]
    const channel = first.network.join(TOPIC, handler)
    expect(await codeOf(() => second.network.join(TOPIC, handler))).toBe('invalid-option')
    channel.leave()
    second.network.join(TOPIC, handler)
    expect(topics()).toEqual([TOPIC])
  })

  it('leaves the rooms of a space that is closed, and stays in those of the others', async () => {
    const [first, second] = [await use(), await use()]
    first.network.join(TOPIC, handler)
    second.network.join(OTHER, handler)
    await first.network.close()
    await first.network.close()
    await clock.advance(15_000)
    expect(topics()).toEqual([OTHER])
    expect(protocols()).not.toEqual([])
    await first.network.close()
    second.network.join(TOPIC, handler)
    expect(topics()).toEqual([OTHER, TOPIC])
  })

  it('is as it was when the last space is closed, and still runs', async () => {
    const [first, second] = [await use(), await use()]
    first.network.join(TOPIC, handler)
    second.network.join(OTHER, handler)
    await Promise.all([first.network.close(), second.network.close()])
    expect([topics(), protocols()]).toEqual([[], []])
    expect(libp2p.status).toBe('started')
    expect(clock.pending).toBe(0)
  })

  it('serves again after the last space was closed, also while that is still closing', async () => {
    const first = await use()
    first.network.join(TOPIC, handler)
    const closing = first.network.close()
    const second = await use()
    await closing
    second.network.join(TOPIC, handler)
    expect(topics()).toEqual([TOPIC])
    expect(protocols()).not.toEqual([])
    await first.network.close()
    const third = await use()
    expect(await codeOf(() => third.network.join(TOPIC, handler))).toBe('invalid-option')
  })

  it('serves a space that opens while the only other one closes, whichever is first', async () => {
    for (let head = 0; head < 40; head += 1) {
      const first = await use()
      const opening = use()
      // `head` turns of the microtask queue: the two meet at every step of each other.
      for (let turn = 0; turn < head; turn += 1) await Promise.resolve()
      await first.network.close()
      const second = await opening
      second.network.join(TOPIC, handler)
      expect([head, protocols().length > 0]).toEqual([head, true])
      await second.network.close()
      expect(protocols()).toEqual([])
    }
  })

  it('serves others after one that was refused', async () => {
    expect(await codeOf(() => use({ nodes: ['node.example'] }))).toBe('invalid-option')
    const services = libp2p.services as Record<string, unknown>
    const { pubsub } = services
    services['pubsub'] = undefined
    expect(await codeOf(() => use())).toBe('invalid-option')
    services['pubsub'] = pubsub
    await use()
    await settle()
    expect(protocols()).not.toEqual([])
  })
})
