import { EdDSASigner } from 'did-jwt'
import { beforeEach, describe, expect, it } from 'vitest'
import { createAuthor } from '../../../src/identity/author.ts'
import { systemRandom } from '../../../src/random.ts'
import { eventId } from '../../../src/wire/event-id.ts'
import { parseJwt } from '../../../src/wire/jwt.ts'
import { topicOf } from '../../../src/wire/topic.ts'
import { NOW, TOPIC, testAuthor, testPeerId } from '../../support/authors.ts'
import { codeOf } from '../../support/world.ts'

const { did, seed } = testAuthor(1)
let now = NOW
const clock = { now: () => now, after: () => () => {} }
const author = (signer = EdDSASigner(seed)): ReturnType<typeof createAuthor> =>
  createAuthor({ did, signer }, { clock, random: systemRandom })

beforeEach(() => {
  now = NOW
})

describe('an author', () => {
  it('writes events that stand up to the parser', async () => {
    const event = await author().write(TOPIC, 'join', {
      peer: testPeerId(1),
      since: NOW / 1000,
      data: { name: 'Ada' },
    })
    expect(parseJwt(event.jwt)).toMatchObject({ claims: event.claims })
    expect(event.claims).toMatchObject({ iss: did, aud: TOPIC, iat: NOW / 1000, exp: NOW / 1000 + 90 })
  })

  it('gives no two events the same time or jti, and none goes back with the clock', async () => {
    const writer = author()
    now = NOW
    const together = await Promise.all([1, 2, 3].map((n) => writer.write(TOPIC, 'message', { text: `${n}` })))
    now = NOW - 29_000
    const late = await writer.write(TOPIC, 'message', { text: '4' })
    const events = [...together, late]
    expect(events.map(({ timestamp }) => timestamp - NOW)).toEqual([0, 1, 2, 3])
    expect(new Set(events.map(({ claims }) => claims.jti)).size).toBe(4)
    now = NOW
  })

  it('follows a clock that is set back by more than 30 s: others would ignore events from the future', async () => {
    const writer = author()
    const { timestamp } = await writer.write(TOPIC, 'message', { text: '1' })
    now = timestamp - 120_000
    const [second, third] = [
      await writer.write(TOPIC, 'message', { text: '2' }),
      await writer.write(TOPIC, 'message', { text: '3' }),
    ]
    expect([second.timestamp, third.timestamp]).toEqual([now, now + 1])
  })

  it('gives no two events the same time in different rooms either', async () => {
    const writer = author()
    const other = topicOf('space', 'other')
    const events = await Promise.all(
      [TOPIC, other, TOPIC].map((topic) => writer.write(topic, 'typing', { state: 'start' })),
    )
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(3)
    expect(events.map(({ claims }) => claims.aud)).toEqual([TOPIC, other, TOPIC])
  })

  it.each([
    ['a little ahead', 5_000, 5_001],
    ['behind', -1_000, 0],
    ['too far ahead to be followed', 5_001, 0],
  ])('writes an answer behind what it answers: %s', async (_what, ahead, expected) => {
    const event = await author().write(TOPIC, 'message', { text: 'hello' }, { after: NOW + ahead })
    expect(event.timestamp - NOW).toBe(expected)
  })

  it('writes behind what it changes, however far ahead that is, and does not stay there', async () => {
    const writer = author()
    const target = eventId('a message')
    const times: number[] = []
    for (const behind of [-1_000, 0, 3_000, 50_000, 50_001])
      times.push((await writer.write(TOPIC, 'delete', { target }, { behind: NOW + behind })).timestamp - NOW)
    expect(times).toEqual([0, 1, 3_001, 50_001, 50_002])
    expect((await writer.write(TOPIC, 'message', { text: 'hello' })).timestamp - NOW).toBe(3_004)
  })

  it('cannot be pulled forward for ever', async () => {
    const writer = author()
    let after = 0
    for (let turn = 0; turn < 20; turn += 1) {
      const event = await writer.write(TOPIC, 'message', { text: 'hello' }, { after: after + 4_000 + NOW })
      after = event.timestamp - NOW
    }
    expect(after).toBeLessThan(5_100)
  })

  it('tells that a text is too long as JSON, before it asks for a signature', async () => {
    let asked = 0
    const signer = async (data: string | Uint8Array): Promise<string> => {
      asked += 1
      return (await EdDSASigner(seed)(data)) as string
    }
    const write = (length: number): Promise<unknown> =>
      author(signer).write(TOPIC, 'message', { text: '\u0001'.repeat(length) })
    expect(await codeOf(() => write(4_096))).toBe('message-too-long')
    expect(asked).toBe(0)
    await write(1_500)
    expect(asked).toBe(1)
  })

  it('rounds the clock to whole milliseconds', async () => {
    now = NOW + 0.4
    const event = await author().write(TOPIC, 'typing', { state: 'start' })
    expect(event.timestamp).toBe(NOW)
    expect(parseJwt(event.jwt)).toBeTypeOf('object')
    now = NOW
  })

  it.each([
    ['throws', async () => Promise.reject(new Error('locked'))],
    ['answers rubbish', async () => 'rubbish'],
  ])('tells that the signer %s', async (_what, signer) => {
    expect(await codeOf(() => author(signer).write(TOPIC, 'message', { text: 'hello' }))).toBe(
      'signing-failed',
    )
  })
})
