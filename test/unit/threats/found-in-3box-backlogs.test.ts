/**
 * The flaws that were found in 3Box's shipped ghost threads by running them, those in its backlogs. Each
 * test attacks a room through its network, as a peer could that knows no manners.
 */
import { settle } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { claimsBy, eventBy, messageBy, signClaims, testPeerId } from '../../support/authors.ts'
import { askForAll, askForNewest } from '../../support/sync.ts'
import { answering, claimsIn, enter, RawPeer, textsOf, until } from '../../support/world.ts'
import { done, events, inLobby, LOBBY, liar, mallory, newcomer, setTheScene, victim, world } from './scene.ts'

setTheScene()

describe('found in 3Box, in backlogs', () => {
  it('backlog forgery: history is what its authors signed', async () => {
    const genuine = messageBy(victim, 'genuine', inLobby()).jwt
    const forged = signClaims(mallory, claimsBy(victim, 'message', { text: 'forged' }, inLobby()))
    const unsigned = JSON.stringify({ iss: victim.did, text: 'unsigned' })
    for (const jwts of [[forged], [unsigned], [genuine, forged]]) {
      const visitor = await newcomer(await liar(answering(events(...jwts), done)))
      expect(visitor.texts()).not.toContain('forged')
      expect(visitor.texts()).not.toContain('unsigned')
      expect(textsOf(await visitor.chat.requestBacklog())).not.toContain('forged')
      await visitor.space.close()
    }
  })

  it('backlog forgery: the honest are asked when a liar was found out', async () => {
    const ada = await world.visit()
    const forged = signClaims(mallory, claimsBy(victim, 'message', { text: 'forged' }, inLobby()))
    const peer = await liar(answering(events(forged), done))
    await ada.chat.send('honest')
    await world.pass(1_000)
    const visitor = await newcomer(peer)
    await world.pass(3_000)
    expect(peer.streams.length).toBeGreaterThan(0)
    expect(visitor.texts()).toEqual(['honest'])
  })

  it('remote unhandled rejection: backlogs that are no list, and a filter that throws', async () => {
    const utf8 = new TextEncoder()
    const bad = ['', 'hello', '{"events":[]}', '[1,2]', 'null', '{"done":1}'].map((text) => utf8.encode(text))
    for (const frame of bad) {
      const visitor = await newcomer(await liar(answering(frame, done)))
      visitor.chat.addFilter(() => {
        throw new Error('my filter')
      })
      await visitor.chat.send('alive')
      expect(visitor.heard('error')).toEqual([['error', 'listener-failed']])
      await visitor.space.close()
    }
  })

  it('storing before verifying: a forgery is in no window, no roster and no answer', async () => {
    const ada = await world.visit()
    const peer = new RawPeer(world.network, LOBBY)
    const claims = claimsBy(victim, 'message', { text: 'genuine' }, inLobby())
    await peer.publish(signClaims(mallory, claims))
    await peer.publish(
      signClaims(mallory, claimsBy(victim, 'join', { peer: testPeerId(1), data: {} }, inLobby())),
    )
    expect(ada.texts()).toEqual([])
    expect(ada.chat.onlineUsers()).toEqual([ada.did])
    const answers = await peer.ask(ada.network.peerId, askForAll())
    const jwts = answers.flatMap((answer) => (answer?.kind === 'events' ? answer.jwts : []))
    expect(jwts.map((jwt) => claimsIn(jwt).iss)).toEqual([ada.did])
    // And it does not shut out the event it imitates.
    await peer.publish(signClaims(victim, claims))
    expect(ada.texts()).toEqual(['genuine'])
  })

  it('filter bypass through backlog: a filter holds for both', async () => {
    const spam = messageBy(mallory, 'spam', inLobby()).jwt
    const peer = await liar(answering(events(spam, messageBy(mallory, 'ham', inLobby()).jwt), done))
    const { space, network } = await world.space()
    const visitor = await enter(space, network, { filters: [({ text }) => text !== 'spam'] })
    await settle()
    await peer.publish(
      eventBy(mallory, 'presence', { peer: peer.peerId, data: {} }, inLobby({ at: world.clock.now() + 1 }))
        .jwt,
    )
    await world.pass(5_000)
    expect(visitor.texts()).toEqual(['ham'])
    expect(textsOf(await visitor.chat.requestBacklog())).toEqual(['ham'])
  })

  it('unbounded backlog: an endless answer is cut off, and so is a patient one', async () => {
    let sent = 0
    const peer = await liar((stream) => {
      void (async () => {
        for (;;) {
          const jwts = Array.from({ length: 30 }, () => messageBy(mallory, `${sent}`, inLobby()).jwt)
          await stream.send(events(...jwts))
          sent += jwts.length
          await settle()
        }
      })().catch(() => {})
    })
    const visitor = await newcomer(peer)
    await until(() => sent > 600)
    const before = sent
    for (let time = 0; time < 10; time += 1) await world.pass(100)
    expect(sent).toBeLessThan(before + 100)
    expect(visitor.chat.status.current).toBe('connected')
  })

  it('unbounded backlog: a peer that answers nothing is given up after 10 s', async () => {
    const peer = await liar(() => {})
    const visitor = await newcomer(peer)
    expect(peer.streams.length).toBeGreaterThan(0)
    await world.pass(11_000)
    await settle()
    expect(visitor.heard('backlog')).toEqual([['backlog', []]])
  })

  it('unbounded backlog: nobody gets more than is due to a peer', async () => {
    const ada = await world.visit()
    const peer = new RawPeer(world.network, LOBBY)
    await Promise.all(Array.from({ length: 150 }, (_, index) => ada.chat.send(`${index}`)))
    const kinds: string[] = []
    for (let time = 0; time < 10; time += 1) {
      const answers = await peer.ask(ada.network.peerId, askForNewest(1_000))
      const messages = answers.flatMap((answer) => (answer?.kind === 'events' ? answer.jwts : []))
      expect(messages.length).toBeLessThanOrEqual(100)
      kinds.push(answers.at(-1)?.kind ?? 'nothing')
    }
    expect(kinds).toEqual([...Array.from({ length: 8 }, () => 'turn'), 'busy', 'busy'])
  })

  it('direct message leaking into the shared backlog: what a backlog answers was said to all', async () => {
    const ada = await world.visit()
    const peer = new RawPeer(world.network, LOBBY)
    // On a stream, to one peer only: nothing of it is kept, told or passed on.
    const stream = await peer.channel.open(ada.network.peerId, { signal: new AbortController().signal })
    await stream.send(events(messageBy(mallory, 'for Ada only', inLobby()).jwt))
    await ada.chat.send('for all')
    await world.pass(1_000)
    expect(ada.texts()).toEqual(['for all'])
    const answers = await peer.ask(ada.network.peerId, askForNewest(1_000))
    const jwts = answers.flatMap((answer) => (answer?.kind === 'events' ? answer.jwts : []))
    expect(jwts.map((jwt) => claimsIn(jwt))).toMatchObject([{ text: 'for all' }])
  })
})
