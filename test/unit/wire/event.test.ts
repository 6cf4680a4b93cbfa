import { describe, expect, it } from 'vitest'
import { comparePositions, isType, positionOf } from '../../../src/wire/event.ts'
import { eventBy, messageBy, NOW, testAuthor, testPeerId } from '../../support/authors.ts'

describe('the order of events', () => {
  it('is by time, then author, then id', () => {
    const places = [
      { timestamp: 1, author: 'b', id: 'b' },
      { timestamp: 2, author: 'a', id: 'b' },
      { timestamp: 2, author: 'a', id: 'c' },
      { timestamp: 2, author: 'b', id: 'a' },
      { timestamp: 10, author: 'a', id: 'a' },
    ]
    expect([...places].reverse().sort(comparePositions)).toEqual(places)
    expect(
      comparePositions({ timestamp: 1, author: 'a', id: 'a' }, { timestamp: 1, author: 'a', id: 'a' }),
    ).toBe(0)
  })

  it('compares texts by their code units and not by a language', () => {
    expect(
      comparePositions({ timestamp: 1, author: 'Z', id: '' }, { timestamp: 1, author: 'a', id: '' }),
    ).toBe(-1)
  })

  it('takes milliseconds from the fraction of iat', () => {
    const event = messageBy(testAuthor(1), 'hello', { at: NOW + 123 })
    expect(event.claims.iat).toBe(1_800_000_000.123)
    expect(positionOf(event)).toEqual({ timestamp: NOW + 123, author: testAuthor(1).did, id: event.id })
  })

  it('tells types apart', () => {
    const leave = eventBy(testAuthor(1), 'leave', { peer: testPeerId(1) })
    expect(isType(leave, 'join', 'leave')).toBe(true)
    expect(isType(leave, 'join', 'presence')).toBe(false)
  })
})
