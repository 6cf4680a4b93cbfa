import { settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Network } from '../../src/network/network.ts'
import type { SignedEvent } from '../../src/wire/event.ts'
import { type EventId, eventId } from '../../src/wire/event-id.ts'
import { decodeSync, encodeSync, type Range } from '../../src/wire/sync.ts'
import { topicOf } from '../../src/wire/topic.ts'
import { eventBy, messageBy, testAuthor } from '../support/authors.ts'
import { HeldNetwork } from '../support/held-network.ts'
import { ShiftedClock } from '../support/shifted-clock.ts'
import { eventsFrame, lastTurn } from '../support/sync.ts'
import {
  answering,
  backlogOf,
  codeOf,
  enter,
  RawPeer,
  settles,
  textsOf,
  until,
  type VisitOptions,
  type Visitor,
  World,
} from '../support/world.ts'

const LOBBY = topicOf('dapp', 'lobby')
let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

const visit = (options?: VisitOptions): Promise<Visitor> => world.visit(options)

describe('the backlog', () => {
  /** Somebody who wrote `count` messages, heard by a witness who answers no questions. */
  async function room(count: number): Promise<Visitor> {
    new RawPeer(world.network, LOBBY)
    const ada = await visit()
    for (let index = 1; index <= count; index += 1) {
      await ada.chat.send(`${index}`)
      await world.clock.advance(1)
    }
    return ada
  }

  it('is told once, oldest first, also when it is empty', async () => {
    const ada = await visit()
    const bob = await visit()
    await world.pass(5_000)
    expect(ada.heard('backlog')).toEqual([['backlog', []]])
    expect(bob.heard('backlog')).toEqual([['backlog', []]])
  })

  it('is fetched whole by who was alone when it asked for more than a page', async () => {
    const ada = await room(250)
    world.network.partition([[ada.network.peerId]])
    // Somebody is there, but nobody who could be asked.
    new RawPeer(world.network, LOBBY)
    const bob = await visit()
    await world.pass(5_000)
    world.network.heal()
    await until(() => bob.chat.members().some(({ did }) => did === ada.chat.did))
    expect(textsOf(await bob.chat.requestBacklog({ limit: 1_000 }))).toEqual(
      Array.from({ length: 250 }, (_, index) => `${index + 1}`),
    )
  })

  it('is limited, newest last', async () => {
    await room(5)
    const bob = await visit({ backlogLimit: 3 })
    expect(bob.heard('backlog')).toEqual([['backlog', ['3', '4', '5']]])
    expect(textsOf(await bob.chat.requestBacklog({ limit: 2 }))).toEqual(['4', '5'])
    expect(textsOf(await bob.chat.requestBacklog())).toEqual(['1', '2', '3', '4', '5'])
    expect(bob.heard('backlog').slice(1)).toEqual([['backlog', ['1', '2']]])
  })

  it('limit 0 brings the roster and no messages', async () => {
    const ada = await room(2)
    const bob = await visit({ backlogLimit: 0 })
    await world.pass(5_000)
    expect(bob.texts()).toEqual([])
    expect(bob.chat.onlineUsers()).toEqual([bob.did, ada.did])
  })

  it('before a message, or before its id', async () => {
    await room(5)
    const bob = await visit({ backlogLimit: 2 })
    const [fourth] = await bob.chat.requestBacklog({ limit: 2 })
    expect(fourth?.text).toBe('4')
    if (fourth === undefined) return
    expect(textsOf(await bob.chat.requestBacklog({ limit: 2, before: fourth }))).toEqual(['2', '3'])
    expect(textsOf(await bob.chat.requestBacklog({ limit: 9, before: fourth.id }))).toEqual(['1', '2', '3'])
    expect(await codeOf(() => bob.chat.requestBacklog({ before: 'unknown' }))).toBe('invalid-message')
  })

  it('of more than 100 messages comes in pages', async () => {
    const ada = await visit()
    await Promise.all(Array.from({ length: 250 }, (_, index) => ada.chat.send(`${index}`)))
    const bob = await visit()
    await world.pass(1_000)
    expect(bob.texts().length).toBeGreaterThanOrEqual(100)
    expect(await backlogOf(world, bob, { limit: 250 })).toHaveLength(250)
  })

  it.each([[0], [-1], [1.5], [1_001], [Number.NaN], ['5']])('limit %j is refused', async (limit) => {
    const ada = await visit()
    expect(await codeOf(() => ada.chat.requestBacklog({ limit: limit as number }))).toBe('invalid-option')
  })

  it('alone: what is known, after 5 s for a connection and 2 s for somebody to ask', async () => {
    const ada = await visit()
    await ada.chat.send('1')
    await world.pass(4_000)
    const asking = ada.chat.requestBacklog()
    await settle()
    await world.pass(1_000)
    await world.pass(1_800)
    expect(await settles(asking)).toBe(false)
    await world.pass(200)
    expect(textsOf(await asking)).toEqual(['1'])
    expect(ada.heard('backlog')).toEqual([])
  })

  it('a signal gives up waiting, with its own reason', async () => {
    const ada = await visit()
    const controller = new AbortController()
    const reason = new Error('never mind')
    const asking = ada.chat.requestBacklog({ signal: controller.signal })
    controller.abort(reason)
    expect(await codeOf(() => asking)).toBe(reason)
    expect(await codeOf(() => ada.chat.requestBacklog({ signal: controller.signal }))).toBe(reason)
  })

  it('leaving gives up waiting, with chat-left', async () => {
    const ada = await visit()
    const asking = codeOf(() => ada.chat.requestBacklog())
    await ada.chat.leaveChat()
    expect(await asking).toBe('chat-left')
  })

  it('the last 2 s of silence are not waited for where somebody is known', async () => {
    await room(1)
    const bob = await visit()
    const asking = bob.chat.requestBacklog()
    expect(await settles(asking)).toBe(true)
  })

  it('after a partition, both sides get what the other wrote, as a backlog', async () => {
    const [ada, bob, carol, dave] = [await visit(), await visit(), await visit(), await visit()]
    await world.pass(5_000)
    world.network.partition([
      [ada.network.peerId],
      [bob.network.peerId, carol.network.peerId, dave.network.peerId],
    ])
    await bob.chat.send('while you were away')
    await world.pass(5_000)
    world.network.heal()
    await world.pass(5_000)
    expect(ada.heard('message')).toEqual([])
    expect(ada.heard('backlog').at(-1)).toEqual(['backlog', ['while you were away']])
  })

  it('after a partition between two halves, nobody misses anything', async () => {
    const [ada, bob, carol, dave] = [await visit(), await visit(), await visit(), await visit()]
    await world.pass(5_000)
    world.network.partition([
      [ada.network.peerId, bob.network.peerId],
      [carol.network.peerId, dave.network.peerId],
    ])
    await ada.chat.send('from the first half')
    await carol.chat.send('from the second half')
    await world.pass(5_000)
    world.network.heal()
    await world.pass(10_000)
    for (const visitor of [ada, bob, carol, dave]) {
      expect(new Set(visitor.texts())).toEqual(new Set(['from the first half', 'from the second half']))
    }
  })
})

