/**
 * The flaws that were found in 3Box's shipped ghost threads by running them, those in its live messages and members. Each
 * test attacks a room through its network, as a peer could that knows no manners.
 */
import { EventEmitter } from 'node:events'
import { settle } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { encodeClaims } from '../../../src/wire/claims.ts'
import { topicOf } from '../../../src/wire/topic.ts'
import { claimsBy, eventBy, messageBy, signText, testAuthor, testPeerId } from '../../support/authors.ts'
import { claimsIn, codeOf, enter, RawPeer, textsOf, until, type Visitor } from '../../support/world.ts'
import { inLobby, LOBBY, mallory, setTheScene, victim, world } from './scene.ts'

setTheScene()

describe('found in 3Box', () => {
  it('replay: an event counts once', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const { jwt } = messageBy(mallory, 'once', inLobby())
    await peer.publish(jwt)
    await peer.publish(jwt)
    await world.pass(60_000)
    await peer.publish(jwt)
    expect(ada.texts()).toEqual(['once'])
  })

  it('replay: a message that was re-wrapped with others counts once', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const { jwt } = messageBy(mallory, 'once', inLobby())
    await peer.publish(jwt)
    await peer.publish(jwt, messageBy(mallory, 'beside', inLobby()).jwt)
    expect(ada.texts()).toEqual(['once', 'beside'])
  })

  it('cross-room replay: an event belongs to one room of one space', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    for (const topic of [topicOf('dapp', 'tearoom'), topicOf('other', 'lobby')]) {
      await peer.publish(messageBy(victim, 'elsewhere', inLobby({ topic })).jwt)
      await peer.publish(eventBy(victim, 'join', { peer: testPeerId(1), data: {} }, inLobby({ topic })).jwt)
    }
    expect(ada.texts()).toEqual([])
    expect(ada.chat.onlineUsers()).toEqual([ada.did])
  })

  it('no expiry: an old event is no event, and presence ends by itself', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const now = world.clock.now()
    await peer.publish(messageBy(victim, 'yesterday', inLobby({ at: now - 86_400_000 })).jwt)
    await peer.publish(
      eventBy(victim, 'join', { peer: testPeerId(1), data: {} }, inLobby({ at: now - 90_000 })).jwt,
    )
    expect(ada.told.filter(([name]) => name === 'message' || name === 'user-joined')).toEqual([])
    await peer.publish(eventBy(victim, 'join', { peer: testPeerId(1), data: {} }, inLobby()).jwt)
    expect(ada.chat.onlineUsers()).toHaveLength(2)
    await world.pass(90_000)
    expect(ada.chat.onlineUsers()).toEqual([ada.did])
  })

  it('no expiry: nothing lives longer than its type may', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const eternal = { livesMs: 10 * 365 * 86_400_000 }
    await peer.publish(eventBy(mallory, 'join', { peer: testPeerId(1), data: {} }, inLobby(eternal)).jwt)
    await peer.publish(messageBy(mallory, 'for ever', inLobby(eternal)).jwt)
    expect(ada.chat.onlineUsers()).toEqual([ada.did])
    expect(ada.texts()).toEqual([])
  })

  it('presence spoofing by a replayed join: who left stays away', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const bob = await world.visit()
    const joins = peer.jwts.filter((jwt) => claimsIn(jwt).iss === bob.did)
    await bob.space.close()
    await until(() => ada.heard('user-left').length === 1)
    for (const jwt of joins) await peer.publish(jwt)
    expect(ada.chat.onlineUsers()).toEqual([ada.did])
    // Nor does a newcomer believe it, who never saw the join.
    const carol = await world.visit()
    for (const jwt of joins) await peer.publish(jwt)
    expect(carol.chat.onlineUsers()).not.toContain(bob.did)
  })

  it('presence spoofing by a replayed leave: who came back stays', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const bob = await world.visit({ identity: { seed: new Uint8Array(32).fill(1) } })
    const { network, space } = bob
    await bob.chat.leaveChat()
    await until(() => peer.typesBy(bob.did).includes('leave'))
    await world.pass(100)
    await enter(space, network)
    await world.pass(100)
    const leave = peer.jwts.find((jwt) => claimsIn(jwt).type === 'leave') ?? ''
    await peer.publish(leave)
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
  })

  it('remote unhandled rejection: bad JWTs, bad JSON, bad frames, bad streams', async () => {
    const ada = await world.visit()
    const peer = new RawPeer(world.network, LOBBY)
    const utf8 = new TextEncoder()
    const rubbish = [
      '',
      'hello',
      '{}',
      '[]',
      'null',
      'a.b.c',
      'a.b',
      '....',
      '{"type":"join"}',
      '\u0000',
      '\ud800',
    ]
    for (const text of rubbish) {
      await peer.channel.publish(utf8.encode(text))
      const stream = await peer.channel.open(ada.network.peerId, { signal: new AbortController().signal })
      await stream.send(utf8.encode(text))
      await settle()
    }
    await peer.channel.publish(new Uint8Array([0xff, 0xfe]))
    await peer.channel.publish(new Uint8Array(100_000))
    await peer.publish(signText(mallory, '{"__proto__":null}'), signText(mallory, '"text"'))
    await settle()
    expect(ada.told.map(([name]) => name)).toEqual(['status', 'backlog'].slice(0, ada.told.length))
    expect((await ada.chat.send('alive')).status).toBe('sent')
  })

  it('unknown types delivered: they are refused', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    const json = encodeClaims(claimsBy(mallory, 'message', { text: 'hello' }, inLobby()))
    for (const type of ['direct', 'backlog', 'MESSAGE', '', 'constructor']) {
      await peer.publish(signText(mallory, json.replace('"type":"message"', `"type":"${type}"`)))
    }
    expect(ada.texts()).toEqual([])
  })

  it('unstable order within a second: one order on every peer, by the millisecond', async () => {
    const peer = new RawPeer(world.network, LOBBY)
    const [ada, bob] = [await world.visit(), await world.visit()]
    const at = world.clock.now()
    const jwts = [3, 1, 2, 2, 1].map(
      (ms, index) => messageBy(testAuthor(index), `${ms}`, inLobby({ at: at + ms })).jwt,
    )
    for (const jwt of jwts) await peer.publish(jwt)
    await world.pass(5_000)
    const [a, b] = [await ada.chat.requestBacklog(), await bob.chat.requestBacklog()]
    expect(textsOf(a)).toEqual(['1', '1', '2', '2', '3'])
    expect(a.map(({ id }) => id)).toEqual(b.map(({ id }) => id))
    const carol = await world.visit()
    await world.pass(5_000)
    expect((await carol.chat.requestBacklog()).map(({ id }) => id)).toEqual(a.map(({ id }) => id))
  })

  it('one of two devices leaves and the user is gone: the user stays', async () => {
    const watcher = await world.visit()
    const identity = { seed: new Uint8Array(32).fill(2) }
    const phone = await world.visit({ identity })
    const desk = await world.visit({ identity })
    await phone.space.close()
    await settle()
    expect(watcher.heard('user-left')).toEqual([])
    expect(watcher.chat.onlineUsers()).toEqual([watcher.did, desk.did])
  })

  it('`left` for somebody never announced: nothing is told', async () => {
    const [ada, peer] = [await world.visit(), new RawPeer(world.network, LOBBY)]
    await peer.publish(eventBy(victim, 'leave', { peer: testPeerId(1) }, inLobby()).jwt)
    world.network.partition([[peer.peerId]])
    await world.pass(200_000)
    expect(ada.heard('user-left')).toEqual([])
    expect(ada.heard('user-joined')).toEqual([])
  })

  it('`12D3…` peer ids listed as users: users are DIDs that announced themselves', async () => {
    const ada = await world.visit()
    for (let number = 0; number < 3; number += 1) new RawPeer(world.network, LOBBY)
    const bob = await world.visit()
    await world.pass(5_000)
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
    expect(ada.heard('user-joined')).toEqual([['user-joined', bob.did]])
  })

  it('join storm: a newcomer is greeted by three of many', async () => {
    const visitors: Visitor[] = []
    for (let number = 0; number < 8; number += 1) visitors.push(await world.visit())
    await world.pass(5_000)
    const witness = new RawPeer(world.network, LOBBY)
    await settle()
    witness.jwts.length = 0
    const late = await world.visit()
    await world.pass(500)
    const greetings = witness.jwts
      .map(claimsIn)
      .filter(({ type, iss }) => type === 'presence' && iss !== late.did)
    // Renewals that were due anyway may be among them; a second or so has passed of their 30.
    expect(greetings.length).toBeGreaterThan(0)
    expect(greetings.length).toBeLessThanOrEqual(4)
    expect(new Set(late.chat.onlineUsers())).toEqual(new Set([...visitors, late].map(({ did }) => did)))
  })

  it('leaving one room breaks the others: they go on', async () => {
    const { space, network } = await world.space()
    const [lobby, tearoom] = [await enter(space, network), await enter(space, network, { room: 'tearoom' })]
    const guest = await world.visit({ room: 'tearoom' })
    await lobby.chat.leaveChat()
    await tearoom.chat.send('1')
    await guest.chat.send('2')
    await until(() => guest.texts().length === 2 && tearoom.texts().length === 2)
    expect(guest.heard('user-left')).toEqual([])
  })

  it('rejoin returns a dead object: it is a new one, alive', async () => {
    const ada = await world.visit()
    const { space, network } = await world.space()
    const first = await enter(space, network)
    await first.chat.leaveChat()
    await world.pass(1_000)
    const second = await enter(space, network)
    await world.pass(100)
    expect(second.chat).not.toBe(first.chat)
    await ada.chat.send('hello')
    await until(() => second.texts().length === 1)
    expect(await codeOf(() => first.chat.send('dead'))).toBe('chat-left')
  })

  it('a second listener silences the first: both hear', async () => {
    const [ada, bob] = [await world.visit(), await world.visit()]
    const heard: string[] = []
    bob.chat.on('message', () => heard.push('first'))
    bob.chat.on('message', () => heard.push('second'))
    await ada.chat.send('hello')
    await until(() => heard.length === 2)
    expect(heard).toEqual(['first', 'second'])
    expect(bob.chat).not.toBeInstanceOf(EventEmitter)
  })
})
