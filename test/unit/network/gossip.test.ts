import { type GossipSub, StrictNoSign } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { expect, it, onTestFinished } from 'vitest'
import { chatGossipsub, hubGossip, subscribe, unsee } from '../../../src/network/gossip.ts'
import { TOPIC } from '../../support/authors.ts'

type Peer = Libp2p<{ pubsub: GossipSub }>

async function peerWith(pubsub: ReturnType<typeof chatGossipsub>): Promise<Peer> {
  const peer = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify(), pubsub },
  })
  onTestFinished(async () => void (await peer.stop()))
  return peer
}

/** Whom a peer exchanges whole messages with; public on gossipsub's class, though not on its interface. */
const meshOf = ({ services }: Peer): string[] =>
  (services.pubsub as GossipSub & { getMeshPeers(topic: string): string[] }).getMeshPeers(TOPIC)
/** Resolves when a peer knows of so many subscribers. */
async function knows(peer: Peer, subscribers: number): Promise<void> {
  await expect.poll(() => peer.services.pubsub.getSubscribers(TOPIC)).toHaveLength(subscribers)
}

/** The next time gossipsub looks after its mesh. */
function heartbeat({ services }: Peer): Promise<void> {
  return new Promise((resolve) => {
    services.pubsub.addEventListener('gossipsub:heartbeat', () => resolve(), { once: true })
  })
}

/** A client, and a neighbour of it that is in the topic and has nobody to exchange messages with. */
async function clientAndNeighbour(): Promise<[client: Peer, neighbour: Peer]> {
  const [client, neighbour] = [await peerWith(chatGossipsub()), await peerWith(chatGossipsub())]
  await client.dial(neighbour.getMultiaddrs())
  neighbour.services.pubsub.subscribe(TOPIC)
  await knows(client, 1)
  return [client, neighbour]
}

it('with a node at hand a client asks nobody for messages when it enters a topic, as it was told to before and after', async () => {
  const [client] = await clientAndNeighbour()
  const { pubsub } = client.services
  const { opts } = pubsub as GossipSub & { opts: { D: number } }
  expect(opts.D).toBe(4)
  subscribe(pubsub, TOPIC, true)
  expect(pubsub.getTopics()).toEqual([TOPIC])
  expect(meshOf(client)).toEqual([])
  expect(opts.D).toBe(4)
})

it('without a node a client asks its neighbours for messages at once', async () => {
  const [client, neighbour] = await clientAndNeighbour()
  subscribe(client.services.pubsub, TOPIC, false)
  expect(meshOf(client)).toEqual([neighbour.peerId.toString()])
})

it('a client that nobody brings messages asks a neighbour within seconds', async () => {
  const [client, neighbour] = await clientAndNeighbour()
  subscribe(client.services.pubsub, TOPIC, true)
  await expect.poll(() => meshOf(client), { timeout: 5_000 }).toEqual([neighbour.peerId.toString()])
})

it('clients whose node brings their messages do not ask each other, until the node is gone', async () => {
  const node = await peerWith(hubGossip())
  node.services.pubsub.subscribe(TOPIC)
  const clients = [await peerWith(chatGossipsub()), await peerWith(chatGossipsub())] as const
  for (const client of clients) {
    await client.dial(node.getMultiaddrs())
    await knows(client, 1)
    subscribe(client.services.pubsub, TOPIC, true)
    await expect.poll(() => meshOf(client), { timeout: 5_000 }).toEqual([node.peerId.toString()])
  }
  const [ada, bob] = clients
  await ada.dial(bob.getMultiaddrs())
  await Promise.all(clients.map((client) => knows(client, 2)))
  for (let beats = 0; beats < 2; beats += 1) await Promise.all(clients.map(heartbeat))
  expect(clients.map(meshOf)).toEqual(clients.map(() => [node.peerId.toString()]))

  // What one writes itself goes to all neighbours all the same.
  const { recipients } = await ada.services.pubsub.publish(TOPIC, new Uint8Array([1]))
  expect(recipients.map(String).sort()).toEqual([node, bob].map(({ peerId }) => peerId.toString()).sort())

  await node.stop()
  await expect
    .poll(() => clients.map(meshOf), { timeout: 5_000 })
    .toEqual([[bob.peerId.toString()], [ada.peerId.toString()]])
})

it('a libp2p node that is not running refuses, and keeps what it was told', async () => {
  const client = await peerWith(chatGossipsub())
  await client.stop()
  const { pubsub } = client.services
  const { opts } = pubsub as GossipSub & { opts: { D: number } }
  for (const hasNode of [true, false]) expect(() => subscribe(pubsub, TOPIC, hasNode)).toThrow('not started')
  expect(opts.D).toBe(4)
})

it('another implementation of gossipsub is subscribed to in the plain way', () => {
  const subscribed: string[] = []
  const pubsub = { subscribe: (topic: string) => subscribed.push(topic) } as unknown as GossipSub
  subscribe(pubsub, TOPIC, true)
  expect(subscribed).toEqual([TOPIC])
})

it('nobody signs gossip a second time', async () => {
  for (const create of [chatGossipsub(), hubGossip()]) {
    const { pubsub } = (await peerWith(create)).services
    expect(pubsub.globalSignaturePolicy).toBe(StrictNoSign)
  }
})

it('what was handed to nobody is not taken for seen at the next attempt', async () => {
  const [client] = await clientAndNeighbour()
  const { pubsub } = client.services
  const data = new Uint8Array([1, 2, 3])
  const { streamsOutbound } = pubsub as GossipSub & {
    streamsOutbound: Map<string, { push(bytes: Uint8Array): void }>
  }
  const [stream] = streamsOutbound.values()
  if (stream === undefined) throw new Error('there is no stream to the neighbour')
  const push = stream.push.bind(stream)
  stream.push = () => {
    throw new Error('the stream is closing')
  }
  const sent = async (): Promise<number> => (await pubsub.publish(TOPIC, data)).recipients.length
  expect(await sent()).toBe(0)
  stream.push = push
  expect(await sent()).toBe(0)
  unsee(pubsub, TOPIC, data)
  expect(await sent()).toBe(1)
})
