import { EdDSASigner } from 'did-jwt'
import type { GhostChatError } from 'ghostchat'
import { MemoryNetwork, settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { topicOf } from '../../src/wire/topic.ts'
import { messageBy, NOW, testAuthor } from '../support/authors.ts'
import {
  claimsIn,
  codeOf,
  enter,
  memoryLogger,
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

describe('the story of 3IP-9', () => {
  it('join, online, message, reply, backlog, leave', async () => {
    const ada = await visit()
    expect(ada.chat.onlineUsers()).toEqual([ada.did])
    const bob = await visit()
    expect(ada.heard('user-joined')).toEqual([['user-joined', bob.did]])
    expect(bob.heard('user-joined')).toEqual([['user-joined', ada.did]])
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
    expect(bob.chat.onlineUsers()).toEqual([bob.did, ada.did])

    const hello = await ada.chat.send('hello world')
    expect(hello).toMatchObject({ author: ada.did, text: 'hello world', replyTo: undefined })
    expect(hello.status).toBe('sent')
    expect(`${hello}`).toBe('hello world')
    await until(() => bob.texts().length === 1)
    expect(bob.heard('message')).toEqual([['message', ada.did, 'hello world']])

    const received = bob.chat.message(hello.id)
    if (received === undefined) throw new Error('the message did not come')
    const answer = await bob.chat.reply(received, 'this is my reply')
    expect(answer.replyTo).toBe(hello.id)
    await until(() => ada.texts().length === 2)
    expect(ada.chat.message(answer.id)).toMatchObject({ replyTo: hello.id, author: bob.did, status: 'sent' })

    const carol = await visit()
    expect(carol.heard('backlog')).toEqual([['backlog', ['hello world', 'this is my reply']]])
    expect(carol.heard('message')).toEqual([])
    expect(textsOf(await carol.chat.requestBacklog())).toEqual(['hello world', 'this is my reply'])
    expect(new Set(carol.chat.onlineUsers())).toEqual(new Set([ada.did, bob.did, carol.did]))

    await bob.chat.leaveChat()
    await until(() => ada.heard('user-left').length === 1)
    expect(ada.heard('user-left')).toEqual([['user-left', bob.did, 'left']])
    expect(ada.chat.onlineUsers()).toEqual([ada.did, carol.did])
    expect(bob.chat.onlineUsers()).toEqual([])
    expect(bob.chat.status.current).toBe('closed')
  })

  it('goes on for hours: nobody flickers while everybody renews', async () => {
    const [ada, bob] = [await visit(), await visit()]
    await world.pass(300_000)
    expect([...ada.heard('user-left'), ...bob.heard('user-left')]).toEqual([])
    expect([ada.heard('user-joined').length, bob.heard('user-joined').length]).toEqual([1, 1])
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
  })

  it('names the chat, its room, its DID and its topic', async () => {
    const ada = await visit({ name: 'my dapp', room: 'a.b' })
    expect(ada.chat).toMatchObject({ name: 'a.b', did: ada.did, topic: '3box.chat.my%20dapp.a%2Eb' })
    expect(ada.did).toMatch(/^did:key:z6Mk/)
  })

  it('one object a message, wherever it is met', async () => {
    const ada = await visit()
    const seen: unknown[] = []
    ada.chat.on('message', (_did, message) => seen.push(message))
    const sent = await ada.chat.send('hello')
    expect(seen).toEqual([sent])
    expect(seen[0]).toBe(sent)
    expect(ada.chat.message(sent.id)).toBe(sent)
    await world.pass(3_000)
    expect((await backlogOf(ada))[0]).toBe(sent)
    expect(JSON.parse(JSON.stringify(sent))).toEqual({
      id: sent.id,
      author: ada.did,
      text: 'hello',
      timestamp: sent.timestamp,
      status: 'queued',
    })
  })
})

/** The backlog of somebody who may be alone: time has to pass until that is sure. */
async function backlogOf({ chat }: Visitor, options?: Parameters<Visitor['chat']['requestBacklog']>[0]) {
  const asking = chat.requestBacklog(options)
  await settle()
  await world.pass(10_000)
  return asking
}

describe('sending', () => {
  it('before anybody is there: queued, then sent, once and in order', async () => {
    const ada = await visit()
    const first = await ada.chat.send('1')
    const second = await ada.chat.send('2')
    expect([first.status, second.status]).toEqual(['queued', 'queued'])
    expect(ada.heard('message-updated')).toEqual([])
    expect(ada.chat.status).toEqual({ current: 'connecting', previous: undefined })
    const bob = await visit()
    expect([first.status, second.status]).toEqual(['sent', 'sent'])
    expect(ada.heard('message-updated')).toEqual([
      ['message-updated', '1', 'sent'],
      ['message-updated', '2', 'sent'],
    ])
    expect(bob.texts()).toEqual(['1', '2'])
    await world.pass(10_000)
    expect(bob.texts()).toEqual(['1', '2'])
  })

  it('while the connection is lost: queued, then sent', async () => {
    const [ada, bob] = [await visit(), await visit()]
    world.network.partition([[ada.network.peerId]])
    expect(ada.chat.status).toEqual({ current: 'reconnecting', previous: 'connected' })
    const message = await ada.chat.send('hello')
    expect(message.status).toBe('queued')
    world.network.heal()
    await until(() => bob.texts().length === 1)
    expect(message.status).toBe('sent')
    expect(ada.heard('status').map(([, status]) => status)).toEqual([
      'connected',
      'reconnecting',
      'connected',
    ])
  })

  it.each([
    ['nothing', '', 'invalid-message'],
    ['a lone surrogate', 'a\ud800', 'invalid-message'],
    ['a number', 5, 'invalid-message'],
    ['undefined', undefined, 'invalid-message'],
    ['4,097 bytes', 'x'.repeat(4_097), 'message-too-long'],
    ['4,098 bytes in 2,049 characters', 'é'.repeat(2_049), 'message-too-long'],
  ])('%s is refused', async (_what, text, code) => {
    const ada = await visit()
    expect(await codeOf(() => ada.chat.send(text as string))).toBe(code)
    expect(ada.told).toEqual([])
  })

  it.each([
    ['spaces', ' \n\t'],
    ['4,096 bytes', '🦊'.repeat(1_024)],
    ['quotes, which JSON escapes', '"'.repeat(4_096)],
    ['markup', '<script>alert(1)</script>'],
    ['line separators and NUL', '\u2028\u2029\u0000\u007f'],
    ['a text in two directions', '\u202eabc\u202c'],
    ['JSON', '{"type":"leave"}'],
    ['an emoji with joiners', '👩‍👩‍👧‍👦'],
    ['not the normal form', 'e\u0301'],
  ])('%s come as they were sent', async (_what, text) => {
    const [ada, bob] = [await visit(), await visit()]
    await ada.chat.send(text)
    await until(() => bob.texts().length === 1)
    expect(bob.texts()).toEqual([text])
  })

  it('4,096 control characters, six bytes of JSON each: they come, or message-too-long is said', async () => {
    const [ada, bob] = [await visit(), await visit()]
    const text = '\u0001'.repeat(4_096)
    const code = await codeOf(() => ada.chat.send(text))
    if (code === 'nothing was thrown') await until(() => bob.texts().length === 1)
    else expect(code).toBe('message-too-long')
  })

  it('the same text twice is two messages', async () => {
    const [ada, bob] = [await visit(), await visit()]
    const [first, second] = [await ada.chat.send('hello'), await ada.chat.send('hello')]
    expect(first.id).not.toBe(second.id)
    await until(() => bob.texts().length === 2)
    expect(bob.texts()).toEqual(['hello', 'hello'])
  })

  it('many at once: all come, in one order everywhere', async () => {
    const [ada, bob] = [await visit(), await visit()]
    const texts = Array.from({ length: 50 }, (_, index) => `${index}`)
    await Promise.all(texts.flatMap((text) => [ada.chat.send(text), bob.chat.send(text)]))
    await until(() => ada.texts().length === 100 && bob.texts().length === 100)
    const [a, b] = await Promise.all([ada.chat.requestBacklog(), bob.chat.requestBacklog()])
    expect(a.map(({ id }) => id)).toEqual(b.map(({ id }) => id))
    expect(a.filter(({ author }) => author === ada.did).map(({ text }) => text)).toEqual(texts)
  })

  it('1,000 wait for a connection and not one more, also when all come at once', async () => {
    const ada = await visit()
    const codes = await Promise.all(
      Array.from({ length: 1_005 }, (_, index) => codeOf(() => ada.chat.send(`${index}`))),
    )
    expect(codes.filter((code) => code === 'outbox-full')).toHaveLength(5)
    expect(await codeOf(() => ada.chat.send('one more'))).toBe('outbox-full')
  })

  it('1,000 wait for a connection and not one more, one after the other', async () => {
    const ada = await visit()
    for (let index = 0; index < 1_000; index += 1) await ada.chat.send(`${index}`)
    expect(await codeOf(() => ada.chat.send('one more'))).toBe('outbox-full')
    const bob = await visit()
    await until(() => bob.texts().length >= 1_000)
    expect((await ada.chat.send('there is a place again')).status).toBe('sent')
  })

  it('what waits learns that it was sent, also when the window is full of bytes', async () => {
    const ada = await visit()
    const messages = await Promise.all(
      Array.from({ length: 800 }, (_, index) => ada.chat.send(`${index}`.padEnd(4_096, 'x'))),
    )
    new RawPeer(world.network, LOBBY)
    await until(() => messages.at(-1)?.status === 'sent')
    expect(messages.filter(({ status }) => status !== 'sent').length).toBe(0)
  })

  it('parents name the heads that were seen, and nothing else', async () => {
    const witness = new RawPeer(world.network, LOBBY)
    const [ada, bob] = [await visit(), await visit()]
    const first = await ada.chat.send('1')
    await until(() => bob.texts().length === 1)
    const second = await bob.chat.send('2')
    await until(() =>
      witness.jwts.some((jwt) => claimsIn(jwt).iss === bob.did && claimsIn(jwt).type === 'message'),
    )
    expect(claimsIn(first.jwt).parents).toEqual([])
    expect(claimsIn(second.jwt).parents).toEqual([first.id])
  })
})

describe('answering', () => {
  it('takes a message or its id, also of one that is not known', async () => {
    const ada = await visit()
    const first = await ada.chat.send('1')
    const stranger = messageBy(testAuthor(1), 'elsewhere').id
    expect((await ada.chat.reply(first, 'a')).replyTo).toBe(first.id)
    expect((await ada.chat.reply(first.id, 'b')).replyTo).toBe(first.id)
    expect((await ada.chat.reply(stranger, 'c')).replyTo).toBe(stranger)
  })

  it.each([[''], ['hello'], [undefined], [null], [{}], [{ id: 'bafkreiaaa' }]])(
    'refuses %j',
    async (message) => {
      const ada = await visit()
      expect(await codeOf(() => ada.chat.reply(message as string, 'text'))).toBe('invalid-message')
    },
  )

  it('refuses a text as send does', async () => {
    const ada = await visit()
    const first = await ada.chat.send('1')
    expect(await codeOf(() => ada.chat.reply(first, ''))).toBe('invalid-message')
    expect(await codeOf(() => ada.chat.reply(first, 'x'.repeat(5_000)))).toBe('message-too-long')
  })
})

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
    expect(await backlogOf(bob, { limit: 250 })).toHaveLength(250)
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

describe('messages()', () => {
  it('are those that come from now on', async () => {
    const [ada, bob] = [await visit(), await visit()]
    await ada.chat.send('before')
    await until(() => bob.texts().length === 1)
    const texts: string[] = []
    const reading = (async () => {
      for await (const message of bob.chat.messages()) {
        texts.push(message.text)
        if (message.text === 'last') break
      }
    })()
    await ada.chat.send('first')
    await bob.chat.send('own')
    await ada.chat.send('last')
    await until(() => texts.includes('last'))
    await reading
    expect(texts.sort()).toEqual(['first', 'last', 'own'])
  })

  it('end with their signal, without an error', async () => {
    const ada = await visit()
    const controller = new AbortController()
    const next = ada.chat.messages({ signal: controller.signal }).next()
    controller.abort()
    expect(await next).toEqual({ done: true, value: undefined })
    expect(await ada.chat.messages({ signal: controller.signal }).next()).toEqual({
      done: true,
      value: undefined,
    })
  })

  it('end when the chat is left', async () => {
    const ada = await visit()
    const next = ada.chat.messages().next()
    await ada.chat.leaveChat()
    expect(await next).toEqual({ done: true, value: undefined })
    expect(await ada.chat.messages().next()).toEqual({ done: true, value: undefined })
  })

  it('of a reader 1,000 behind end with an error after those', async () => {
    const ada = await visit()
    new RawPeer(world.network, LOBBY)
    const reader = ada.chat.messages()
    await Promise.all(Array.from({ length: 1_001 }, (_, index) => ada.chat.send(`${index}`)))
    let read = 0
    const code = await codeOf(async () => {
      for await (const _message of reader) read += 1
    })
    expect([read, code]).toEqual([1_000, 'reader-too-slow'])
  })

  it('are as many readers as one likes', async () => {
    const ada = await visit()
    const readers = [ada.chat.messages(), ada.chat.messages()]
    await ada.chat.send('hello')
    const results = await Promise.all(readers.map((reader) => reader.next()))
    expect(results.map(({ value }) => value?.text)).toEqual(['hello', 'hello'])
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
    expect(await backlogOf(bob)).toEqual([])
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

describe('typing', () => {
  it('is told to the others, and ends with a message', async () => {
    const [ada, bob] = [await visit(), await visit()]
    ada.chat.typing.keystroke()
    await until(() => bob.heard('typing').length === 1)
    expect(bob.chat.typing.current()).toEqual([ada.did])
    expect(ada.chat.typing.current()).toEqual([])
    await ada.chat.send('hello')
    await until(() => bob.heard('typing').length === 2)
    expect(bob.heard('typing')).toEqual([
      ['typing', [ada.did]],
      ['typing', []],
    ])
    expect(ada.heard('typing')).toEqual([])
  })

  it('ends with a stop, by itself after 6 s, and with leaving', async () => {
    const [ada, bob] = [await visit(), await visit()]
    ada.chat.typing.keystroke()
    await until(() => bob.chat.typing.current().length === 1)
    ada.chat.typing.stop()
    await until(() => bob.chat.typing.current().length === 0)
    ada.chat.typing.keystroke()
    await until(() => bob.chat.typing.current().length === 1)
    await world.pass(6_100)
    expect(bob.chat.typing.current()).toEqual([])
    ada.chat.typing.keystroke()
    await until(() => bob.chat.typing.current().length === 1)
    await ada.chat.leaveChat()
    await until(() => bob.chat.typing.current().length === 0)
  })

  it('does not travel while nobody is there, nor after leaving', async () => {
    const ada = await visit()
    ada.chat.typing.keystroke()
    await settle()
    const witness = new RawPeer(world.network, LOBBY)
    await settle()
    expect(witness.typesBy(ada.did)).not.toContain('typing')
    await ada.chat.leaveChat()
    ada.chat.typing.keystroke()
    await settle()
    expect(witness.typesBy(ada.did)).not.toContain('typing')
    expect(world.clock.pending).toBe(0)
  })
})

describe('presence', () => {
  it('shows data, and a change of it as an update and nothing else', async () => {
    const ada = await visit({ presence: { name: 'Ada' } })
    const bob = await visit({ presence: { name: 'Bob' } })
    expect(ada.chat.members()).toEqual([
      { did: ada.did, presence: { name: 'Ada' }, devices: [ada.network.peerId] },
      { did: bob.did, presence: { name: 'Bob' }, devices: [bob.network.peerId] },
    ])
    const before = bob.told.length
    await ada.chat.presence.update({ name: 'Countess', mood: ['fine'] })
    await until(() => bob.heard('user-updated').length === 1)
    expect(bob.told.slice(before)).toEqual([['user-updated', ada.did]])
    expect(bob.chat.members()[1]?.presence).toEqual({ name: 'Countess', mood: ['fine'] })
    expect(ada.chat.members()[0]?.presence).toEqual({ name: 'Countess', mood: ['fine'] })
    expect(ada.heard('user-updated')).toEqual([])
  })

  it.each([[null], [[]], ['name'], [{ at: undefined }], [{ name: 'x'.repeat(1_024) }]])(
    'cannot be %j',
    async (data) => {
      const ada = await visit()
      expect(await codeOf(() => ada.chat.presence.update(data as never))).toBe('invalid-presence')
      expect(ada.chat.members()[0]?.presence).toEqual({})
    },
  )
})

describe('members who go', () => {
  it('by leaving are gone at once, for everybody', async () => {
    const [ada, bob, carol] = [await visit(), await visit(), await visit()]
    await bob.space.close()
    await until(() => ada.heard('user-left').length === 1 && carol.heard('user-left').length === 1)
    expect(ada.heard('user-left')).toEqual([['user-left', bob.did, 'left']])
  })

  it('by crashing are lost after the grace of 10 s', async () => {
    const [ada, bob, carol] = [await visit(), await visit(), await visit()]
    world.network.partition([[bob.network.peerId]])
    await world.pass(9_999)
    expect(ada.heard('user-left')).toEqual([])
    await world.pass(1)
    expect(ada.heard('user-left')).toEqual([['user-left', bob.did, 'lost']])
    expect(carol.heard('user-left')).toEqual([['user-left', bob.did, 'lost']])
    expect(ada.chat.onlineUsers()).toEqual([ada.did, carol.did])
  })

  it('by falling silent time out after 90 s', async () => {
    const ada = await visit()
    const witness = new RawPeer(world.network, LOBBY)
    const ghost = testAuthor(7)
    const { eventBy } = await import('../support/authors.ts')
    const at = world.clock.now()
    const { jwt } = eventBy(ghost, 'join', { peer: witness.peerId, data: {} }, { topic: LOBBY, at })
    await witness.publish(jwt)
    await until(() => ada.heard('user-joined').length === 1)
    await world.pass(89_999)
    expect(ada.heard('user-left')).toEqual([])
    await world.pass(1)
    expect(ada.heard('user-left')).toEqual([['user-left', ghost.did, 'timeout']])
  })

  it('and come back within the grace leave no trace: one alone', async () => {
    const [ada, bob, carol] = [await visit(), await visit(), await visit()]
    world.network.partition([[bob.network.peerId]])
    await world.pass(5_000)
    world.network.heal()
    await world.pass(60_000)
    for (const visitor of [ada, bob, carol]) {
      expect(visitor.heard('user-left')).toEqual([])
      expect(visitor.heard('user-joined')).toHaveLength(2)
    }
  })

  it('and come back within the grace leave no trace: one half', async () => {
    const visitors = [await visit(), await visit(), await visit(), await visit()]
    const [a, b] = visitors.map(({ network }) => network.peerId)
    await world.pass(1_000)
    world.network.partition([[a ?? '', b ?? '']])
    await world.pass(5_000)
    world.network.heal()
    await world.pass(60_000)
    expect(visitors.flatMap((visitor) => visitor.heard('user-left'))).toEqual([])
  })

  it('and come back later are announced anew', async () => {
    const [ada, bob] = [await visit(), await visit()]
    world.network.partition([[bob.network.peerId]])
    await world.pass(20_000)
    world.network.heal()
    await world.pass(10)
    expect(ada.heard('user-joined')).toEqual([
      ['user-joined', bob.did],
      ['user-joined', bob.did],
    ])
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
  })

  it('by their will, though they are still there, are back at once', async () => {
    const peer = world.network.peer()
    const wills: string[] = []
    const network = {
      peerId: peer.peerId,
      close: () => peer.close(),
      join: (...args: Parameters<typeof peer.join>) =>
        Object.assign(peer.join(...args), { entrust: async (jwt: string) => void wills.push(jwt) }),
    }
    const ada = await visit()
    const bob = await visit({ network })
    await until(() => wills.length > 0)
    // One of two nodes lost its connection to Bob, and publishes what he left with it.
    const node = new RawPeer(world.network, LOBBY)
    await node.publish(wills.at(-1) ?? '')
    await world.pass(1_000)
    expect(bob.chat.status.current).toBe('connected')
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
    expect(bob.chat.onlineUsers()).toEqual([bob.did, ada.did])
  })
})

describe('two devices of one DID', () => {
  const seed = new Uint8Array(32).fill(5)

  it('are one user, who stays until the second goes', async () => {
    const watcher = await visit()
    const phone = await visit({ identity: { seed }, presence: { on: 'phone' } })
    const desk = await visit({ identity: { seed }, presence: { on: 'desk' } })
    expect(phone.did).toBe(desk.did)
    expect(watcher.heard('user-joined')).toEqual([['user-joined', phone.did]])
    expect(watcher.chat.members()[1]?.devices).toHaveLength(2)
    await phone.space.close()
    await settle()
    expect(watcher.heard('user-left')).toEqual([])
    expect(watcher.chat.onlineUsers()).toEqual([watcher.did, desk.did])
    expect(watcher.chat.members()[1]?.devices).toEqual([desk.network.peerId])
    await desk.space.close()
    await until(() => watcher.heard('user-left').length === 1)
  })

  it('see the messages of each other, and not each other as users', async () => {
    const phone = await visit({ identity: { seed } })
    const desk = await visit({ identity: { seed } })
    await phone.chat.send('from the phone')
    await until(() => desk.texts().length === 1)
    expect(desk.heard('message')).toEqual([['message', desk.did, 'from the phone']])
    expect([...phone.heard('user-joined'), ...desk.heard('user-joined')]).toEqual([])
    expect(desk.chat.onlineUsers()).toEqual([desk.did])
  })

  it('type apart: the own typing on the other device is not told', async () => {
    const phone = await visit({ identity: { seed } })
    const desk = await visit({ identity: { seed } })
    phone.chat.typing.keystroke()
    await settle()
    expect(desk.heard('typing')).toEqual([])
  })
})

describe('listeners', () => {
  const failure = new Error('my listener')

  it('that throw or reject harm nobody, and reach error', async () => {
    const [ada, bob] = [await visit(), await visit()]
    const errors: GhostChatError[] = []
    bob.chat.on('error', (error) => errors.push(error))
    bob.chat.on('message', () => {
      throw failure
    })
    bob.chat.on('message', (async () => Promise.reject(failure)) as never)
    const after: string[] = []
    bob.chat.on('message', (_did, { text }) => after.push(text))
    await ada.chat.send('hello')
    await until(() => errors.length === 2)
    expect(after).toEqual(['hello'])
    expect(errors.map(({ code, cause }) => [code, cause])).toEqual([
      ['listener-failed', failure],
      ['listener-failed', failure],
    ])
    await bob.chat.send('still here')
    await until(() => ada.texts().length === 2)
  })

  it('that throw are logged where nobody listens for errors', async () => {
    const logger = memoryLogger()
    const { space } = await world.space({ logger })
    const chat = await space.joinChat('lobby')
    chat.on('message', () => {
      throw failure
    })
    await chat.send('hello')
    expect(logger.warnings.join()).toContain('my listener')
  })

  it('for errors that throw are logged, and do not come back', async () => {
    const logger = memoryLogger()
    const { space } = await world.space({ logger })
    const chat = await space.joinChat('lobby')
    let errors = 0
    chat.on('error', () => {
      errors += 1
      throw failure
    })
    chat.on('message', () => {
      throw new Error('first')
    })
    await chat.send('hello')
    expect(errors).toBe(1)
    expect(logger.warnings.join()).toContain('my listener')
  })

  it('that leave the chat in the middle of it do no harm', async () => {
    const [ada, bob] = [await visit(), await visit()]
    bob.chat.once('message', () => void bob.chat.leaveChat())
    await ada.chat.send('1')
    await ada.chat.send('2')
    await until(() => ada.heard('user-left').length === 1)
    expect(ada.heard('user-left')).toEqual([['user-left', bob.did, 'left']])
  })

  it('may be added while the room is being joined: nothing is missed by a slow signer', async () => {
    const ada = await visit()
    const author = testAuthor(3)
    const sign = EdDSASigner(author.seed)
    let release = (): void => {}
    let slow = false
    const signer = async (data: string | Uint8Array) => {
      if (slow) {
        await new Promise<void>((resolve) => {
          release = resolve
        })
      }
      return sign(data)
    }
    const { space, network } = await world.space({ identity: { did: author.did, signer } })
    slow = true
    const entering = enter(space, network)
    await settle()
    slow = false
    await ada.chat.send('while Bob signs')
    await world.pass(10)
    release()
    const bob = await entering
    await world.pass(10_000)
    expect(bob.texts()).toEqual(['while Bob signs'])
    expect(bob.heard('user-joined')).toEqual([['user-joined', ada.did]])
  })
})

describe('leaving', () => {
  it('is idempotent, says so once, and ends all timers', async () => {
    const ada = await visit()
    const witness = new RawPeer(world.network, LOBBY)
    await world.pass(5_000)
    await Promise.all([ada.chat.leaveChat(), ada.chat.leaveChat(), ada.chat[Symbol.asyncDispose]()])
    await ada.chat.leaveChat()
    await settle()
    expect(witness.typesBy(ada.did).filter((type) => type === 'leave')).toHaveLength(1)
    expect(ada.heard('status').at(-1)).toEqual(['status', 'closed'])
    expect(ada.heard('status').filter(([, status]) => status === 'closed')).toHaveLength(1)
    expect(world.clock.pending).toBe(0)
  })

  it('makes everything throw chat-left', async () => {
    const ada = await visit()
    const message = await ada.chat.send('hello')
    await ada.chat.leaveChat()
    expect(await codeOf(() => ada.chat.send('more'))).toBe('chat-left')
    expect(await codeOf(() => ada.chat.reply(message, 'more'))).toBe('chat-left')
    expect(await codeOf(() => ada.chat.requestBacklog())).toBe('chat-left')
    expect(await codeOf(() => ada.chat.presence.update({}))).toBe('chat-left')
    expect(ada.chat.members()).toEqual([])
  })

  it('while a message is being sent sends it or says chat-left, and nothing else', async () => {
    const ada = await visit()
    const sending = codeOf(() => ada.chat.send('hello'))
    const leaving = ada.chat.leaveChat()
    expect(['chat-left', 'nothing was thrown']).toContain(await sending)
    await leaving
  })

  it('before anybody was there is as quiet as any', async () => {
    const ada = await visit()
    expect(ada.chat.status.current).toBe('connecting')
    await ada.chat.leaveChat()
    await settle()
    expect(ada.chat.status).toEqual({ current: 'closed', previous: 'connecting' })
    expect(world.clock.pending).toBe(0)
  })

  it('nothing is told after it', async () => {
    const [ada, bob] = [await visit(), await visit()]
    await bob.chat.leaveChat()
    const before = bob.told.length
    await ada.chat.send('hello')
    await world.pass(100_000)
    expect(bob.told).toHaveLength(before)
  })
})

describe('a signer held elsewhere', () => {
  it('signs a room, and is told about when it fails', async () => {
    const author = testAuthor(4)
    let broken = false
    const sign = EdDSASigner(author.seed)
    const signer = async (data: string | Uint8Array) =>
      broken ? Promise.reject(new Error('locked')) : sign(data)
    const ada = await visit({ identity: { did: author.did, signer } })
    const bob = await visit()
    await ada.chat.send('hello')
    await until(() => bob.texts().length === 1)
    broken = true
    expect(await codeOf(() => ada.chat.send('more'))).toBe('signing-failed')
    expect(await codeOf(() => ada.chat.presence.update({ a: 1 }))).toBe('signing-failed')
    ada.chat.typing.keystroke()
    await until(() => ada.heard('error').length === 1)
    await world.pass(30_000)
    expect(ada.heard('error').length).toBeGreaterThan(1)
    expect(new Set(ada.heard('error').map(([, code]) => code))).toEqual(new Set(['signing-failed']))
    broken = false
    expect((await ada.chat.send('again')).status).toBe('sent')
  })

  it('that signs something else is found out by the own gate', async () => {
    const author = testAuthor(5)
    const sign = EdDSASigner(author.seed)
    let lying = false
    const signer = async (data: string | Uint8Array) => sign(lying ? 'something else' : data)
    const ada = await visit({ identity: { did: author.did, signer } })
    lying = true
    expect(await codeOf(() => ada.chat.send('hello'))).toBe('signing-failed')
    expect(ada.told).toEqual([])
  })
})

describe('clocks that differ', () => {
  it('by up to a minute harm nobody', async () => {
    const ahead = { now: () => world.clock.now() + 59_000, after: world.clock.after.bind(world.clock) }
    const ada = await visit()
    const bob = await visit({ clock: ahead })
    await ada.chat.send('hello')
    await bob.chat.send('hi')
    await until(() => ada.texts().length === 2 && bob.texts().length === 2)
    expect(ada.chat.onlineUsers()).toEqual([ada.did, bob.did])
  })

  it('a machine that slept for a day tells that its message expired', async () => {
    let slept = 0
    const clock = { now: () => world.clock.now() + slept, after: world.clock.after.bind(world.clock) }
    const ada = await visit({ clock })
    const old = await ada.chat.send('yesterday')
    slept = 24 * 3_600_000 + 1
    const young = await ada.chat.send('today')
    expect([old.status, young.status]).toEqual(['expired', 'queued'])
    expect(ada.heard('message-updated')).toEqual([['message-updated', 'yesterday', 'expired']])
  })

  it('that never fits: the time of an event is the time of its author', async () => {
    const ada = await visit()
    expect((await ada.chat.send('hello')).timestamp).toBeGreaterThanOrEqual(NOW)
    expect(new MemoryNetwork().peer().peerId).toMatch(/^12D3KooW/)
  })
})