describe('asking further and further back', () => {
  const mallory = testAuthor(66)

  /**
   * A newcomer to a room with a member that has always one message more of a
   * muted author, `at` so many milliseconds after the newcomer came.
   */
  async function besideEndless(at: (asked: number) => number): Promise<{ visitor: Visitor; peer: RawPeer }> {
    const cameAt = world.clock.now() + 1_100
    const peer = new RawPeer(world.network, LOBBY, (stream) => {
      const options = { topic: LOBBY, at: cameAt + at(peer.streams.length) }
      const { jwt } = messageBy(mallory, `${peer.streams.length}`, options)
      answering(eventsFrame(jwt), lastTurn({ timestamp: cameAt, prefix: '' }))(stream)
    })
    const visitor = await visit({ backlogLimit: 0 })
    visitor.chat.mute(mallory.did)
    const presence = { peer: peer.peerId, data: {} }
    await peer.publish(eventBy(mallory, 'presence', presence, { topic: LOBBY, at: cameAt }).jwt)
    await world.pass(5_000)
    return { visitor, peer }
  }

  it.each([
    ['that is hidden', (asked: number) => -asked],
    ['that is newer than was asked for', (asked: number) => asked],
  ])('ends with a member that always has one more message %s', async (_what, at) => {
    const { visitor, peer } = await besideEndless(at)
    const before = peer.streams.length
    const asking = visitor.chat.requestBacklog()
    let ended = false
    const end = (): void => {
      ended = true
    }
    asking.then(end, end)
    await until(() => ended)
    expect(await asking).toEqual([])
    expect(peer.streams.length - before).toBeLessThanOrEqual(20)
  })

  it('ends with a member that always has the same message', async () => {
    const { jwt } = messageBy(mallory, 'again', { topic: LOBBY, at: world.clock.now() })
    const peer = new RawPeer(world.network, LOBBY, (stream) =>
      answering(eventsFrame(jwt), lastTurn({ timestamp: world.clock.now(), prefix: '' }))(stream),
    )
    const bob = await visit({ backlogLimit: 0 })
    const presence = { peer: peer.peerId, data: {} }
    await peer.publish(eventBy(mallory, 'presence', presence, { topic: LOBBY, at: world.clock.now() }).jwt)
    await world.pass(5_000)
    expect(textsOf(await bob.chat.requestBacklog())).toEqual(['again'])
    expect(peer.streams.length).toBeLessThan(20)
  })

  it('finds what is shown behind more than a page of what is not', async () => {
    const [ada, bob] = [await visit(), await visit()]
    const send = ({ chat }: Visitor, count: number): Promise<unknown> =>
      Promise.all(Array.from({ length: count }, (_, index) => chat.send(`${index}`)))
    await send(ada, 30)
    await until(() => bob.texts().length === 30)
    await send(bob, 120)
    // More than 100 messages at once wait their turn.
    await world.pass(1_000)
    await until(() => ada.texts().length === 150)
    const carol = await visit({ backlogLimit: 0 })
    carol.chat.mute(bob.did)
    const found = await carol.chat.requestBacklog({ limit: 30 })
    expect(textsOf(found)).toEqual(Array.from({ length: 30 }, (_, index) => `${index}`))
  })

  it('finds the history behind what came while it was being fetched', async () => {
    new RawPeer(world.network, LOBBY)
    const ada = await visit()
    for (const text of ['1', '2', '3']) await ada.chat.send(text)
    await world.pass(1_100)
    const { space, network } = await world.space()
    const bob = await enter(space, network)
    // Time stands still: nobody greets Bob, so he has nobody to ask until all of this has come.
    await until(() => ada.heard('user-joined').length === 1)
    const news = Array.from({ length: 100 }, (_, index) => `news ${index}`)
    await Promise.all(news.map((text) => ada.chat.send(text)))
    await world.pass(100)
    expect(bob.heard('backlog')).toEqual([['backlog', ['1', '2', '3']]])
    expect(new Set(bob.heard('message').map(([, , text]) => text))).toEqual(new Set(news))
    expect(bob.heard('message')).toHaveLength(news.length)
  })

  it('finds the history behind an answer that is full of what came meanwhile', async () => {
    const questions: (Range | undefined)[] = []
    const cameAt = world.clock.now() + 1_100
    const written = (text: string, at: number): string =>
      messageBy(mallory, text, { topic: LOBBY, at: cameAt + at }).jwt
    const news = Array.from({ length: 100 }, (_, index) => written(`news ${index}`, index + 1))
    const history = [written('1', -3), written('2', -2)]
    const peer = new RawPeer(world.network, LOBBY, (stream) => {
      void (async () => {
        const asked = await stream.frames[Symbol.asyncIterator]().next()
        const said = decodeSync(asked.value)
        const question = said?.kind === 'open' ? said.timeline[0] : undefined
        questions.push(question)
        const isFirst = question?.upper === undefined
        const jwts = isFirst ? news : history
        for (let first = 0; first < jwts.length; first += 25) {
          await stream.send(eventsFrame(...jwts.slice(first, first + 25)))
        }
        await stream.send(lastTurn(isFirst ? { timestamp: cameAt + 1, prefix: '' } : undefined))
        await stream.close()
      })()
    })
    await world.pass(1_100)
    const { space, network } = await world.space()
    const bob = await enter(space, network)
    const presence = { peer: peer.peerId, data: {} }
    await peer.publish(eventBy(mallory, 'presence', presence, { topic: LOBBY, at: cameAt }).jwt)
    await until(() => bob.heard('backlog').length === 1)
    expect(bob.heard('backlog')).toEqual([['backlog', ['1', '2']]])
    expect(bob.heard('message')).toHaveLength(100)
    expect(questions).toMatchObject([
      { kind: 'newest', limit: 100 },
      { kind: 'newest', limit: 100, upper: { timestamp: cameAt } },
    ])
  })
})

