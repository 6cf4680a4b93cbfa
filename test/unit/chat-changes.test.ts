import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { topicOf } from '../../src/wire/topic.ts'
import { eventBy, messageBy, testAuthor } from '../support/authors.ts'
import {
  backlogOf,
  claimsIn,
  codeOf,
  RawPeer,
  settles,
  textsOf,
  until,
  type Visitor,
  World,
} from '../support/world.ts'

const LOBBY = topicOf('dapp', 'lobby')
let world: World
let ada: Visitor
let bob: Visitor

beforeEach(async () => {
  world = new World()
  ada = await world.visit()
  bob = await world.visit()
})
afterEach(() => world.close())

/** What somebody has of a message. */
const seenBy = ({ chat }: Visitor, id: string): unknown => {
  const message = chat.message(id)
  return message && [message.text, ...[...message.reactions].flat(2)]
}

/** Waits until everybody sees the same of a message. */
const agree = (id: string, expected: unknown, ...visitors: Visitor[]): Promise<void> =>
  until(() => visitors.every((visitor) => JSON.stringify(seenBy(visitor, id)) === JSON.stringify(expected)))

describe('edit, delete and reactions', () => {
  it('reach everybody, are told, and are no new messages', async () => {
    const readers = [ada, bob].map(({ chat }) => chat.messages()[Symbol.asyncIterator]())
    const message = await ada.chat.send('first')
    await until(() => bob.texts().length === 1)
    expect(await ada.chat.edit(message, 'second')).toBe(message)
    await bob.chat.react(message.id, '👍')
    await ada.chat.react(message, '👍')
    await agree(message.id, ['second', '👍', bob.did, ada.did], ada, bob)
    expect(bob.chat.message(message.id)).toMatchObject({ editedAt: message.editedAt, isDeleted: false })
    expect(message.editedAt).toBeGreaterThan(message.timestamp)

    await bob.chat.unreact(message.id, '👍')
    await agree(message.id, ['second', '👍', ada.did], ada, bob)
    const held = bob.chat.message(message.id)
    expect(await ada.chat.delete(message)).toBe(message)
    await agree(message.id, undefined, ada, bob)
    expect([held?.isDeleted, held?.text, held?.jwt]).toEqual([true, '', ''])

    for (const visitor of [ada, bob]) {
      expect(visitor.heard('message')).toEqual([['message', ada.did, 'first']])
      expect(visitor.heard('message-updated').map(([, text]) => text)).toContain('second')
      expect(visitor.heard('message-deleted')).toEqual([['message-deleted', message.id, true]])
      expect(visitor.heard('error')).toEqual([])
      expect(await visitor.chat.requestBacklog()).toEqual([])
    }
    // The message was deleted before anybody read it.
    for (const reader of readers) expect(await settles(reader.next())).toBe(false)
  })

  it('are in the backlog of whoever comes later, and what was deleted is not', async () => {
    const [first, second, third] = [
      await ada.chat.send('first'),
      await ada.chat.send('second'),
      await bob.chat.send('third'),
    ]
    await until(() => ada.texts().length === 3 && bob.texts().length === 3)
    await ada.chat.edit(first, 'first, edited')
    await bob.chat.react(first.id, '🎉')
    const answer = await bob.chat.reply(second.id, 'an answer')
    await ada.chat.delete(second)
    await until(() => bob.chat.message(second.id) === undefined)
    const carol = await world.visit()
    expect(carol.heard('backlog')).toEqual([['backlog', ['first, edited', 'third', 'an answer']]])
    expect(seenBy(carol, first.id)).toEqual(['first, edited', '🎉', bob.did])
    expect(carol.chat.message(second.id)).toBeUndefined()
    expect(carol.chat.message(answer.id)?.replyTo).toBe(second.id)
    expect(textsOf(await carol.chat.requestBacklog())).toEqual(['first, edited', 'third', 'an answer'])
    expect([...carol.heard('message-updated'), ...carol.heard('message-deleted')]).toEqual([])
    expect(third.reactions.size).toBe(0)
  })

  it('come through pages that hold nothing else', async () => {
    const message = await ada.chat.send('long ago')
    await until(() => bob.texts().length === 1)
    const raw = new RawPeer(world.network, LOBBY)
    const jwts = Array.from({ length: 320 }, (_, number) => {
      const body = {
        target: message.id as never,
        emoji: String.fromCodePoint(0x4e00 + number),
        state: 'add' as const,
      }
      return eventBy(testAuthor(7), 'reaction', body, { topic: LOBBY, at: message.timestamp + 1 + number })
        .jwt
    })
    for (let first = 0; first < jwts.length; first += 40) await raw.publish(...jwts.slice(first, first + 40))
    await until(() => ada.chat.message(message.id)?.reactions.size === jwts.length)
    await world.pass(60_000)
    const carol = await world.visit()
    const [found] = await backlogOf(world, carol)
    expect(found?.text).toBe('long ago')
    expect(found?.reactions.size).toBe(jwts.length)
  }, 15_000)

  it('take effect where they come before their message', async () => {
    const author = testAuthor(7)
    const raw = new RawPeer(world.network, LOBBY)
    const at = world.clock.now()
    const message = messageBy(author, 'first', { topic: LOBBY, at })
    const { id } = message
    const change = { topic: LOBBY, at: at + 1 }
    await raw.publish(eventBy(author, 'edit', { target: id, text: 'second' }, change).jwt)
    await raw.publish(eventBy(author, 'reaction', { target: id, emoji: '👍', state: 'add' }, change).jwt)
    await raw.publish(message.jwt)
    await until(() => ada.texts().length === 1)
    expect(ada.heard('message')).toEqual([['message', author.did, 'second']])
    expect(seenBy(ada, id)).toEqual(['second', '👍', author.did])

    const doomed = messageBy(author, 'doomed', { topic: LOBBY, at })
    await raw.publish(eventBy(author, 'delete', { target: doomed.id }, change).jwt)
    await raw.publish(doomed.jwt, messageBy(author, 'last', { topic: LOBBY, at: at + 2 }).jwt)
    await until(() => ada.texts().length === 2)
    expect(ada.texts()).toEqual(['second', 'last'])
  })

  it('by others than the author change no text and delete nothing', async () => {
    const message = await ada.chat.send('mine')
    await until(() => bob.texts().length === 1)
    const raw = new RawPeer(world.network, LOBBY)
    const change = { topic: LOBBY, at: world.clock.now() + 1_000 }
    const target = message.id as never
    await raw.publish(eventBy(testAuthor(66), 'edit', { target, text: 'forged' }, change).jwt)
    await raw.publish(eventBy(testAuthor(66), 'delete', { target }, change).jwt)
    await bob.chat.react(message.id, '👍')
    await agree(message.id, ['mine', '👍', bob.did], ada, bob)
  })
})

