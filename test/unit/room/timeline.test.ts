import { describe, expect, it } from 'vitest'
import { Timeline } from '../../../src/room/timeline.ts'
import { positionOf } from '../../../src/wire/event.ts'
import { messageBy, NOW, testAuthor, unsignedBy } from '../../support/authors.ts'

const ada = testAuthor(1)
const HUGE = { maxEvents: 1_000, maxBytes: 1e9, maxAgeMs: 86_400_000 }
const at = (ms: number, text = `at ${ms}`) => messageBy(ada, text, { at: NOW + ms })
const texts = (timeline: Timeline): string[] => timeline.slice(1_000).events.map(({ claims }) => claims.text)

function filled(window: Partial<typeof HUGE>, times: number[]): Timeline {
  const timeline = new Timeline({ ...HUGE, ...window })
  for (const time of times) timeline.add(at(time), NOW + 10)
  return timeline
}

describe('the timeline', () => {
  it('is in the one order, whatever the order of arrival', () => {
    expect(texts(filled({}, [3, 1, 2]))).toEqual(['at 1', 'at 2', 'at 3'])
  })

  it('takes an event once', () => {
    const timeline = new Timeline(HUGE)
    const event = at(1)
    expect(timeline.add(event, NOW)).toBe(true)
    expect(timeline.add(event, NOW)).toBe(false)
    expect([timeline.size, timeline.bytes]).toEqual([1, event.jwt.length])
    expect(timeline.get(event.id)).toBe(event)
  })

  it('holds so many events, the newest', () => {
    const timeline = filled({ maxEvents: 3 }, [1, 2, 3, 4, 5])
    expect(texts(timeline)).toEqual(['at 3', 'at 4', 'at 5'])
  })

  it('refuses what lies before a full window', () => {
    const timeline = filled({ maxEvents: 3 }, [3, 4, 5])
    const old = at(1)
    expect(timeline.add(old, NOW + 10)).toBe(false)
    expect(timeline.get(old.id)).toBeUndefined()
    expect(texts(timeline)).toEqual(['at 3', 'at 4', 'at 5'])
    expect(timeline.add(at(4, 'between'), NOW + 10)).toBe(true)
    expect(texts(timeline)).toHaveLength(3)
  })

  it('holds so many bytes, and counts them right', () => {
    const bytes = at(1).jwt.length
    const timeline = filled({ maxBytes: bytes * 3 }, [1, 2, 3, 4])
    expect(timeline.size).toBe(3)
    expect(timeline.bytes).toBe(bytes * 3)
    expect(timeline.add(at(0), NOW + 10)).toBe(false)
    // One long message takes the place of several short ones.
    expect(timeline.add(at(9, 'x'.repeat(bytes)), NOW + 10)).toBe(true)
    expect(timeline.bytes).toBeLessThanOrEqual(bytes * 3)
    expect(timeline.bytes).toBe(timeline.slice(9).events.reduce((sum, { jwt }) => sum + jwt.length, 0))
  })

  it('holds them for so long', () => {
    const timeline = filled({ maxAgeMs: 1_000 }, [1, 2])
    timeline.prune(NOW + 1_001)
    expect(texts(timeline)).toEqual(['at 1', 'at 2'])
    timeline.prune(NOW + 1_002)
    expect(texts(timeline)).toEqual(['at 2'])
    expect(timeline.add(at(-5_000), NOW + 1_002)).toBe(false)
  })

  it('ends an event at its exp, as every gate does', () => {
    const timeline = new Timeline(HUGE)
    timeline.add(messageBy(ada, 'short', { livesMs: 1_000 }), NOW)
    timeline.add(messageBy(ada, 'long'), NOW)
    timeline.prune(NOW + 1_000)
    expect(texts(timeline)).toEqual(['long'])
  })

  it('has by default the window of the documents', () => {
    const timeline = new Timeline()
    for (let number = 0; number <= 1_000; number += 1)
      timeline.add(unsignedBy(ada, 'message', { text: 'x' }, { at: NOW + number }), NOW + 1_000)
    expect(timeline.size).toBe(1_000)
    timeline.prune(NOW + 86_400_000 + 1_001)
    expect(timeline.size).toBe(0)
    expect(timeline.bytes).toBe(0)
  })
})

describe('a slice of the timeline', () => {
  const timeline = filled({}, [1, 2, 3, 4, 5])
  const event = (index: number): ReturnType<typeof at> => {
    const found = timeline.slice(5).events[index]
    if (found === undefined) throw new Error('no such event')
    return found
  }
  const slice = (...args: Parameters<typeof timeline.slice>): [string[], boolean] => {
    const { events, more } = timeline.slice(...args)
    return [events.map(({ claims }) => claims.text), more]
  }

  it('is the newest, oldest first, and tells whether there are older ones', () => {
    expect(slice(2)).toEqual([['at 4', 'at 5'], true])
    expect(slice(5)).toEqual([['at 1', 'at 2', 'at 3', 'at 4', 'at 5'], false])
    expect(slice(0)).toEqual([[], true])
  })

  it('ends before a place, whether an event is there or not', () => {
    expect(slice(2, positionOf(event(3)))).toEqual([['at 2', 'at 3'], true])
    expect(slice(9, positionOf(event(0)))).toEqual([[], false])
    expect(slice(2, { timestamp: NOW + 4, author: '', id: '' })).toEqual([['at 2', 'at 3'], true])
    expect(slice(2, { timestamp: NOW + 4, author: '~', id: '' })).toEqual([['at 3', 'at 4'], true])
  })
})

describe('the heads of the timeline', () => {
  it('are the events that no other names as a parent', () => {
    const timeline = new Timeline(HUGE)
    expect(timeline.heads()).toEqual([])
    const [a, b] = [at(1), at(2)]
    timeline.add(a, NOW)
    timeline.add(b, NOW)
    expect(timeline.heads()).toEqual([a.id, b.id].sort())
    const child = messageBy(ada, 'child', { at: NOW + 3, parents: [a.id] })
    timeline.add(child, NOW)
    expect(timeline.heads()).toEqual([b.id, child.id].sort())
  })

  it('are 8 at most, the newest', () => {
    const timeline = filled({}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const newest = timeline.slice(8).events.map(({ id }) => id)
    expect(timeline.heads()).toEqual([...newest].sort())
  })

  it('know a parent also when it comes after its child, and forget what was dropped', () => {
    const timeline = new Timeline({ ...HUGE, maxEvents: 2 })
    const parent = at(2)
    timeline.add(messageBy(ada, 'child', { at: NOW + 1, parents: [parent.id] }), NOW)
    timeline.add(parent, NOW)
    expect(timeline.heads()).not.toContain(parent.id)
    timeline.add(at(3), NOW) // the child goes
    expect(timeline.heads()).toContain(parent.id)
  })
})