describe('filters and muting', () => {
  it('hold for messages and for backlogs, from the first one on', async () => {
    new RawPeer(world.network, LOBBY)
    const ada = await visit()
    await ada.chat.send('spam 1')
    await ada.chat.send('ham 1')
    const bob = await visit({ filters: [({ text }) => !text.startsWith('spam')] })
    await ada.chat.send('spam 2')
    await ada.chat.send('ham 2')
    await until(() => bob.heard('message').length === 1)
    await world.pass(5_000)
    expect(bob.texts()).toEqual(['ham 2', 'ham 1'])
    expect(textsOf(await bob.chat.requestBacklog())).toEqual(['ham 1', 'ham 2'])
  })

  it('can be taken away, and what was hidden comes with the next backlog', async () => {
    const [ada, bob] = [await visit(), await visit()]
    const off = bob.chat.addFilter(() => false)
    await ada.chat.send('hello')
    await settle()
    expect(bob.texts()).toEqual([])
    off()
    expect(textsOf(await bob.chat.requestBacklog())).toEqual(['hello'])
  })

  it('muting hides messages, backlogs and typing of a DID', async () => {
    const [ada, bob] = [await visit(), await visit()]
    ada.chat.typing.keystroke()
    await until(() => bob.chat.typing.current().length === 1)
    bob.chat.mute(ada.did)
    expect(bob.heard('typing').at(-1)).toEqual(['typing', []])
    await ada.chat.send('hello')
    ada.chat.typing.keystroke()
    await settle()
    expect(bob.texts()).toEqual([])
    expect(bob.chat.typing.current()).toEqual([])
    expect(await backlogOf(world, bob)).toEqual([])
    bob.chat.unmute(ada.did)
    expect(textsOf(await bob.chat.requestBacklog())).toEqual(['hello'])
  })

  it('a filter that throws hides the message and is told as an error', async () => {
    const ada = await visit()
    const bob = await visit({
      filters: [
        () => {
          throw new Error('my filter')
        },
      ],
    })
    await ada.chat.send('hello')
    await until(() => bob.heard('error').length > 0)
    expect(bob.texts()).toEqual([])
    expect(bob.heard('error')).toEqual([['error', 'listener-failed']])
    expect(bob.chat.status.current).toBe('connected')
  })
})

