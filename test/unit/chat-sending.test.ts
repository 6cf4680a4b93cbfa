import { EdDSASigner } from 'did-jwt'
import { settle } from 'ghostchat/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { topicOf } from '../../src/wire/topic.ts'
import { testAuthor } from '../support/authors.ts'
import { ShiftedClock } from '../support/shifted-clock.ts'
import { claimsIn, codeOf, RawPeer, until, type VisitOptions, type Visitor, World } from '../support/world.ts'

const LOBBY = topicOf('dapp', 'lobby')
const texts = Array.from({ length: 100 }, (_, index) => `${index}`)
let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

const visit = (options?: VisitOptions): Promise<Visitor> => world.visit(options)

/** An identity whose signer takes its time, each time another one. */
function moody(): NonNullable<VisitOptions['identity']> {
  const { did, seed } = testAuthor(7)
  const sign = EdDSASigner(seed)
  let signed = 0
  return {
    did,
    signer: async (data) => {
      signed += 1
      const turns = (signed * 7) % 5
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0))
      return sign(data)
    },
  }
}

/** The texts of the messages that were sent to a topic, in order. */
const textsHeardBy = ({ jwts }: RawPeer): string[] =>
  jwts.map(claimsIn).flatMap((claims) => (claims.type === 'message' ? [claims.text] : []))

describe('messages that are sent at once', () => {
  it('arrive in the order of the calls, however long each signature takes', async () => {
    const ada = await visit({ identity: moody() })
    const witness = new RawPeer(world.network, LOBBY)
    const bob = await visit()
    const sent = await Promise.all(texts.map((text) => ada.chat.send(text)))
    expect(sent.map(({ text }) => text)).toEqual(texts)
    await until(() => bob.texts().length === texts.length)
    expect(textsHeardBy(witness)).toEqual(texts)
    expect(ada.texts()).toEqual(texts)
    expect((await bob.chat.requestBacklog()).map(String)).toEqual(texts)
  })

  it('go out in order to the first who comes', async () => {
    const ada = await visit({ identity: moody() })
    const sent = await Promise.all(texts.map((text) => ada.chat.send(text)))
    expect(new Set(sent.map(({ status }) => status))).toEqual(new Set(['queued']))
    const witness = new RawPeer(world.network, LOBBY)
    await until(() => textsHeardBy(witness).length === texts.length)
    expect(textsHeardBy(witness)).toEqual(texts)
    expect(new Set(sent.map(({ status }) => status))).toEqual(new Set(['sent']))
    expect(ada.heard('message-updated').map(([, text]) => text)).toEqual(texts)
  })

  it('are not held up by one that cannot be signed', async () => {
    const { did, seed } = testAuthor(8)
    const sign = EdDSASigner(seed)
    let refuses = false
    const signer = async (data: string | Uint8Array) =>
      refuses ? Promise.reject(new Error('locked')) : sign(data)
    const ada = await visit({ identity: { did, signer } })
    refuses = true
    const first = codeOf(() => ada.chat.send('1'))
    const second = first.then(() => {
      refuses = false
      return ada.chat.send('2')
    })
    expect(await first).toBe('signing-failed')
    expect((await second).text).toBe('2')
  })
})

describe('a message that others refuse for now, because their clocks are behind', () => {
  it('is not acknowledged by having been sent to them in a comparison', async () => {
    const bob = await world.visit()
    const ada = await world.visit({ clock: new ShiftedClock(world.clock, 80_000) })
    const message = await ada.chat.send('from ahead')
    await settle()
    world.network.partition([[bob.network.peerId]])
    await world.pass(500)
    world.network.heal()
    await world.pass(500)
    expect([bob.texts(), message.status]).toEqual([[], 'sent'])
  })
})

