import type { Connection, Libp2p } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { RendezvousClient } from '../../src/discovery/rendezvous-client.ts'
import { encodeRendezvous, REGISTRATIONS_MAX, RENDEZVOUS_PROTOCOL } from '../../src/wire/rendezvous.ts'
import { ip } from '../support/registry.ts'
import { guestOf, type Point, rendezvousPoint } from '../support/rendezvous.ts'
import { envelopeOf, keyed } from '../support/signed-records.ts'

const namespace = '3box.chat.my-dapp.lobby'

async function clientOf(
  point: Libp2p,
): Promise<{ libp2p: Libp2p; connection: Connection; client: RendezvousClient }> {
  const guest = await guestOf(point)
  return { ...guest, client: new RendezvousClient(guest) }
}

/** Fills the point with peers that signed records and are not connected. */
async function fill(point: Point, count: number, ipOf: (peer: number) => string): Promise<string[]> {
  const peers = await Promise.all(Array.from({ length: count }, keyed))
  for (const [index, peer] of peers.entries()) {
    const signedPeerRecord = await envelopeOf(peer)
    const record = {
      signedPeerRecord,
      addresses: ['/ip4/192.0.2.1/tcp/1/ws'],
      sequence: 1n,
      form: 'multicodec',
    } as const
    const peerId = peer.peerId.toString()
    expect(point.registry.register({ ...record, namespace, peerId, ip: ipOf(index) })).toMatchObject({
      status: 'OK',
    })
  }
  return peers.map(({ peerId }) => peerId.toString())
}

test('two members of a room find each other at a node, by addresses they signed', async () => {
  const point = await rendezvousPoint()
  const ada = await clientOf(point.libp2p)
  const bob = await clientOf(point.libp2p)
  expect(await ada.client.register(ada.connection, { namespace })).toBe(7_200)
  expect(await bob.client.register(point.libp2p.peerId, { namespace, ttlSeconds: 10_000 })).toBe(10_000)
  const found = await bob.client.discover(bob.connection, { namespace })
  expect(found.peers).toMatchObject([{ peerId: ada.libp2p.peerId.toString(), ttlSeconds: 7_200 }])
  expect(found.peers[0]?.addresses.map(String)).toEqual(ada.libp2p.getMultiaddrs().map(String))
  expect((await ada.client.discover(ada.connection, { namespace })).peers).toMatchObject([
    { peerId: bob.libp2p.peerId.toString(), ttlSeconds: 10_000 },
  ])
  const [address] = found.peers[0]?.addresses ?? []
  if (address === undefined) throw new Error('no address')
  expect((await bob.libp2p.dial(address)).remotePeer.equals(ada.libp2p.peerId)).toBe(true)
})

test('whoever leaves a room is not found any more, and whoever comes is found with the cookie', async () => {
  const point = await rendezvousPoint()
  const [ada, bob, eve] = [
    await clientOf(point.libp2p),
    await clientOf(point.libp2p),
    await clientOf(point.libp2p),
  ]
  await ada.client.register(ada.connection, { namespace })
  const { cookie } = await eve.client.discover(eve.connection, { namespace })
  if (cookie === undefined) throw new Error('no cookie')
  await ada.client.unregister(ada.connection, { namespace })
  await expect.poll(() => point.registry.size).toBe(0)
  await bob.client.register(bob.connection, { namespace })
  const { peers } = await eve.client.discover(eve.connection, { namespace, cookie })
  expect(peers).toMatchObject([{ peerId: bob.libp2p.peerId.toString() }])
  const wrong = eve.client.discover(eve.connection, { namespace: 'hall', cookie })
  await expect(wrong).rejects.toMatchObject({ code: 'node-unreachable', status: 'E_INVALID_COOKIE' })
})

test('an answer with 1,000 registrations comes through, and the rest with its cookie', async () => {
  const point = await rendezvousPoint()
  const peers = await fill(point, 1_050, ip)
  const { client, connection } = await clientOf(point.libp2p)
  const first = await client.discover(connection, { namespace })
  expect(first.peers).toHaveLength(REGISTRATIONS_MAX)
  const { cookie } = first
  if (cookie === undefined) throw new Error('no cookie')
  const second = await client.discover(connection, { namespace, cookie })
  const found = [...first.peers, ...second.peers].map(({ peerId }) => peerId)
  expect(found.sort()).toEqual(peers.sort())
})

test('1,000 registrations from one address leave a client at another its place, in the room and in every answer', async () => {
  const point = await rendezvousPoint({ limits: { maxPerNamespace: 1_000 }, remoteIpOf: () => '192.0.2.1' })
  await fill(point, 1_000, () => '198.51.100.1')
  const ada = await clientOf(point.libp2p)
  await ada.client.register(ada.connection, { namespace })
  const { client, connection } = await clientOf(point.libp2p)
  for (let time = 0; time < 20; time += 1) {
    const { peers } = await client.discover(connection, { namespace, limit: 5 })
    expect(peers).toHaveLength(5)
    expect(peers.map(({ peerId }) => peerId)).toContain(ada.libp2p.peerId.toString())
  }
})

test('a node serves others while somebody sends it rubbish', async () => {
  const point = await rendezvousPoint()
  const [ada, eve] = [await clientOf(point.libp2p), await clientOf(point.libp2p)]
  for (const rubbish of [
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(3, 1, 2, 3),
    Uint8Array.of(0),
    Uint8Array.of(4, ...encodeRendezvous({ type: 'register-response', status: 'OK' }).subarray(0, 4)),
  ]) {
    const stream = await eve.connection.newStream(RENDEZVOUS_PROTOCOL)
    const closed = new Promise((resolve) => stream.addEventListener('close', resolve))
    stream.send(rubbish)
    await closed
  }
  expect(await ada.client.register(ada.connection, { namespace })).toBe(7_200)
  expect(await eve.client.register(eve.connection, { namespace })).toBe(7_200)
})

test('a point that stops has no more of the protocol, and lets nobody hang', async () => {
  const point = await rendezvousPoint()
  const { client, connection } = await clientOf(point.libp2p)
  const open = await connection.newStream(RENDEZVOUS_PROTOCOL)
  const closed = new Promise((resolve) => open.addEventListener('close', resolve))
  open.send(Uint8Array.of(5))
  await point.server.stop()
  await closed
  await expect(client.discover(connection, { namespace })).rejects.toMatchObject({ code: 'node-unreachable' })
})
