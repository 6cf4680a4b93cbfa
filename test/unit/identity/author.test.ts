import { EdDSASigner } from 'did-jwt'
import { describe, expect, it } from 'vitest'
import { createAuthor } from '../../../src/identity/author.ts'
import { systemRandom } from '../../../src/random.ts'
import { parseJwt } from '../../../src/wire/jwt.ts'
import { NOW, testAuthor, testPeerId, TOPIC } from '../../support/authors.ts'
import { codeOf } from '../../support/world.ts'

const { did, seed } = testAuthor(1)
let now = NOW
const clock = { now: () => now, after: () => () => {} }
const author = (signer = EdDSASigner(seed)): ReturnType<typeof createAuthor> =>
  createAuthor({ did, signer }, TOPIC, { clock, random: systemRandom })

describe('an author', () => {
  it('writes events that stand up to the parser', async () => {
    const event = await author().write('join', { peer: testPeerId(1), since: NOW / 1000, data: { name: 'Ada' } }, [])
    expect(parseJwt(event.jwt)).toMatchObject({ claims: event.claims })
    expect(event.claims).toMatchObject({ iss: did, aud: TOPIC, iat: NOW / 1000, exp: NOW / 1000 + 90 })
  })

  it('gives no two events the same time or jti, and none goes back with the clock', async () => {
    const writer = author()
    now = NOW
    const together = await Promise.all([1, 2, 3].map((n) => writer.write('message', { text: `${n}` }, [])))
    now = NOW - 60_000
    const late = await writer.write('message', { text: '4' }, [])
    const events = [...together, late]
    expect(events.map(({ timestamp }) => timestamp - NOW)).toEqual([0, 1, 2, 3])
    expect(new Set(events.map(({ claims }) => claims.jti)).size).toBe(4)
    now = NOW
  })

  it('rounds the clock to whole milliseconds', async () => {
    now = NOW + 0.4
    const event = await author().write('typing', { state: 'start' }, [])
    expect(event.timestamp).toBe(NOW)
    expect(parseJwt(event.jwt)).toBeTypeOf('object')
    now = NOW
  })

  it.each([
    ['throws', async () => Promise.reject(new Error('locked'))],
    ['answers rubbish', async () => 'rubbish'],
  ])('tells that the signer %s', async (_what, signer) => {
    expect(await codeOf(() => author(signer).write('message', { text: 'hello' }, []))).toBe('signing-failed')
  })
})
