import { EdDSASigner } from 'did-jwt'
import { settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GhostChatError } from '../../src/errors.ts'
import { topicOf } from '../../src/wire/topic.ts'
import { testAuthor } from '../support/authors.ts'
import { codeOf, RawPeer, until, type VisitOptions, type Visitor, World } from '../support/world.ts'

const LOBBY = topicOf('dapp', 'lobby')
let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

const visit = (options?: VisitOptions): Promise<Visitor> => world.visit(options)

describe('what an application is handed', () => {
  it('are members whose presence it cannot change, neither here nor for others', async () => {
    const ada = await visit({ presence: { name: 'Ada', tags: ['a'] } })
    const bob = await visit({ presence: { name: 'Bob' } })
    for (const { presence } of ada.chat.members()) {
      expect(() => Object.assign(presence, { name: 'changed' })).toThrow(TypeError)
    }
    const tags = (ada.chat.members()[0]?.presence.tags ?? []) as string[]
    expect(tags).toEqual(['a'])
    expect(() => tags.push('b')).toThrow(TypeError)
    await world.pass(40_000)
    expect(bob.chat.members().find(({ did }) => did === ada.did)?.presence).toEqual({
      name: 'Ada',
      tags: ['a'],
    })
    expect(ada.heard('user-updated')).toEqual([])
  })

  it('is a copy of its own presence that it may go on using', async () => {
    const mine = { name: 'Ada' }
    const ada = await visit({ presence: mine })
    mine.name = 'changed'
    await world.pass(31_000)
    const bob = await visit()
    const shown = (): unknown => bob.chat.members().find(({ did }) => did === ada.did)?.presence
    expect(shown()).toEqual({ name: 'Ada' })
    await ada.chat.presence.update(mine)
    mine.name = 'changed again'
    await world.pass(31_000)
    expect(shown()).toEqual({ name: 'changed' })
  })

  it('is a status that it cannot change', async () => {
    const ada = await visit()
    expect(() => Object.assign(ada.chat.status, { current: 'closed' })).toThrow(TypeError)
    await ada.chat.send('still here')
  })
})

describe('of messages that are not shown nothing is told', () => {
  it('where a filter refuses an own one', async () => {
    const ada = await visit({ filters: [({ text }) => text !== 'bad'] })
    const bob = await visit()
    const message = await ada.chat.send('bad')
    await world.pass(3_000)
    expect(bob.texts()).toEqual(['bad'])
    expect(message.status).toBe('acknowledged')
    expect([...ada.heard('message'), ...ada.heard('message-updated')]).toEqual([])
  })

  it('where an own one was taken away', async () => {
    const ada = await visit({ filters: [({ text }) => text !== 'bad'] })
    const message = await ada.chat.send('good')
    await ada.chat.edit(message, 'bad')
    expect(ada.heard('message-deleted')).toHaveLength(1)
    const before = ada.heard('message-updated').length
    await visit()
    await world.pass(3_000)
    expect(message.status).toBe('acknowledged')
    expect(ada.heard('message-updated').slice(before)).toEqual([])
  })

  it('after leaving, also by muting', async () => {
    const [ada, bob] = [await visit(), await visit()]
    const message = await ada.chat.send('hello')
    await until(() => bob.texts().length === 1)
    await bob.chat.react(message.id, '👍')
    await until(() => message.reactions.size === 1)
    await ada.chat.leaveChat()
    const before = ada.told.length
    ada.chat.mute(bob.did)
    expect(ada.told.slice(before)).toEqual([])
  })
})

describe('filters', () => {
  it.each([
    ['was added since', (text: string) => text !== 'hello'],
    ['lets a text through once', () => false],
  ])('are not asked about a message again because somebody reacts: one that %s', async (_what, filter) => {
    const [ada, bob] = [await visit(), await visit()]
    const message = await ada.chat.send('hello')
    await until(() => bob.texts().length === 1)
    bob.chat.addFilter(({ text }) => filter(text))
    await ada.chat.react(message, '👍')
    await until(() => bob.heard('message-updated').length === 1)
    expect(bob.heard('message-deleted')).toEqual([])
  })

  it('are asked about one that was edited while its author was muted', async () => {
    const [ada, bob] = [await visit(), await visit({ filters: [({ text }) => text !== 'bad'] })]
    const message = await ada.chat.send('good')
    await until(() => bob.texts().length === 1)
    bob.chat.mute(ada.did)
    await ada.chat.edit(message, 'bad')
    await settle()
    bob.chat.unmute(ada.did)
    expect(bob.heard('message-deleted')).toEqual([['message-deleted', message.id, false]])
  })
})