describe('a change that is asked for', () => {
  it.each([
    ['the edit of an unknown message', 'invalid-message', () => ada.chat.edit('unknown', 'x')],
    ['the edit of nothing', 'invalid-message', () => ada.chat.edit(undefined as never, 'x')],
    [
      'the delete of an unknown message',
      'invalid-message',
      () => ada.chat.delete(`bafkrei${'a'.repeat(52)}`),
    ],
    ['a reaction to an unknown message', 'invalid-message', () => ada.chat.react('unknown', '👍')],
    ['the edit of a message of somebody else', 'invalid-message', (id: string) => bob.chat.edit(id, 'x')],
    ['the delete of a message of somebody else', 'invalid-message', (id: string) => bob.chat.delete(id)],
    ['an empty edit', 'invalid-message', (id: string) => ada.chat.edit(id, '')],
    ['an edit that is no text', 'invalid-message', (id: string) => ada.chat.edit(id, 7 as never)],
    ['an edit that is too long', 'message-too-long', (id: string) => ada.chat.edit(id, 'x'.repeat(4_097))],
    [
      'an edit that is too long as JSON',
      'message-too-long',
      (id: string) => ada.chat.edit(id, '\u0001'.repeat(4_096)),
    ],
    ['a reaction of a word', 'invalid-message', (id: string) => ada.chat.react(id, 'ok')],
    ['a reaction of nothing', 'invalid-message', (id: string) => ada.chat.react(id, '')],
    ['a reaction that is no text', 'invalid-message', (id: string) => ada.chat.unreact(id, {} as never)],
  ] as const)('%s is refused: %s', async (_what, code, act) => {
    const { id } = await ada.chat.send('mine')
    await until(() => bob.texts().length === 1)
    const before = ada.told.length
    expect(await codeOf(() => act(id))).toBe(code)
    expect([seenBy(ada, id), seenBy(bob, id)]).toEqual([['mine'], ['mine']])
    expect(ada.told).toHaveLength(before)
  })

  it('is refused for a message that is deleted, also while the delete is still being signed', async () => {
    const message = await ada.chat.send('mine')
    const deleting = ada.chat.delete(message)
    const late = [
      codeOf(() => ada.chat.edit(message, 'x')),
      codeOf(() => ada.chat.react(message, '👍')),
      codeOf(() => ada.chat.delete(message)),
    ]
    await deleting
    expect(await Promise.all(late)).toEqual(['invalid-message', 'invalid-message', 'invalid-message'])
    expect(await codeOf(() => ada.chat.delete(message))).toBe('invalid-message')
  })

  it('is refused after the chat was left', async () => {
    const message = await ada.chat.send('mine')
    await ada.chat.leaveChat()
    const acts = [
      () => ada.chat.edit(message, 'x'),
      () => ada.chat.delete(message),
      () => ada.chat.react(message, '👍'),
      () => ada.chat.unreact(message, '👍'),
    ]
    for (const act of acts) expect(await codeOf(act)).toBe('chat-left')
  })

  it('counts also where the clock of the author is fast, and pulls nothing else along', async () => {
    const clock = {
      now: () => world.clock.now() + 59_000,
      after: (ms: number, task: () => void) => world.clock.after(ms, task),
    }
    const fast = await world.visit({ clock })
    const message = await fast.chat.send('from the future')
    await until(() => ada.texts().length === 1)
    await ada.chat.react(message.id, '👍')
    await agree(message.id, ['from the future', '👍', ada.did], ada, bob, fast)
    expect(ada.chat.message(message.id)?.timestamp).toBeGreaterThan(world.clock.now() + 50_000)
    expect((await ada.chat.send('of now')).timestamp).toBeLessThan(world.clock.now() + 6_000)
  })

  it('is refused while it would be further ahead than anybody takes', async () => {
    const raw = new RawPeer(world.network, LOBBY)
    const { id, jwt } = messageBy(testAuthor(7), 'just', { topic: LOBBY, at: world.clock.now() + 60_000 })
    await raw.publish(jwt)
    await until(() => ada.texts().length === 1)
    expect(await codeOf(() => ada.chat.react(id, '👍'))).toBe('clock-skew')
    await world.pass(1)
    await ada.chat.react(id, '👍')
    await agree(id, ['just', '👍', ada.did], ada, bob)
  })

  it('sends nothing where nothing would change', async () => {
    const raw = new RawPeer(world.network, LOBBY)
    const message = await ada.chat.send('mine')
    await ada.chat.unreact(message, '👍')
    await ada.chat.react(message, '👍')
    await ada.chat.react(message, '👍')
    await ada.chat.unreact(message, '👍')
    await ada.chat.unreact(message, '👍')
    await ada.chat.react(message, '👍')
    const said = (): string[] =>
      raw.jwts.map(claimsIn).flatMap((claims) => (claims.type === 'reaction' ? [claims.state] : []))
    await until(() => said().length === 3)
    expect(said()).toEqual(['add', 'remove', 'add'])
    expect([...message.reactions]).toEqual([['👍', [ada.did]]])
  })

  it('names what it saw as its parents, and is named as one', async () => {
    const raw = new RawPeer(world.network, LOBBY)
    const message = await ada.chat.send('mine')
    await ada.chat.react(message, '👍')
    await ada.chat.send('next')
    await until(() => raw.typesBy(ada.did).filter((type) => type === 'message').length === 2)
    const [, reaction, next] = raw.jwts
      .map(claimsIn)
      .filter(({ type }) => type === 'message' || type === 'reaction')
    expect(reaction?.parents).toEqual([message.id])
    expect(next?.parents).toHaveLength(1)
    expect(next?.parents).not.toContain(message.id)
  })
})