describe('what was missed', () => {
  const mallory = testAuthor(66)
  const of = (text: string, parents: EventId[] = []): SignedEvent<'message'> =>
    messageBy(mallory, text, { topic: LOBBY, at: world.clock.now(), parents })

  it('is told of after the backlog, also when it is nothing', async () => {
    const [ada] = [await visit(), await visit()]
    await ada.chat.send('before')
    const bob = await visit()
    expect(bob.told.filter(([name]) => name === 'backlog' || name === 'recovered')).toEqual([
      ['backlog', ['before']],
      ['recovered', true, 1],
    ])
    const carol = await visit({ backlogLimit: 0 })
    expect(carol.heard('recovered')).toEqual([['recovered', true, 0]])
  })

  it('is that nothing is missing also where something was deleted, as all say who are there', async () => {
    const ada = await visit()
    const message = await ada.chat.send('deleted')
    await ada.chat.delete(message)
    const bob = await visit()
    expect(bob.heard('recovered')).toEqual([['recovered', true, 0]])
  })

  it.each([2, 9])(
    'is within seconds that nothing is missing where something was edited and deleted, among %i',
    async (count) => {
      const people: Visitor[] = []
      for (let number = 0; number < count; number += 1) people.push(await visit())
      const [ada, bob] = people
      if (ada === undefined || bob === undefined) throw new Error('two at least')
      await world.pass(10_000)
      const edited = await ada.chat.send('one')
      const deleted = await ada.chat.send('deleted')
      for (const text of ['two', 'three']) {
        await ada.chat.edit(edited, text)
        await world.pass(1_000)
        // Names what is about to be replaced.
        await bob.chat.send(`after ${text}`)
        await world.pass(1_000)
      }
      await ada.chat.delete(deleted)
      await world.pass(60_000)
      const cleo = await visit()
      await world.pass(5_000)
      expect(cleo.heard('recovered').at(-1)).toEqual(['recovered', true, 0])
    },
  )

  it('is told of after each loss of the connection', async () => {
    const [ada, bob] = [await visit(), await visit(), await visit()]
    await world.pass(5_000)
    const before = bob.heard('recovered').length
    world.network.partition([[bob.network.peerId]])
    for (const text of ['1', '2']) await ada.chat.send(text)
    // What nobody has acknowledged yet would be sent again, live.
    await world.pass(2_000)
    world.network.heal()
    await world.pass(1_000)
    // Two members may bring it at once, a part each: then it is told of twice.
    const told = bob.heard('recovered').slice(before)
    expect(told.at(-1)?.[1]).toBe(true)
    expect(told.reduce((sum, [, , count]) => sum + Number(count), 0)).toBe(2)
  })

  it('is fetched from whoever has it when an event names it', async () => {
    const first = of('first')
    let answer = [lastTurn()]
    const peer = new RawPeer(world.network, LOBBY, (stream) => answering(...answer)(stream))
    const bob = await visit({ backlogLimit: 0 })
    const presence = { peer: peer.peerId, data: {} }
    const renew = (): string =>
      eventBy(mallory, 'presence', presence, { topic: LOBBY, at: world.clock.now() }).jwt
    await peer.publish(renew())
    await world.pass(5_000)
    const opened = peer.streams.length
    answer = [eventsFrame(first.jwt), lastTurn()]
    await peer.publish(of('second', [first.id]).jwt)
    await world.pass(1_499)
    expect([bob.texts(), peer.streams.length]).toEqual([['second'], opened])
    await world.pass(1)
    expect(new Set(bob.texts())).toEqual(new Set(['first', 'second']))
    expect(bob.heard('recovered').at(-1)).toEqual(['recovered', true, 1])
  })

  it('comes within a minute also where nobody names it', async () => {
    const [ada, bob] = [await visit(), await visit()]
    await world.pass(8_000)
    const before = bob.heard('recovered').length
    // Only streams get through from here on.
    world.network.change({ loss: 1 })
    await ada.chat.send('unheard')
    await world.pass(11_000)
    expect(bob.texts()).toEqual([])
    await world.pass(42_000)
    expect(bob.texts()).toEqual(['unheard'])
    expect(bob.heard('recovered').slice(before)).toEqual([['recovered', true, 1]])
  })

  it('is passed on by whoever finds it where gossip should have brought it, and not what was said before', async () => {
    const old = of('said before')
    await world.pass(1_000)
    let answer = [lastTurn()]
    const peer = new RawPeer(world.network, LOBBY, (stream) => answering(...answer)(stream))
    const other = new RawPeer(world.network, LOBBY)
    const bob = await visit()
    const presence = { peer: peer.peerId, data: {} }
    const renewal = eventBy(mallory, 'presence', presence, { topic: LOBBY, at: world.clock.now() })
    await peer.publish(renewal.jwt)
    await world.pass(10_000)
    const kept = of('not passed on by others')
    answer = [eventsFrame(old.jwt, kept.jwt), lastTurn()]
    await world.pass(65_000)
    expect(new Set(bob.texts())).toEqual(new Set([kept, old].map(({ claims }) => claims.text)))
    const heard = other.jwts.filter((jwt) => jwt === kept.jwt || jwt === old.jwt)
    expect(heard).toEqual([kept.jwt])
  })

  it('is not doubted because nobody answers a look without a reason', async () => {
    let answer = [lastTurn()]
    const peer = new RawPeer(world.network, LOBBY, (stream) => answering(...answer)(stream))
    const bob = await visit()
    const renew = (): Promise<unknown> =>
      peer.publish(
        eventBy(mallory, 'presence', { peer: peer.peerId, data: {} }, { topic: LOBBY, at: world.clock.now() })
          .jwt,
      )
    await renew()
    await world.pass(20_000)
    const [told, opened] = [bob.heard('recovered').length, peer.streams.length]
    answer = [encodeSync({ kind: 'busy' })]
    for (let renewals = 0; renewals < 4; renewals += 1) {
      await world.pass(30_000)
      await renew()
    }
    expect(peer.streams.length).toBeGreaterThan(opened)
    expect(bob.heard('recovered').length).toBe(told)
  })

  it('is said to be missing as long as it is named and nobody brings it', async () => {
    // Says that it has something that it never sends.
    const peer = new RawPeer(world.network, LOBBY, answering(encodeSync({ kind: 'busy' })))
    const bob = await visit({ backlogLimit: 0 })
    const presence = { peer: peer.peerId, data: {} }
    const options = { topic: LOBBY, at: world.clock.now(), parents: [of('kept back').id] }
    await peer.publish(eventBy(mallory, 'presence', presence, options).jwt)
    await world.pass(10_000)
    expect(bob.heard('recovered').at(-1)?.[1]).toBe(false)
    const pauses = peer.streams.length
    await world.pass(20_000)
    expect(peer.streams.length - pauses).toBeLessThanOrEqual(4)
  })
})

