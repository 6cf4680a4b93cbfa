import { EdDSASigner } from 'did-jwt'
import type { GhostChatError } from 'ghostchat'
import { settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { topicOf } from '../../src/wire/topic.ts'
import { messageBy, testAuthor } from '../support/authors.ts'
import {
  backlogOf,
  claimsIn,
  codeOf,
  enter,
  memoryLogger,
  RawPeer,
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
    expect((await backlogOf(world, ada))[0]).toBe(sent)
    expect(JSON.parse(JSON.stringify(sent))).toEqual({
      id: sent.id,
      author: ada.did,
      text: 'hello',
      timestamp: sent.timestamp,
      status: 'queued',
      isDeleted: false,
      reactions: {},
    })
  })
})

describe('sending', () => {
  it('before anybody is there: queued, then sent, then acknowledged, once and in order', async () => {
    const ada = await visit()
    const first = await ada.chat.send('1')
    const second = await ada.chat.send('2')
    expect([first.status, second.status]).toEqual(['queued', 'queued'])
    expect(ada.heard('message-updated')).toEqual([])
    expect(ada.chat.status).toEqual({ current: 'connecting', previous: undefined })
    const bob = await visit()
    expect([first.status, second.status]).toEqual(['acknowledged', 'acknowledged'])
    expect(ada.heard('message-updated')).toEqual([
      ['message-updated', '1', 'sent'],
      ['message-updated', '2', 'sent'],
      ['message-updated', '1', 'acknowledged'],
      ['message-updated', '2', 'acknowledged'],
    ])
    expect(bob.texts()).toEqual(['1', '2'])
    await world.pass(10_000)
    expect(bob.texts()).toEqual(['1', '2'])
  })

  it('while the connection is lost: queued, then sent, then acknowledged', async () => {
    const [ada, bob] = [await visit(), await visit()]
    world.network.partition([[ada.network.peerId]])
    expect(ada.chat.status).toEqual({ current: 'reconnecting', previous: 'connected' })
    const message = await ada.chat.send('hello')
    expect(message.status).toBe('queued')
    world.network.heal()
    await until(() => bob.texts().length === 1)
    await world.pass(1_000)
    expect(ada.heard('message-updated').map(([, , status]) => status)).toEqual(['sent', 'acknowledged'])
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
    // 400 gossip messages: 100 at once, then 20 a second.
    await world.pass(15_000)
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

  it('are those that come live, and nothing of a backlog', async () => {
    const ada = await visit()
    await ada.chat.send('before')
    await world.pass(1_100)
    const { space } = await world.space()
    const chat = await space.joinChat('lobby')
    const backlogs: string[][] = []
    chat.on('backlog', (messages) => backlogs.push(textsOf(messages)))
    const reader = chat.messages()
    await world.pass(3_000)
    expect(backlogs).toEqual([['before']])
    const next = reader.next()
    await ada.chat.send('live')
    expect((await next).value?.text).toBe('live')
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
