import { settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { START } from '../../src/room/reconciler.ts'
import { encodeSync } from '../../src/wire/sync.ts'
import { topicOf } from '../../src/wire/topic.ts'
import { eventBy, testAuthor, testPeerId } from '../support/authors.ts'
import { HeldNetwork } from '../support/held-network.ts'
import { RawPeer, until, type VisitOptions, type Visitor, World } from '../support/world.ts'

const LOBBY = topicOf('dapp', 'lobby')
let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

const visit = (options?: VisitOptions): Promise<Visitor> => world.visit(options)

describe('leaving ends everything', () => {
  it.each(['wider', 'back', 'lost'] as const)(
    'also where the connection changes meanwhile: %s',
    async (what) => {
      const ada = await visit()
      const network = new HeldNetwork(world.network.peer())
      const bob = await visit({ network })
      await world.pass(10_000)
      let go = (): void => {}
      const held = new Promise<undefined>((resolve) => {
        go = () => resolve(undefined)
      })
      network.onPublish = () => held
      if (what === 'back') network.handler.onPeerLost(testPeerId(9))
      const leaving = bob.chat.leaveChat()
      await settle()
      if (what === 'wider') network.handler.onWider()
      else if (what === 'lost') network.handler.onPeerLost(testPeerId(9))
      else {
        network.neighbours = 2
        network.handler.onNeighbours()
      }
      await settle()
      network.onPublish = async () => undefined
      go()
      await leaving
      await world.pass(1_000)
      expect(ada.heard('user-left')).toEqual([['user-left', bob.did, 'left']])
      expect(ada.heard('user-joined')).toHaveLength(1)
      await ada.chat.leaveChat()
      expect(world.clock.pending).toBe(0)
    },
  )

  it('also in a listener that is told of the connection', async () => {
    const ada = await visit()
    world.network.partition([[ada.network.peerId]])
    const bob = await visit()
    bob.chat.on('status', ({ current }) => {
      if (current === 'connected') void bob.chat.leaveChat()
    })
    await world.pass(10_000)
    world.network.heal()
    await world.pass(40_000)
    await ada.chat.leaveChat()
    expect(world.clock.pending).toBe(0)
  })

  it('also in a listener that is told of a message', async () => {
    const ada = await visit()
    const bob = await visit()
    await world.pass(10_000)
    bob.chat.on('message', () => void bob.chat.leaveChat())
    await ada.chat.send('hello')
    await settle()
    await bob.chat.leaveChat()
    await ada.chat.leaveChat()
    expect(world.clock.pending).toBe(0)
  })

  it('also what is told of others, in a listener that hears of the first', async () => {
    const ada = await visit()
    const others = [await visit(), await visit(), await visit()]
    await world.pass(10_000)
    const left: string[] = []
    ada.chat.on('user-left', (did) => {
      left.push(did)
      void ada.chat.leaveChat()
    })
    for (const { network } of others) world.network.crash(network.peerId)
    await world.pass(100_000)
    expect(left).toHaveLength(1)
  })

  it('also what others compare', async () => {
    const bob = await visit()
    const peer = new RawPeer(world.network, LOBBY)
    const presence = { peer: peer.peerId, data: {} }
    await peer.publish(
      eventBy(testAuthor(66), 'presence', presence, { topic: LOBBY, at: world.clock.now() }).jwt,
    )
    await world.pass(10_000)
    const stream = await peer.channel.open(bob.network.peerId, { signal: new AbortController().signal })
    const ids = { upper: undefined, kind: 'ids' as const, ids: ['12345678'] }
    await stream.send(
      encodeSync({ kind: 'open', salt: new Uint8Array(16), floor: START, roster: [], timeline: [ids] }),
    )
    await settle()
    expect(world.clock.pending).toBeGreaterThan(0)
    await bob.chat.leaveChat()
    await settle()
    expect(world.clock.pending).toBe(0)
  })
})

describe('leaving never rejects', () => {
  it('also where the leave cannot be sent', async () => {
    const ada = await visit()
    const network = new HeldNetwork(world.network.peer())
    const bob = await visit({ network })
    await until(() => ada.heard('user-joined').length === 1)
    network.onPublish = async () => Promise.reject(new Error('cable'))
    await expect(bob.chat.leaveChat()).resolves.toBeUndefined()
    expect(bob.chat.status.current).toBe('closed')
    await ada.chat.leaveChat()
    expect(world.clock.pending).toBe(0)
  })
})

describe('a neighbour that comes and goes', () => {
  it('does not make a device join again each time', async () => {
    const witness = new RawPeer(world.network, LOBBY)
    const network = new HeldNetwork(world.network.peer())
    const bob = await visit({ network })
    await world.pass(10_000)
    const before = witness.typesBy(bob.did).length
    for (let times = 0; times < 50; times += 1) {
      network.neighbours = 1
      network.handler.onPeerLost(testPeerId(9))
      network.handler.onNeighbours()
      await world.pass(50)
      network.neighbours = 2
      network.handler.onNeighbours()
      await world.pass(50)
    }
    // The second join comes 3 s after the first one, and the renewal after 3 to 6 s: chance may put it before the join.
    expect(witness.typesBy(bob.did).slice(before).sort()).toEqual(['join', 'join', 'presence'])
  })
})