describe('what nobody acknowledges', () => {
  it('is sent again, less and less often, beside a new event each time', async () => {
    const ada = await visit()
    const mallory = testAuthor(66)
    const peer = new RawPeer(world.network, LOBBY)
    const presence = (): string =>
      eventBy(mallory, 'presence', { peer: peer.peerId, data: {} }, { topic: LOBBY, at: world.clock.now() })
        .jwt
    await peer.publish(presence())
    await world.pass(1_000)
    const { jwt } = await ada.chat.send('hello')
    const copies = (): number => peer.jwts.filter((other) => other === jwt).length
    await until(() => copies() === 1)
    await world.pass(5_000)
    expect(copies()).toBe(2)
    await world.pass(9_000)
    expect(copies()).toBe(2)
    await world.pass(2_000)
    expect(copies()).toBe(3)
    const message = ada.chat.message(eventId(jwt))
    const naming = { topic: LOBBY, at: world.clock.now(), parents: [eventId(jwt)] }
    await peer.publish(eventBy(mallory, 'presence', { peer: peer.peerId, data: {} }, naming).jwt)
    expect(message?.status).toBe('acknowledged')
    const last = copies()
    await world.pass(60_000)
    expect(copies()).toBe(last)
  })
})

describe('coming back', () => {
  it('brings what was missed, and no older history that was not asked for', async () => {
    const ada = await visit()
    await visit()
    for (let index = 0; index < 150; index += 1) await ada.chat.send(`before ${index}`)
    const bob = await visit()
    await until(() => bob.heard('backlog').length === 1)
    await world.pass(5_000)
    const had = (await bob.chat.requestBacklog({ limit: 100 })).length
    expect(had).toBe(100)
    world.network.partition([[bob.network.peerId]])
    await world.pass(1_000)
    await ada.chat.send('missed')
    await world.pass(1_000)
    world.network.heal()
    await until(() => bob.heard('backlog').length === 2)
    await world.pass(5_000)
    expect(bob.heard('backlog')[1]).toEqual(['backlog', ['missed']])
    expect(bob.heard('backlog')).toHaveLength(2)
  })
})

