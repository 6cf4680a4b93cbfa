import { beforeEach, describe, expect, it } from 'vitest'
import { Gaps } from '../../../src/room/gaps.ts'
import { Timeline } from '../../../src/room/timeline.ts'
import { eventId } from '../../../src/wire/event-id.ts'
import { eventBy, messageBy, NOW, testAuthor, testPeerId, unsignedBy } from '../../support/authors.ts'

const [ada, mallory] = [testAuthor(1), testAuthor(66)]
const others = Array.from({ length: 20 }, (_, number) => `other ${number}`)
let timeline: Timeline
let members: string[]
let gaps: Gaps

beforeEach(() => {
  timeline = new Timeline()
  members = ['a', 'b', 'c']
  gaps = new Gaps(timeline, () => members)
})

const first = messageBy(ada, 'first', { at: NOW })
const second = messageBy(ada, 'second', { at: NOW + 1, parents: [first.id] })
const presence = eventBy(ada, 'presence', { peer: testPeerId(1), data: {} }, { parents: [first.id] })

describe('a gap', () => {
  it('is an event that another one names and that is not here', () => {
    timeline.add(second, NOW)
    expect(gaps.note(second, ['a'])).toBe(true)
    expect(gaps.open()).toEqual([first.id])
    expect(gaps.holders()).toEqual(['a'])
    timeline.add(first, NOW)
    expect(gaps.open()).toEqual([])
    expect(gaps.holders()).toEqual([])
    expect(gaps.note(second, ['b'])).toBe(false)
  })

  it('may be with all who named it', () => {
    gaps.note(second, ['a'])
    gaps.note(presence, ['b', 'c'])
    expect(gaps.holders()).toEqual(['a', 'b', 'c'])
    gaps.without([first.id], 'a')
    members.splice(members.indexOf('c'), 1)
    expect(gaps.holders()).toEqual(['b'])
  })

  it('is seen by a presence, too: the last message of a quiet room', () => {
    expect(gaps.note(presence, ['a'])).toBe(true)
    expect(gaps.open()).toEqual([first.id])
  })

  it('is seen where an event came that nobody noted: from a comparison', () => {
    timeline.add(second, NOW)
    expect(gaps.open()).toEqual([first.id])
    expect(gaps.holders()).toEqual(members)
  })

  it('is none where only history names it and three others, or all, do not have it', () => {
    for (const count of [1, 3, 20]) {
      members = Array.from({ length: count }, (_, number) => `member ${number}`)
      timeline = new Timeline()
      gaps = new Gaps(timeline, () => members)
      timeline.add(second, NOW)
      for (const member of members.slice(0, 3)) {
        expect(gaps.open()).toEqual([first.id])
        gaps.without([first.id], member)
      }
      expect(gaps.open()).toEqual([])
      // Until it is named live.
      expect(gaps.note(presence, ['somebody', 'else'])).toBe(count > 3)
    }
  })

  it('is none when whoever named it does not have it, and another one neither', () => {
    gaps.note(presence, ['a'])
    gaps.without(gaps.open(), 'b')
    gaps.without(gaps.open(), 'c')
    expect(gaps.open()).toEqual([first.id])
    gaps.without(gaps.open(), 'a')
    expect(gaps.open()).toEqual([])
    expect(gaps.note(presence, ['a'])).toBe(false)
  })

  it('is one while somebody who named it was not asked, however many devices another author has that do not have it', () => {
    members = [...Array.from({ length: 16 }, (_, number) => `mallory ${number}`), 'honest']
    gaps.note(second, members.slice(0, 16))
    gaps.note(presence, ['honest'])
    for (const member of members.slice(0, 16)) gaps.without([first.id], member)
    expect(gaps.open()).toEqual([first.id])
    expect(gaps.holders()).toEqual(['honest'])
    gaps.without([first.id], 'honest')
    expect(gaps.open()).toEqual([])
  })

  it('is one where somebody names it after many others who do not have it', () => {
    members = Array.from({ length: 100 }, (_, number) => `author ${number}`)
    for (const member of members) {
      gaps.note(presence, [member])
      gaps.without([first.id], member)
    }
    expect(gaps.open()).toEqual([])
    members.push('honest')
    gaps.note(presence, ['honest'])
    expect(gaps.holders()).toEqual(['honest'])
    gaps.without([first.id], 'honest')
    expect(gaps.open()).toEqual([])
  })

  it('is one again when somebody else names it', () => {
    gaps.note(presence, ['a'])
    for (const member of ['a', 'b', 'c']) gaps.without([first.id], member)
    expect(gaps.open()).toEqual([])
    members.push('d')
    expect(gaps.note(presence, ['d'])).toBe(true)
    expect(gaps.holders()).toEqual(['d'])
  })

  it('is none where whoever named it is gone and eight others, or all, do not have it', () => {
    for (const count of [3, 8, 20]) {
      gaps = new Gaps(timeline, () => members)
      gaps.note(presence, ['a'])
      members = Array.from({ length: count }, (_, number) => `member ${number}`)
      for (const member of members.slice(0, Math.min(8, count))) {
        expect(gaps.open()).toEqual([first.id])
        gaps.without([first.id], member)
      }
      expect(gaps.open()).toEqual([])
    }
  })

  it('is none where eight others do not have it and then whoever named it neither', () => {
    members = ['a', ...Array.from({ length: 8 }, (_, number) => `member ${number}`)]
    gaps.note(presence, ['a'])
    for (const member of members.slice(1)) gaps.without([first.id], member)
    expect(gaps.holders()).toEqual(['a'])
    gaps.without([first.id], 'a')
    expect(gaps.open()).toEqual([])
  })

  it('is none where the one other member there is does not have it', () => {
    timeline.add(second, NOW)
    members = ['b']
    gaps.without([first.id], 'b')
    expect(gaps.open()).toEqual([])
  })

  it('is none where the event was here and had to go', () => {
    const small = new Timeline({ maxEvents: 1, maxBytes: 1e9, maxAgeMs: 1e9 })
    gaps = new Gaps(small, () => members)
    small.add(first, NOW)
    small.add(second, NOW)
    expect(small.get(first.id)).toBeUndefined()
    expect(gaps.note(second, ['a'])).toBe(false)
    expect(gaps.open()).toEqual([])
  })

  it('is given up also where very many are named that nobody has, and is looked up among members once', () => {
    const window = new Timeline()
    let asked = 0
    gaps = new Gaps(window, () => {
      asked += 1
      return members
    })
    for (let number = 0; number < 1_000; number += 1) {
      const parents = Array.from({ length: 8 }, (_, nth) => eventId(`nobody has ${number} ${nth}`)).sort()
      window.add(unsignedBy(ada, 'message', { text: 'x' }, { at: NOW + number, parents }), NOW)
    }
    const missing = gaps.open()
    expect([missing.length, asked]).toEqual([8_000, 1])
    for (const member of members) gaps.without(missing, member)
    expect(gaps.open()).toEqual([])
  })

  it('is forgotten for newer ones: 8,000 are remembered', () => {
    for (let number = 0; number < 8_200; number += 1) {
      const parents = [eventId(`named ${number}`)]
      gaps.note({ ...presence, claims: { ...presence.claims, parents } }, ['a'])
    }
    expect(gaps.open()).toHaveLength(8_000)
    expect(gaps.open()).toContain(eventId('named 8199'))
  })

  it('is none where it lies before the page that came, and 8,000 such are remembered', () => {
    const naming = (number: number) => ({
      ...presence,
      claims: { ...presence.claims, parents: [eventId(`before ${number}`)] },
    })
    for (let number = 0; number < 8_100; number += 1) {
      expect(gaps.note(naming(number), ['a'])).toBe(true)
      gaps.outside(gaps.open())
    }
    expect(gaps.open()).toEqual([])
    expect(gaps.note(naming(8_099), ['a'])).toBe(false)
    expect(gaps.note(naming(0), ['a'])).toBe(true)
  })

  it('is named by whoever did also where somebody else names very much that never was', () => {
    members = ['honest', 'mallory', ...others]
    gaps.note(second, ['honest'])
    for (let number = 0; number < 128; number += 1) {
      const parents = Array.from({ length: 8 }, (_, nth) => eventId(`never ${number} ${nth}`)).sort()
      const made = unsignedBy(mallory, 'message', { text: 'x' }, { at: NOW + 2 + number, parents })
      timeline.add(made, NOW + 2)
      gaps.note(made, ['mallory'])
    }
    // Three looks, at whoever: they have none of all that.
    for (const member of others.slice(0, 3)) gaps.without(gaps.open(), member)
    expect(gaps.open()).toContain(first.id)
    expect(gaps.holders()).toContain('honest')
  })

  it('that the newest of three tabs shows is one until that was asked', () => {
    members = ['tab 1', 'tab 2', 'tab 3', ...others]
    // In the order in which they came.
    gaps.note(second, ['tab 1', 'tab 2', 'tab 3'])
    for (const member of ['tab 1', 'tab 2', ...others.slice(0, 6)]) gaps.without(gaps.open(), member)
    expect(gaps.open()).toEqual([first.id])
  })

  it('is named by whoever does also after many that did and are gone', () => {
    const gone = Array.from({ length: 32 }, (_, number) => `gone ${number}`)
    members = [...gone, ...others]
    for (const device of gone) gaps.note(second, [device])
    members = ['honest', ...others]
    gaps.note(second, ['honest'])
    expect(gaps.holders()).toEqual(['honest'])
    for (const member of others.slice(0, 8)) gaps.without(gaps.open(), member)
    expect(gaps.open()).toEqual([first.id])
  })
})