describe('leaving while messages are being sent', () => {
  const COUNT = 5
  const news = texts.slice(0, COUNT)

  /** Sends, leaves after `pass`, and looks at what became of it. */
  async function leaveDuring(ada: Visitor, pass: () => Promise<void>): Promise<void> {
    const sending = Promise.allSettled(news.map((text) => ada.chat.send(text)))
    await pass()
    const leaving = ada.chat.leaveChat()
    const told = ada.told.length
    await leaving
    for (const result of await sending) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'chat-left' })
      else expect(result.value.status).not.toBe('queued')
    }
    await world.pass(5_000)
    expect(ada.chat.status.current).toBe('closed')
    expect(ada.told.slice(told).filter(([name]) => name === 'message')).toEqual([])
  }

  const turns = (count: number) => async (): Promise<void> => {
    for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0))
  }
  const microtasks = (count: number) => async (): Promise<void> => {
    for (let step = 0; step < count; step += 1) await Promise.resolve()
  }

  it.each([0, 1, 2, 3, 4, 5, 6, 8, 10, 14])(
    'after %i turns, tells and publishes nothing more',
    async (count) => {
      const witness = new RawPeer(world.network, LOBBY)
      const ada = await visit({ identity: moody() })
      await leaveDuring(ada, turns(count))
      const types = witness.typesBy(ada.did)
      expect(types.indexOf('leave')).toBe(types.length - 1)
      expect(textsHeardBy(witness)).toEqual(news.slice(0, textsHeardBy(witness).length))
    },
  )

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    '%i microtasks after a message was told, leaves nothing queued',
    async (count) => {
      const witness = new RawPeer(world.network, LOBBY)
      const ada = await visit()
      const told = new Promise<void>((resolve) => ada.chat.on('message', () => resolve()))
      await leaveDuring(ada, () => told.then(microtasks(count)))
      const types = witness.typesBy(ada.did)
      expect(types.indexOf('leave')).toBe(types.length - 1)
    },
  )

  it('gives up what the signer has not signed, and what comes later', async () => {
    const witness = new RawPeer(world.network, LOBBY)
    const { did, seed } = testAuthor(9)
    const sign = EdDSASigner(seed)
    const held: (() => void)[] = []
    let holds = false
    const signer = async (data: string | Uint8Array) => {
      if (holds) await new Promise<void>((resolve) => held.push(resolve))
      return sign(data)
    }
    const ada = await visit({ identity: { did, signer } })
    holds = true
    const sending = ['1', '2', '3'].map((text) => codeOf(() => ada.chat.send(text)))
    await settle()
    await ada.chat.leaveChat()
    holds = false
    for (const release of held) release()
    expect(await Promise.all(sending)).toEqual(['chat-left', 'chat-left', 'chat-left'])
    await world.pass(5_000)
    expect(textsHeardBy(witness)).toEqual([])
    expect(ada.heard('message')).toEqual([])
  })

  it('has failed what whoever leaves was just told of', async () => {
    const ada = await world.visit()
    ada.chat.on('message', () => void ada.chat.leaveChat())
    expect(await codeOf(() => ada.chat.send('bye'))).toBe('chat-left')
    await settle()
    expect(ada.told.slice(-2)).toEqual([
      ['status', 'closed'],
      ['message-updated', 'bye', 'failed'],
    ])
  })

  it('gives up also what waits for a place among 1,000', async () => {
    const ada = await visit()
    const sending = Array.from({ length: 1_010 }, (_, index) => codeOf(() => ada.chat.send(`${index}`)))
    await ada.chat.leaveChat()
    expect(new Set(await Promise.all(sending))).toEqual(new Set(['chat-left']))
    expect(ada.heard('message')).toEqual([])
  })

  it('ends what waited for a neighbour as failed', async () => {
    const ada = await visit()
    const sent = await Promise.all(news.map((text) => ada.chat.send(text)))
    expect(ada.heard('message-updated')).toEqual([])
    await ada.chat.leaveChat()
    expect(ada.heard('message-updated')).toEqual(news.map((text) => ['message-updated', text, 'failed']))
    expect(sent.map(({ status }) => status)).toEqual(news.map(() => 'failed'))
    const witness = new RawPeer(world.network, LOBBY)
    await world.pass(5_000)
    expect(witness.jwts).toEqual([])
  })

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])(
    '%i microtasks after a message was told to nobody, leaves nothing queued',
    async (count) => {
      const ada = await visit()
      const told = new Promise<void>((resolve) => ada.chat.on('message', () => resolve()))
      await leaveDuring(ada, () => told.then(microtasks(count)))
    },
  )

  it.each([0, 1, 2, 3, 5, 8])('after %i turns with nobody there, leaves nothing queued', async (count) => {
    const ada = await visit({ identity: moody() })
    await leaveDuring(ada, turns(count))
  })
})