describe('a change while nobody is within reach', () => {
  it('waits as a message does, and only what is left of it goes out', async () => {
    const raw = new RawPeer(world.network, LOBBY)
    const known = await ada.chat.send('known')
    await until(() => bob.texts().length === 1)
    world.network.partition([[ada.network.peerId]])
    const kept = await ada.chat.send('kept')
    const gone = await ada.chat.send('the secret')
    for (const text of ['once', 'twice']) await ada.chat.edit(kept, text)
    await ada.chat.react(known, '👍')
    await ada.chat.delete(gone)
    expect([kept.status, kept.text, gone.isDeleted]).toEqual(['queued', 'twice', true])
    const before = raw.jwts.length
    world.network.heal()
    await agree(kept.id, ['twice'], bob)
    await agree(known.id, ['known', '👍', ada.did], bob)
    await world.pass(10_000)
    const sent = raw.jwts.slice(before).map((jwt) => JSON.stringify(claimsIn(jwt)))
    expect(sent.filter((json) => json.includes('the secret') || json.includes('once'))).toEqual([])
    expect(bob.texts().filter((text) => text === 'the secret')).toEqual([])
    expect(kept.status).toBe('acknowledged')
  })

  it('fills the outbox', async () => {
    world.network.partition([[ada.network.peerId]])
    const message = await ada.chat.send('0')
    for (let number = 1; number < 1_000; number += 1) await ada.chat.send(`${number}`)
    expect(await codeOf(() => ada.chat.react(message, '👍'))).toBe('outbox-full')
    expect(message.reactions.size).toBe(0)
  })
})

