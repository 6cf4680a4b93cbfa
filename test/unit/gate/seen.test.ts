import { describe, expect, it } from 'vitest'
import { SeenEvents } from '../../../src/gate/seen.ts'
import { LEASE_MS } from '../../../src/limits.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { messageBy, NOW, testAuthor, unsignedBy } from '../../support/authors.ts'

const ada = testAuthor(1)
const presence = (at = NOW): SignedEvent =>
  unsignedBy(ada, 'presence', { peer: 'p', since: 1, data: {} }, { at })

describe('the events a gate has seen', () => {
  it('are known by their ids', () => {
    const seen = new SeenEvents()
    const jti = 'AAECAwQFBgcICQoLDA0ODw'
    const event = messageBy(ada, '1', { jti })
    expect(seen.has(event)).toBe(false)
    seen.add(event, NOW)
    expect(seen.has(event)).toBe(true)
    expect(seen.has(messageBy(ada, '2', { jti }))).toBe(false)
  })

  it('are no more than their bound, the first ones out first', () => {
    const seen = new SeenEvents(3)
    const events = [1, 2, 3, 4, 5].map((n) => messageBy(ada, `${n}`))
    for (const event of events) seen.add(event, NOW)
    expect(seen.size).toBe(3)
    expect(events.map((event) => seen.has(event))).toEqual([false, false, true, true, true])
  })

  it('are forgotten when they have expired', () => {
    const seen = new SeenEvents()
    const short = messageBy(ada, 'short', { livesMs: 10 })
    seen.add(short, NOW)
    seen.add(messageBy(ada, 'next'), NOW + 9)
    expect([seen.size, seen.has(short)]).toEqual([2, true])
    seen.add(messageBy(ada, 'last'), NOW + 10)
    expect([seen.size, seen.has(short)]).toEqual([2, false])
  })

  it('of presence are forgotten in time, also behind one that lives for a day', () => {
    const seen = new SeenEvents(3)
    seen.add(messageBy(ada, 'a day'), NOW)
    for (let index = 0; index < 100; index += 1) {
      const at = NOW + index * LEASE_MS
      seen.add(presence(at), at)
    }
    expect(seen.size).toBe(2)
  })

  it('have travelled on once', () => {
    const seen = new SeenEvents()
    const [message, short] = [messageBy(ada, '1'), presence()]
    expect(seen.passOn(message)).toBe(false)
    for (const event of [message, short]) {
      seen.add(event, NOW)
      expect([seen.passOn(event), seen.passOn(event), seen.has(event)]).toEqual([true, false, true])
    }
    seen.add(messageBy(ada, '2'), NOW + LEASE_MS)
    expect([seen.has(message), seen.has(short)]).toEqual([true, false])
  })

  it('keeps the one that was just added, however small the bound', () => {
    const seen = new SeenEvents(1)
    const last = messageBy(ada, '2')
    seen.add(messageBy(ada, '1'), NOW)
    seen.add(last, NOW)
    expect(seen.has(last)).toBe(true)
  })
})
