import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTopic, topicOf } from '../../src/wire/topic.ts'
import { wellFormedText } from '../support/arbitraries.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const names = fc.tuple(wellFormedText, wellFormedText)

describe('topics', () => {
  it('two different pairs of names never have the same topic', () => {
    fc.assert(
      property(names, names, ([a, b], [c, d]) => {
        expect(topicOf(a, b) === topicOf(c, d)).toBe(a === c && b === d)
      }),
      runs(2_000),
    )
  })

  it('moving a piece from one name to the other changes the topic', () => {
    fc.assert(
      property(wellFormedText, wellFormedText, wellFormedText, (a, b, c) => {
        expect(topicOf(a + b, c)).not.toBe(topicOf(a, b + c))
        expect(topicOf(`${a}.${b}`, c)).not.toBe(topicOf(a, `${b}.${c}`))
      }),
      runs(),
    )
  })

  it('parseTopic finds the names again', () => {
    fc.assert(
      property(names, ([space, room]) => {
        expect(parseTopic(topicOf(space, room))).toEqual({ space, room })
      }),
      runs(1_000),
    )
  })

  it('parseTopic understands no text that topicOf does not make', () => {
    const near = fc
      .tuple(names, fc.nat(), fc.constantFrom('%', '.', '2', 'e', 'E', 'a', '~', 'é', ''))
      .map(([[space, room], at, piece]) => {
        const topic = topicOf(space, room)
        const place = at % topic.length
        return topic.slice(0, place) + piece + topic.slice(place + 1)
      })
    fc.assert(
      property(fc.oneof(fc.string({ unit: 'binary' }), near), (text) => {
        const parsed = parseTopic(text)
        if (parsed !== undefined) expect(topicOf(parsed.space, parsed.room)).toBe(text)
      }),
      runs(2_000),
    )
  })

  it('a topic is ASCII, has two dots after its prefix at most, and 255 bytes at most', () => {
    fc.assert(
      property(names, ([space, room]) => {
        expect(topicOf(space, room)).toMatch(/^3box\.chat\.[A-Za-z0-9_%-]+\.[A-Za-z0-9_%-]+$/)
      }),
      runs(),
    )
  })

  it('whatever is thrown at it, it answers a topic or invalid-name', () => {
    fc.assert(
      property(fc.anything(), fc.anything(), (space, room) => {
        try {
          expect(topicOf(space as string, room as string).length).toBeLessThanOrEqual(255)
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'invalid-name' })
        }
      }),
      runs(),
    )
  })
})