describe('what somebody says of its history', () => {
  /** Somebody in a lively room, who misses what is written by a clock that is slow and hears what names it. */
  async function missesOneOfASlowClock(network: Network): Promise<Visitor> {
    const ada = await visit({ network })
    const carol = await visit({ clock: new ShiftedClock(world.clock, -20_000) })
    await world.pass(5_000)
    for (let index = 0; index < 150; index += 1) await ada.chat.send(`${index}`)
    await world.pass(3_000)
    const his = new HeldNetwork(world.network.peer())
    const bob = await visit({ network: his })
    await world.pass(10_000)
    his.isDeaf = true
    await carol.chat.send('missed')
    await world.pass(5_000)
    his.isDeaf = false
    await carol.chat.send('heard')
    return bob
  }

  const mallory = testAuthor(66)
  const of = (text: string, parents: EventId[] = [], at = world.clock.now()): SignedEvent<'message'> =>
    messageBy(mallory, text, { topic: LOBBY, at, parents })
  const presenceOf = (peer: RawPeer, parents: EventId[] = []): string =>
    eventBy(
      mallory,
      'presence',
      { peer: peer.peerId, data: {} },
      { topic: LOBBY, at: world.clock.now(), parents },
    ).jwt

  it('that it begins in the future does not keep a newcomer from what gossip misses', async () => {
    const ada = await visit()
    const far = { timestamp: world.clock.now() + 10 ** 12, prefix: '' }
    const liar = new RawPeer(world.network, LOBBY, answering(eventsFrame(of('mine').jwt), lastTurn(far)))
    // The liar is the first one who is asked.
    world.network.partition([[ada.network.peerId]])
    await world.pass(1_100)
    const held = new HeldNetwork(world.network.peer())
    const { space } = await world.space({ network: held })
    const bob = await enter(space, held, { backlogLimit: 1 })
    await settle()
    await liar.publish(presenceOf(liar))
    await world.pass(5_000)
    expect(bob.heard('recovered')).toEqual([['recovered', false, 1]])
    world.network.heal()
    await world.pass(10_000)
    held.isDeaf = true
    await ada.chat.send('said while bob is there')
    for (let minutes = 0; minutes < 5; minutes += 1) await world.pass(60_000)
    expect(bob.texts()).toContain('said while bob is there')
  })

  it('does not hide that something is missing while a page of it is asked for', async () => {
    const ada = await visit()
    for (let index = 0; index < 120; index += 1) await ada.chat.send(`${index}`)
    await world.pass(3_000)
    const peer = new RawPeer(world.network, LOBBY, answering(encodeSync({ kind: 'busy' })))
    const bob = await visit({ backlogLimit: 10 })
    await world.pass(10_000)
    const kept = of('kept back')
    await peer.publish(presenceOf(peer, [kept.id]))
    await world.pass(5_000)
    expect(bob.heard('recovered').at(-1)?.[1]).toBe(false)
    const asking = bob.chat.requestBacklog({ limit: 50 })
    await world.pass(5_000)
    expect(await asking).toHaveLength(50)
    for (let times = 0; times < 20; times += 1) {
      await peer.publish(presenceOf(peer, [kept.id]))
      await world.pass(1_000)
    }
    expect(bob.heard('recovered').at(-1)?.[1]).toBe(false)
  })

  it('is not more than was asked for where nobody was there for a while', async () => {
    const ada = await visit()
    await visit()
    for (let index = 0; index < 50; index += 1) await ada.chat.send(`${index}`)
    await world.pass(3_000)
    const bob = await visit({ backlogLimit: 3 })
    await world.pass(10_000)
    expect(bob.texts()).toHaveLength(3)
    world.network.partition([[bob.network.peerId]])
    await world.pass(130_000)
    expect(bob.chat.onlineUsers()).toEqual([bob.did])
    // A node comes back first: a neighbour that is no member.
    const node = new RawPeer(world.network, LOBBY)
    world.network.partition([[bob.network.peerId, node.peerId]])
    await world.pass(5_000)
    world.network.heal()
    await world.pass(10_000)
    expect(bob.texts()).toHaveLength(3)
  })

  it('reaches back far enough for a slow clock in a lively room', async () => {
    const bob = await missesOneOfASlowClock(world.network.peer())
    await world.pass(30_000)
    expect(bob.texts()).toContain('missed')
    expect(bob.heard('recovered').at(-1)?.[1]).toBe(true)
  })

  it('is known to be all within seconds, also where somebody else brings what is missing first', async () => {
    const hers = new HeldNetwork(world.network.peer())
    const bob = await missesOneOfASlowClock(hers)
    // Ada compares with both in 3 s: Bob has looked by then, too late a time, and waits to look again.
    hers.handler.onWider()
    await world.pass(4_800)
    expect(bob.texts()).toContain('missed')
    expect(bob.heard('recovered').map(([, complete]) => complete)).toEqual([true, false, false, true])
  })
})

