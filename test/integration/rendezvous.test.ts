import { expect, test } from 'vitest'
import { RendezvousClient } from '../../src/discovery/rendezvous-client.ts'
import { guestOf, rendezvousPoint } from '../support/rendezvous.ts'

const namespace = '3box.chat.my-dapp.lobby'

test('two members of a room find each other at a node, by addresses they signed', async () => {
  const point = await rendezvousPoint()
  const ada = await guestOf(point.libp2p)
  const bob = await guestOf(point.libp2p)
  const adas = new RendezvousClient({ libp2p: ada.libp2p })
  const bobs = new RendezvousClient({ libp2p: bob.libp2p })
  expect(await adas.register(ada.connection, { namespace })).toBe(7_200)
  expect(await bobs.register(point.libp2p.peerId, { namespace, ttlSeconds: 10_000 })).toBe(10_000)
  const found = await bobs.discover(bob.connection, { namespace })
  expect(found.peers).toMatchObject([{ peerId: ada.libp2p.peerId.toString(), ttlSeconds: 7_200 }])
  expect(found.peers[0]?.addresses.map(String)).toEqual(ada.libp2p.getMultiaddrs().map(String))
  expect((await adas.discover(ada.connection, { namespace })).peers).toMatchObject([
    { peerId: bob.libp2p.peerId.toString(), ttlSeconds: 10_000 },
  ])
})
