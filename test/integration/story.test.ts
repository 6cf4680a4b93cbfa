import { expect, test } from 'vitest'
import { openTestSpace, startNode } from '../support/resources.ts'
import { arrival, connected, eventOf, online } from '../support/wait.ts'

test('two people meet over a node, talk, answer, and part', async () => {
  const node = await startNode()
  const ada = await openTestSpace('story', { nodes: [node.url] })
  const bob = await openTestSpace('story', { nodes: node.multiaddrs })
  const adasChat = await ada.joinChat('lobby', { presence: { name: 'Ada' } })
  await connected(adasChat)

  const joined = eventOf(adasChat, 'user-joined')
  const bobsChat = await bob.joinChat('lobby', { presence: { name: 'Bob' } })
  expect(await joined).toEqual([bob.did])
  await online(bobsChat, [ada.did, bob.did])
  expect(adasChat.members().map(({ presence }) => presence)).toEqual([{ name: 'Ada' }, { name: 'Bob' }])
  expect(bobsChat.members().map(({ presence }) => presence)).toEqual([{ name: 'Bob' }, { name: 'Ada' }])

  const heard = eventOf(bobsChat, 'message')
  const sent = await adasChat.send('hello world')
  expect(sent.status).toBe('sent')
  const [author, message] = await heard
  expect(author).toBe(ada.did)
  expect(`${message}`).toBe('hello world')
  expect(message.id).toBe(sent.id)

  const answered = eventOf(adasChat, 'message', (did) => did === bob.did)
  await bobsChat.reply(message, 'this is my reply')
  const [, reply] = await answered
  expect(reply.replyTo).toBe(sent.id)
  expect(adasChat.message(reply.replyTo ?? '')).toBe(sent)

  const renamed = eventOf(adasChat, 'user-updated')
  await bobsChat.presence.update({ name: 'Robert' })
  const [, member] = await renamed
  expect(member).toMatchObject({ did: bob.did, presence: { name: 'Robert' } })

  const typing = eventOf(adasChat, 'typing')
  bobsChat.typing.keystroke()
  expect(await typing).toEqual([[bob.did]])

  const left = eventOf(adasChat, 'user-left')
  await bobsChat.leaveChat()
  expect(await left).toEqual([bob.did, { reason: 'left' }])
  expect(adasChat.onlineUsers()).toEqual([ada.did])
})

test('a newcomer gets the backlog from members, through the relay, in order', async () => {
  const node = await startNode()
  const texts = Array.from({ length: 150 }, (_, index) => `message ${index}`)
  const ada = await openTestSpace('backlog', { nodes: [node.url] })
  const adasChat = await ada.joinChat('lobby')
  // More than 100 at once wait their turn.
  const sent = eventOf(adasChat, 'message-updated', (_did, { text }) => text === texts.at(-1))
  for (const text of texts) await adasChat.send(text)
  await sent

  const bob = await openTestSpace('backlog', { nodes: [node.url] })
  const bobsChat = await bob.joinChat('lobby', { backlogLimit: 20 })
  const [batch] = await eventOf(bobsChat, 'backlog')
  expect(batch.map(String)).toEqual(texts.slice(-20))
  expect(bobsChat.onlineUsers().sort()).toEqual([ada.did, bob.did].sort())

  const all = await bobsChat.requestBacklog({ limit: 150 })
  expect(all.map(String)).toEqual(texts)
  const [first] = await bobsChat.requestBacklog({ limit: 1, before: all[10] ?? '' })
  expect(String(first)).toBe(texts[9])
})

test('a message that is sent before there is a connection goes out with it', async () => {
  const ada = await openTestSpace('early', { nodes: [] })
  const alone = await ada.joinChat('lobby')
  const queued = await alone.send('anybody?')
  expect(queued.status).toBe('queued')

  const node = await startNode()
  const eve = await openTestSpace('early', { nodes: [node.url] })
  const evesChat = await eve.joinChat('lobby')
  const bob = await openTestSpace('early', { nodes: [node.url] })
  const early = await bob.joinChat('lobby')
  // Eve may be connected before it is written, or after.
  const heard = arrival(evesChat, 'at once')
  const message = await early.send('at once')
  await heard
  await expect.poll(() => message.status).toMatch(/^(sent|acknowledged)$/)
})

test('a room that is joined while no node answers says so at once, as those before', async () => {
  const space = await openTestSpace('early', { nodes: ['http://127.0.0.1:9'] })
  const first = await space.joinChat('one')
  await expect
    .poll(() => (first.status.nextAttemptAt ?? 0) - Date.now(), { timeout: 20_000 })
    .toBeGreaterThan(1_500)
  const second = await space.joinChat('two')
  expect(second.status).toMatchObject({ current: 'connecting', error: { code: 'node-unreachable' } })
  expect(second.status.nextAttemptAt).toBe(first.status.nextAttemptAt)
})

test('names that look alike are different rooms', async () => {
  const node = await startNode()
  const names: [space: string, room: string][] = [
    ['a.b', 'c'],
    ['a', 'b.c'],
    ['a%2Eb', 'c'],
    ['a', 'café'],
    ['a', 'cafe\u0301'],
    ['A', 'café'],
  ]
  const chats = await Promise.all(
    names.map(async ([space, room]) => (await openTestSpace(space, { nodes: [node.url] })).joinChat(room)),
  )
  await Promise.all(chats.map(connected))
  const heard = chats.map((chat) => {
    const texts: string[] = []
    chat.on('message', (_did, message) => texts.push(message.text))
    return texts
  })
  await Promise.all(chats.map((chat, index) => chat.send(`from ${index}`)))
  // A second member of each room hears its room's message, so all of them were delivered by then.
  await Promise.all(
    names.map(async ([space, room], index) => {
      const chat = await (await openTestSpace(space, { nodes: [node.url] })).joinChat(room)
      expect((await chat.requestBacklog()).map(String)).toEqual([`from ${index}`])
    }),
  )
  expect(heard).toEqual(names.map((_, index) => [`from ${index}`]))
  expect(chats.map((chat) => chat.onlineUsers().length)).toEqual(names.map(() => 2))
})