describe('muting and filters', () => {
  it('hold for what changes messages, too', async () => {
    const message = await ada.chat.send('first')
    await until(() => bob.texts().length === 1)
    await bob.chat.react(message.id, '👍')
    await agree(message.id, ['first', '👍', bob.did], ada)
    ada.chat.mute(bob.did)
    expect(seenBy(ada, message.id)).toEqual(['first'])
    ada.chat.unmute(bob.did)
    expect(seenBy(ada, message.id)).toEqual(['first', '👍', bob.did])

    bob.chat.addFilter(({ text }) => text !== 'spam')
    await ada.chat.edit(message, 'spam')
    await until(() => bob.heard('message-deleted').length === 1)
    expect(bob.heard('message-deleted')).toEqual([['message-deleted', message.id, false]])
    expect(textsOf(await backlogOf(world, bob))).toEqual([])
    await ada.chat.edit(message, 'ham')
    await until(() => bob.heard('message-updated').at(-1)?.[1] === 'ham')
    expect(textsOf(await backlogOf(world, bob))).toEqual(['ham'])
  })

  it('a listener may edit, mute or leave at once', async () => {
    const message = await ada.chat.send('first')
    ada.chat.on('message-updated', (_did, { text }) => {
      if (text === 'second') void ada.chat.edit(message, 'third')
      ada.chat.mute(bob.did)
      ada.chat.unmute(bob.did)
    })
    await ada.chat.edit(message, 'second')
    await agree(message.id, ['third'], ada, bob)
  })
})

describe('typing', () => {
  it('ends with an edit', async () => {
    const message = await ada.chat.send('first')
    ada.chat.typing.keystroke()
    await until(() => bob.chat.typing.current().length === 1)
    await ada.chat.edit(message, 'second')
    await until(() => bob.chat.typing.current().length === 0)
    expect(bob.heard('typing').length).toBe(2)
  })
})
