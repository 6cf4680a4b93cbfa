import { describe, expect, it } from 'vitest'
import { SeenEvents } from '../../../src/gate/seen.ts'
import { messageBy, NOW, testAuthor } from '../../support/authors.ts'

const ada = testAuthor(1)

describe('the events a gate has seen', () => {
  it('are known by author and jti', () => {
    const seen = new SeenEvents()
    const jti = 'AAECAwQFBgcICQoLDA0ODw'
    const event = messageBy(ada, '1', { jti })
    expect(seen.find(event)).toBeUndefined()
    seen.add(event, NOW)
    expect(seen.find(event)).toBe('duplicate')
    expect(seen.find(messageBy(ada, '2', { jti }))).toBe('reused-jti')
    expect(seen.find(messageBy(testAuthor(2), '1', { jti }))).toBeUndefined()
  })

  it('are no more than their bound, the first ones out first', () => {
    const seen = new SeenEvents(3)
    const events = [1, 2, 3, 4, 5].map((n) => messageBy(ada, `${n}`))
    for (const event of events) seen.add(event, NOW)
    expect(seen.size).toBe(3)
    expect(events.map((event) => seen.find(event) ?? 'forgotten')).toEqual([
      'forgotten',
      'forgotten',
      'duplicate',
      'duplicate',
      'duplicate',
    ])
  })

  it('are forgotten when they have expired', () => {
    const seen = new SeenEvents()
    const short = messageBy(ada, 'short', { livesMs: 10 })
    seen.add(short, NOW)
    seen.add(messageBy(ada, 'next'), NOW + 9)
    expect([seen.size, seen.find(short)]).toEqual([2, 'duplicate'])
    seen.add(messageBy(ada, 'last'), NOW + 10)
    expect([seen.size, seen.find(short)]).toEqual([2, undefined])
  })

  it('keeps the one that was just added, however small the bound', () => {
    const seen = new SeenEvents(1)
    const last = messageBy(ada, '2')
    seen.add(messageBy(ada, '1'), NOW)
    seen.add(last, NOW)
    expect(seen.find(last)).toBe('duplicate')
  })
})
