/** Attacks on rooms by events that are signed and still lie. */
import { describe, expect, it } from 'vitest'
import { encodeClaims } from '../../../src/wire/claims.ts'
import {
  claimsBy,
  eventBy,
  messageBy,
  signClaims,
  signText,
  testAuthor,
  testPeerId,
} from '../../support/authors.ts'
import { RawPeer, until } from '../../support/world.ts'
import { inLobby, LOBBY, mallory, setTheScene, victim, world } from './scene.ts'

setTheScene()

describe('attacks on this wire', () => {
  it('a forgery with the jti of a genuine event does not silence it', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const claims = claimsBy(victim, 'message', { text: 'genuine' }, inLobby())
    const forged = { ...claims, text: 'forged' } as typeof claims
    await peer.publish(signClaims(mallory, forged))
    await peer.publish(signClaims(victim, claims))
    await peer.publish(signClaims(mallory, forged))
    expect(ada.texts()).toEqual(['genuine'])
  })

  it('"this DID is at my peer": whoever says so is asked in its own name, and speaks for nobody', async () => {
    const [ada, bob] = [await world.visit(), await world.visit()]
    const peer = new RawPeer(world.network, LOBBY)
    const at = { peer: ada.network.peerId, data: {} }
    await peer.publish(eventBy(mallory, 'join', at, inLobby()).jwt)
    expect(bob.chat.onlineUsers().sort()).toEqual([ada.did, bob.did, mallory.did].sort())
    await peer.publish(
      eventBy(mallory, 'leave', { peer: ada.network.peerId }, inLobby({ at: world.clock.now() + 1 })).jwt,
    )
    expect(bob.chat.onlineUsers().sort()).toEqual([ada.did, bob.did].sort())
    await ada.chat.send('still here')
    await until(() => bob.texts().includes('still here'))
    // Nor can it name a peer of its own as Ada's.
    const stolen = claimsBy({ ...mallory, did: ada.did }, 'join', { peer: peer.peerId, data: {} }, inLobby())
    await peer.publish(signClaims(mallory, stolen))
    expect(bob.chat.members().find(({ did }) => did === ada.did)?.devices).toEqual([ada.network.peerId])
  })

  it('nobody makes somebody else leave', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const bob = await world.visit()
    const target = { peer: bob.network.peerId }
    const asBob = { ...testAuthor(0), did: bob.did }
    await peer.publish(eventBy(mallory, 'leave', target, inLobby()).jwt)
    await peer.publish(signClaims(mallory, claimsBy(asBob, 'leave', target, inLobby())))
    await world.pass(1_000)
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
  })

  it('a message from the far future takes no place', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    await peer.publish(messageBy(mallory, 'later', inLobby({ at: world.clock.now() + 61_000 })).jwt)
    expect(ada.texts()).toEqual([])
  })

  it('presence data cannot reach a prototype', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const join = encodeClaims(claimsBy(mallory, 'join', { peer: testPeerId(1), data: { a: 1 } }, inLobby()))
    await peer.publish(signText(mallory, join.replace('{"a":1}', '{"__proto__":{"admin":true}}')))
    expect(ada.chat.members()).toHaveLength(1)
    const named = eventBy(
      mallory,
      'join',
      { peer: testPeerId(1), data: { constructor: 'x', toString: 1 } },
      inLobby(),
    )
    await peer.publish(named.jwt)
    expect(ada.chat.members()[1]?.presence).toEqual({ constructor: 'x', toString: 1 })
    expect('admin' in {}).toBe(false)
  })
})
