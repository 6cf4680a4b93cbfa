import { expect, test } from 'vitest'
import { RendezvousClient } from '../../src/discovery/rendezvous-client.ts'
import { startCanvasServer, withCanvasClient } from '../support/canvas.ts'
import { guestOf, rendezvousPoint, testPeer } from '../support/rendezvous.ts'
import { atEnd } from '../support/resources.ts'

const namespace = '3box.chat.my-dapp.lobby'

test('clients of canvas find each other and one of ours at our point, and it them', async () => {
  const point = await rendezvousPoint()
  const [ada, bob, ours] = [
    await guestOf(point.libp2p),
    await guestOf(point.libp2p),
    await guestOf(point.libp2p),
  ]
  const client = new RendezvousClient({ libp2p: ours.libp2p })
  await client.register(ours.connection, { namespace })
  const ids = (...peers: (typeof ada)[]): string[] =>
    peers.map(({ libp2p }) => libp2p.peerId.toString()).sort()
  await withCanvasClient(ada.libp2p, ada.connection, async (canvas) => {
    expect(await canvas.register(namespace)).toEqual({ ttl: 7_200 })
  })
  await withCanvasClient(bob.libp2p, bob.connection, async (canvas) => {
    expect(await canvas.register(namespace, { ttl: 9_000 })).toEqual({ ttl: 9_000 })
    const found = await canvas.discover(namespace)
    expect(found.map(({ id }) => id.toString()).sort()).toEqual(ids(ada, ours))
    expect((await canvas.discover(namespace, { limit: 1 })).length).toBeLessThanOrEqual(1)
    await canvas.register('hall')
    await canvas.unregister('hall')
    expect(await canvas.discover('hall')).toEqual([])
    await expect(canvas.register(namespace, { ttl: 300_000 })).rejects.toThrow('E_INVALID_TTL')
  })
  const { peers } = await client.discover(ours.connection, { namespace })
  expect(peers.map(({ peerId }) => peerId).sort()).toEqual(ids(ada, bob))
  const [one] = peers
  expect(one?.addresses.length).toBeGreaterThan(0)
})

test('our client registers, discovers, reads on and unregisters at a point of canvas', async () => {
  const point = await testPeer()
  atEnd(await startCanvasServer(point))
  const [ada, bob] = [await guestOf(point), await guestOf(point)]
  const [adas, bobs] = [ada, bob].map(({ libp2p }) => new RendezvousClient({ libp2p }))
  if (adas === undefined || bobs === undefined) throw new Error('no clients')
  expect(await adas.register(ada.connection, { namespace })).toBe(7_200)
  const first = await bobs.discover(bob.connection, { namespace })
  expect(first.peers).toMatchObject([{ peerId: ada.libp2p.peerId.toString() }])
  expect(first.peers[0]?.addresses.map(String)).toEqual(ada.libp2p.getMultiaddrs().map(String))
  const { cookie } = first
  if (cookie === undefined) throw new Error('no cookie')
  expect((await bobs.discover(bob.connection, { namespace, cookie })).peers).toEqual([])
  const eve = await guestOf(point)
  await new RendezvousClient({ libp2p: eve.libp2p }).register(eve.connection, { namespace })
  expect((await bobs.discover(bob.connection, { namespace, cookie })).peers).toMatchObject([
    { peerId: eve.libp2p.peerId.toString() },
  ])
  await adas.unregister(ada.connection, { namespace })
  await expect
    .poll(async () => (await bobs.discover(bob.connection, { namespace })).peers)
    .toMatchObject([{ peerId: eve.libp2p.peerId.toString() }])
})