describe('a listener', () => {
  it('that empties the backlog it is handed is not told all of it again', async () => {
    const ada = await visit()
    await ada.chat.send('1')
    await ada.chat.send('2')
    await world.pass(1_100)
    const { space } = await world.space()
    const chat = await space.joinChat('lobby')
    const told: string[] = []
    chat.on('backlog', (messages) => {
      for (const message of messages.splice(0)) told.push(`backlog ${message.text}`)
    })
    chat.on('message', (_did, message) => told.push(`message ${message.text}`))
    await world.pass(3_000)
    expect(told).toEqual(['backlog 1', 'backlog 2'])
  })

  it('that leaves when it is handed the backlog is told nothing more', async () => {
    const ada = await visit()
    await ada.chat.send('1')
    await world.pass(1_100)
    const network = new HeldNetwork(world.network.peer())
    const { space } = await world.space({ network })
    const chat = await space.joinChat('lobby')
    const told: string[] = []
    chat.on('backlog', (messages) => {
      told.push(`backlog ${messages.length}`)
      void chat.leaveChat()
    })
    chat.on('message', (_did, message) => told.push(message.text))
    network.isDeaf = true
    await settle()
    await world.clock.advance(5)
    await ada.chat.send('2')
    await settle()
    network.isDeaf = false
    await world.pass(31_000)
    expect(told).toEqual(['backlog 1'])
  })
})
