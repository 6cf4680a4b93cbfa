import type { GossipSub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { describe, expect, it, onTestFinished } from 'vitest'
import { chatGossipsub, hubGossip } from '../../../src/network/gossip.ts'
import { onNeedless } from '../../../src/network/intake.ts'
import { topicOf } from '../../../src/wire/topic.ts'
import { TOPIC } from '../../support/authors.ts'
import { createBarePeer } from '../../support/bare-peer.ts'
import { busiestTask } from '../../support/busiest-task.ts'

/** What gossipsub's class has and its interface does not. */
type Internals = GossipSub & {
  seenCache: { size: number }
  mcache: { msgs: Map<string, unknown> }
  streamsInbound: Map<string, unknown>
}
type Message = { topic: string; data: Uint8Array }

/** The fields of an RPC, as protobuf, with its length before it. Short ones only. */
const bytesOf = (...fields: number[]): number[] => [fields.length, ...fields]
const EMPTY = bytesOf()
const EMPTY_CONTROL = bytesOf(0x1a, 0)
/** A field of ten bytes of which there is one. */
const UNREADABLE = bytesOf(0x0a, 10, 1)
const SUBSCRIPTION = bytesOf(0x0a, 5, 0x08, 1, 0x12, 1, 0x78)
const GRAFT = bytesOf(0x1a, 5, 0x1a, 3, 0x0a, 1, 0x78)

/** A gossipsub of ours, and a stranger that writes RPCs to it. */
async function pairOf(create: ReturnType<typeof hubGossip>) {
  const own = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), pubsub: create },
  })
  onTestFinished(async () => void (await own.stop()))
  const stranger = await createBarePeer(own.getMultiaddrs()[0]?.toString())
  onTestFinished(async () => void (await stranger.stop()))
  const pubsub = own.services.pubsub as Internals
  await expect.poll(() => pubsub.streamsInbound.size).toBe(1)
  const told: [peerId: string, amount: number][] = []
  onNeedless(pubsub, (peerId, amount) => void told.push([peerId, amount]))
  return { pubsub, stranger, told, id: stranger.peerId.toString() }
}

/** A stream of a stranger's own to write RPCs to as it likes. */
async function streamOf(stranger: Libp2p<{ pubsub: GossipSub }>): Promise<Stream> {
  const [connection] = stranger.getConnections()
  if (connection === undefined) throw new Error('not connected')
  return connection.newStream('/meshsub/1.2.0')
}

function sendMessages(stranger: Libp2p<{ pubsub: GossipSub }>, messages: Message[]): void {
  const { sendRpc } = stranger.services.pubsub as GossipSub & {
    sendRpc: (to: string, rpc: object) => boolean
  }
  const [to] = stranger.getPeers()
  expect(sendRpc.call(stranger.services.pubsub, `${to}`, { subscriptions: [], messages })).toBe(true)
}

const text = (data: string): Uint8Array => new TextEncoder().encode(data)

describe.each([
  ['client', chatGossipsub],
  ['node', hubGossip],
])('the gossip of a %s', (_whose, create) => {
  it('forgets messages of a topic it is not in, at a tenth of an offence, and takes those beside them', async () => {
    const { pubsub, stranger, told, id } = await pairOf(create())
    pubsub.subscribe(TOPIC)
    const heard: string[] = []
    pubsub.addEventListener('message', ({ detail }) => void heard.push(detail.topic))
    const strays = Array.from({ length: 10 }, (_, n) => ({
      topic: topicOf('space', 'other'),
      data: text(`${n}`),
    }))
    await expect.poll(() => stranger.services.pubsub.getSubscribers(TOPIC)).toHaveLength(1)
    sendMessages(stranger, [...strays, { topic: TOPIC, data: text('hello') }])
    await expect.poll(() => heard).toEqual([TOPIC])
    expect(told).toEqual([[id, 1]])
    expect([pubsub.seenCache.size, pubsub.mcache.msgs.size]).toEqual([1, 1])
  })

  it('takes RPCs that say nothing for an offence each, and no others', async () => {
    const { stranger, told, id } = await pairOf(create())
    const stream = await streamOf(stranger)
    stream.send(Uint8Array.from([EMPTY, SUBSCRIPTION, EMPTY_CONTROL, GRAFT, UNREADABLE, EMPTY].flat()))
    await expect.poll(() => told).toEqual(Array.from({ length: 4 }, () => [id, 1]))
  })

  it('reads them in turns with everything else', async () => {
    const { pubsub, stranger } = await pairOf(create())
    const stream = await streamOf(stranger)
    let empty = 0
    const most = await busiestTask(async (count) => {
      onNeedless(pubsub, () => {
        empty += 1
        count()
      })
      stream.send(new Uint8Array(5_000))
      await expect.poll(() => empty).toBe(5_000)
    })
    expect(most).toBeLessThan(500)
  })
})