describe('what fails', () => {
  it('is a message that nobody was there for within a day', async () => {
    const ada = await visit()
    const message = await ada.chat.send('anybody?')
    await world.pass(24 * 3_600_000 - 1)
    expect(message.status).toBe('queued')
    await world.pass(1)
    expect(message.status).toBe('failed')
    expect(ada.heard('message-updated')).toEqual([['message-updated', 'anybody?', 'failed']])
  })

  it('is a presence that cannot be signed, and the one before is shown on', async () => {
    const author = testAuthor(4)
    const sign = EdDSASigner(author.seed)
    let isLocked = false
    const signer = async (data: string | Uint8Array) =>
      isLocked ? Promise.reject(new Error('locked')) : sign(data)
    const ada = await visit({ identity: { did: author.did, signer }, presence: { name: 'old' } })
    const bob = await visit()
    isLocked = true
    expect(await codeOf(() => ada.chat.presence.update({ name: 'new' }))).toBe('signing-failed')
    isLocked = false
    await world.pass(31_000)
    expect(bob.chat.members().find(({ did }) => did === ada.did)?.presence).toEqual({ name: 'old' })
  })
})

describe('leaving again in the listener that is told', () => {
  it('says so once', async () => {
    const ada = await visit()
    const witness = new RawPeer(world.network, LOBBY)
    await settle()
    ada.chat.on('status', ({ current }) => {
      if (current === 'closed') void ada.chat.leaveChat()
    })
    await ada.chat.leaveChat()
    await settle()
    expect(witness.typesBy(ada.did).filter((type) => type === 'leave')).toHaveLength(1)
  })

  it('closes the network of a space once, and lets nobody into it', async () => {
    const { space, network } = await world.space()
    const chat = await space.joinChat('lobby')
    let closed = 0
    const close = network.close.bind(network)
    network.close = () => {
      closed += 1
      return close()
    }
    const codes: Promise<unknown>[] = []
    chat.on('status', ({ current }) => {
      if (current !== 'closed') return
      void space.close()
      codes.push(codeOf(() => space.joinChat('other')))
    })
    await space.close()
    expect(closed).toBe(1)
    expect(await Promise.all(codes)).toEqual(['space-closed'])
    expect(world.clock.pending).toBe(0)
  })
})

describe('an event tells', () => {
  it('whose message was changed or deleted, whoever reacted', async () => {
    const [ada, bob] = [await visit(), await visit()]
    const message = await ada.chat.send('hello')
    await until(() => bob.texts().length === 1)
    const told: [string, string][] = []
    bob.chat.on('message-updated', (did, { text }) => told.push([did, text]))
    bob.chat.on('message-deleted', (did, { id }) => told.push([did, id]))
    await bob.chat.react(message.id, '👍')
    await ada.chat.edit(message, 'hello again')
    await until(() => told.length === 2)
    await ada.chat.delete(message)
    await until(() => told.length === 3)
    expect(told).toEqual([
      [ada.did, 'hello'],
      [ada.did, 'hello again'],
      [ada.did, message.id],
    ])
  })

  it('what a member shows now', async () => {
    const [ada, bob] = [await visit({ presence: { name: 'Ada' } }), await visit()]
    const told: unknown[] = []
    bob.chat.on('user-updated', (did, member) => told.push([did, member.did, member.presence]))
    await ada.chat.presence.update({ name: 'Countess' })
    await until(() => told.length === 1)
    expect(told).toEqual([[ada.did, ada.did, { name: 'Countess' }]])
  })

  it('that a node is out of reach and when it is tried again, as a status, and that its clock differs, as an error', async () => {
    const ada = await visit()
    const nextAttemptAt = world.clock.now() + 1_000
    const unreachable = new GhostChatError('node-unreachable', 'no answer')
    ada.chat.nodeFailed(unreachable, nextAttemptAt)
    expect(ada.chat.status).toEqual({
      current: 'connecting',
      previous: undefined,
      error: unreachable,
      nextAttemptAt,
    })
    ada.chat.nodeFailed(new GhostChatError('clock-skew', 'by an hour'))
    expect(ada.heard('status')).toEqual([['status', 'connecting']])
    expect(ada.heard('error')).toEqual([['error', 'clock-skew']])
  })

  it('as JSON what a message is, and since when', async () => {
    const ada = await visit()
    const message = await ada.chat.send('hello')
    expect(JSON.parse(JSON.stringify(message))).not.toHaveProperty('editedAt')
    await world.pass(5)
    await ada.chat.edit(message, 'hello again')
    expect(JSON.parse(JSON.stringify(message))).toMatchObject({
      id: message.id,
      author: ada.did,
      text: 'hello again',
      editedAt: message.editedAt,
    })
    expect(message.editedAt).toBeGreaterThan(message.timestamp)
    const answer = await ada.chat.reply(message, 'to myself')
    expect(JSON.parse(JSON.stringify(answer))).toMatchObject({ replyTo: message.id })
  })
})
