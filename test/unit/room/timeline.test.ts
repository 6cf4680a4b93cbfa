import { describe, expect, it } from 'vitest'
import { Timeline, type TimelineEvent } from '../../../src/room/timeline.ts'
import { positionOf } from '../../../src/wire/event.ts'
import type { EventId } from '../../../src/wire/event-id.ts'
import { eventBy, messageBy, NOW, testAuthor, unsignedBy } from '../../support/authors.ts'

const ada = testAuthor(1)
const HUGE = { maxEvents: 1_000, maxBytes: 1e9, maxAgeMs: 86_400_000 }
const at = (ms: number, text = `at ${ms}`) => messageBy(ada, text, { at: NOW + ms })
const texts = (timeline: Timeline): string[] => timeline.messages().map(({ claims }) => claims.text)

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
    expect(timeline.message(event.id)).toBe(event)
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
    const long = (number: number) => at(number, 'x'.repeat(16_000))
    const bytes = long(0).jwt.length
    for (let number = 1_000; number < 1_200; number += 1) timeline.add(long(number), NOW + 1_200)
    expect(timeline.size).toBe(Math.floor((4 * 1024 * 1024) / bytes))
  })
})

describe('changes in the timeline', () => {
  const bob = testAuthor(2)
  const told = (timeline: Timeline): unknown[] =>
    timeline
      .messages()
      .map((message) => [
        (timeline.changes.editOf(message) ?? message).claims.text,
        ...timeline.changes.reactionsTo(message).map(({ claims }) => claims.emoji),
      ])
  const kept = (timeline: Timeline): string[] => timeline.slice(1_000).events.map(({ claims }) => claims.type)
  const message = at(0, 'first')
  const target = message.id
  const edit = (text: string, ms: number, author = ada) =>
    eventBy(author, 'edit', { target, text }, { at: NOW + ms })
  const deletion = (ms: number, author = ada) => eventBy(author, 'delete', { target }, { at: NOW + ms })
  const reaction = (emoji: string, ms: number, author = bob, state: 'add' | 'remove' = 'add') =>
    eventBy(author, 'reaction', { target, emoji, state }, { at: NOW + ms })
  const foldOf = (...events: TimelineEvent[]): Timeline => {
    const timeline = new Timeline(HUGE)
    for (const event of events) timeline.add(event, NOW + 100)
    return timeline
  }

  it('are in effect whether they come before or after their message', () => {
    expect(told(foldOf(message, edit('second', 1), reaction('👍', 2)))).toEqual([['second', '👍']])
    expect(told(foldOf(reaction('👍', 2), edit('second', 1), message))).toEqual([['second', '👍']])
    expect(told(foldOf(deletion(1), message))).toEqual([])
  })

  it('count by the latest one, and only that is kept', () => {
    const timeline = foldOf(
      message,
      edit('third', 2),
      edit('second', 1),
      reaction('👍', 3),
      reaction('👍', 4),
    )
    expect(told(timeline)).toEqual([['third', '👍']])
    expect(kept(timeline)).toEqual(['message', 'edit', 'reaction'])
    expect(timeline.add(edit('second', 1), NOW + 100)).toBe(false)
  })

  it('of text are for its author', () => {
    expect(told(foldOf(message, edit('forged', 1, bob), deletion(2, bob)))).toEqual([['first']])
    expect(told(foldOf(edit('forged', 1, bob), deletion(2, bob), message))).toEqual([['first']])
  })

  it('count only behind their message', () => {
    expect(told(foldOf(message, edit('before', -1), deletion(-2), reaction('👍', -3)))).toEqual([['first']])
    // At the same time the author and the id decide.
    const same = Array.from({ length: 40 }, () => edit('at the same time', 0))
    const [before, behind] = [same.find(({ id }) => id < target), same.find(({ id }) => id > target)]
    if (before === undefined || behind === undefined) throw new Error('40 ids, all on one side')
    expect(told(foldOf(message, before))).toEqual([['first']])
    expect(told(foldOf(message, behind))).toEqual([['at the same time']])
  })

  it('are of no effect on other changes', () => {
    const second = edit('second', 1)
    const onEdit = { target: second.id }
    const timeline = foldOf(
      message,
      second,
      eventBy(ada, 'delete', onEdit, { at: NOW + 2 }),
      eventBy(ada, 'edit', { ...onEdit, text: 'no' }, { at: NOW + 3 }),
      eventBy(ada, 'reaction', { ...onEdit, emoji: '👍', state: 'add' }, { at: NOW + 4 }),
    )
    expect(told(timeline)).toEqual([['second']])
    const gone = deletion(5)
    expect(told(foldOf(message, gone, eventBy(ada, 'delete', { target: gone.id }, { at: NOW + 6 })))).toEqual(
      [],
    )
  })

  it('take the text with them when they delete: message, edits, and what comes later', () => {
    const timeline = foldOf(message, edit('second', 1), deletion(3))
    expect(kept(timeline)).toEqual(['delete'])
    for (const late of [message, edit('second', 1), edit('later than the delete', 4)]) {
      expect(timeline.add(late, NOW + 100)).toBe(false)
      expect(timeline.isOutdone(late)).toBe(true)
    }
    expect(timeline.bytes).toBe(timeline.slice(1).events[0]?.jwt.length)
    expect(timeline.message(target)).toBeUndefined()
  })

  it('of others about a deleted message stay, without effect: who does not know the message keeps them, too', () => {
    const events = [deletion(2), reaction('👍', 3), edit('forged', 4, bob)]
    expect(kept(foldOf(message, ...events))).toEqual(kept(foldOf(...events)))
  })

  it('can be taken back if they are reactions, and made again', () => {
    const events = [reaction('👍', 1), reaction('🎉', 2), reaction('👍', 3, bob, 'remove')]
    expect(told(foldOf(message, ...events))).toEqual([['first', '🎉']])
    expect(told(foldOf(message, ...events, reaction('👍', 4)))).toEqual([['first', '🎉', '👍']])
  })

  it('are reactions by two forms of one letter if these differ', () => {
    expect(told(foldOf(message, reaction('é', 1), reaction('e\u0301', 2)))).toEqual([
      ['first', 'é', 'e\u0301'],
    ])
  })

  it('are forgotten with the window', () => {
    const timeline = foldOf(message, edit('second', 1))
    timeline.prune(NOW + 86_400_002)
    expect([timeline.size, timeline.bytes]).toEqual([0, 0])
    expect(timeline.changes.by(ada.did, target)).toEqual([])
  })

  it('never let a message back that was deleted, also when the window is too full for the delete', () => {
    const timeline = new Timeline({ ...HUGE, maxEvents: 3 })
    const events = [message, deletion(1), at(2), at(3), at(4)]
    for (const event of events) timeline.add(event, NOW + 10)
    expect(kept(timeline)).toEqual(['message', 'message', 'message'])
    // Room is made by a delete; what lies before the place the window was cut at stays out all the same.
    const [newest] = timeline.messages().slice(-1)
    if (newest === undefined) throw new Error('three messages')
    for (const type of ['edit', 'delete'] as const)
      timeline.add(
        eventBy(ada, type, { target: newest.id, text: 'x' } as never, { at: NOW + 9 }) as TimelineEvent,
        NOW + 10,
      )
    expect(timeline.size).toBeLessThan(3)
    expect(timeline.floor?.timestamp).toBe(NOW + 2)
    expect(timeline.add(message, NOW + 10)).toBe(false)
  })
})

describe('a slice of the timeline', () => {
  const timeline = filled({}, [1, 2, 3, 4, 5])
  const event = (index: number): ReturnType<typeof at> => {
    const found = timeline.messages()[index]
    if (found === undefined) throw new Error('no such event')
    return found
  }
  const slice = (...args: Parameters<typeof timeline.slice>): [string[], boolean] => {
    const { events, more } = timeline.slice(...args)
    return [events.map(({ claims }) => ('text' in claims ? claims.text : claims.type)), more]
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
  it('are changes as well as messages', () => {
    const timeline = new Timeline(HUGE)
    const message = at(1)
    const reaction = eventBy(
      ada,
      'reaction',
      { target: message.id, emoji: '👍', state: 'add' },
      { at: NOW + 2, parents: [message.id] },
    )
    for (const event of [message, reaction]) timeline.add(event, NOW + 10)
    expect(timeline.heads()).toEqual([reaction.id])
    expect(timeline.lastTimestamp).toBe(NOW + 2)
  })

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

  it.each(['the message', 'its deletion'])(
    'do not come back where what was built on them is deleted, and are reached through it: %s comes first',
    (order) => {
      const timeline = new Timeline(HUGE)
      const first = at(1)
      const deleted = messageBy(ada, 'deleted', { at: NOW + 2, parents: [first.id] })
      const next = messageBy(ada, 'next', { at: NOW + 3, parents: [deleted.id] })
      const deletion = eventBy(ada, 'delete', { target: deleted.id }, { at: NOW + 4, parents: [next.id] })
      const events = [first, deleted, next, deletion]
      for (const event of order === 'the message' ? events : events.reverse()) timeline.add(event, NOW + 10)
      expect(timeline.message(deleted.id)).toBeUndefined()
      expect(timeline.heads()).toEqual([deletion.id])
      expect(timeline.ancestors([deletion.id], NOW)).toEqual(new Set([deletion.id, next.id, first.id]))
    },
  )

  it('are 8 at most, the newest', () => {
    const timeline = filled({}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    const newest = timeline.slice(8).events.map(({ id }) => id)
    expect(timeline.heads()).toEqual([...newest].sort())
  })

  it('leave out what builds on something that is missing, however far back, and are whole when it has come', () => {
    const timeline = new Timeline(HUGE)
    const missing = at(1)
    const [apart, child] = [at(2), messageBy(ada, 'child', { at: NOW + 3, parents: [missing.id] })]
    const grandchild = messageBy(ada, 'grandchild', { at: NOW + 4, parents: [apart.id, child.id].sort() })
    // A clock that is slow: it sorts before what it builds on.
    const early = messageBy(ada, 'early', { at: NOW, parents: [grandchild.id] })
    for (const event of [apart, child, grandchild, early]) timeline.add(event, NOW)
    expect(timeline.missing()).toEqual([missing.id])
    expect(timeline.heads(timeline.missing())).toEqual([apart.id])
    expect(timeline.heads()).toEqual([early.id])
    timeline.add(missing, NOW)
    expect(timeline.missing()).toEqual([])
    expect(timeline.heads(timeline.missing())).toEqual([early.id])
  })

  it('look at each event a few times, also where each is dated before what it builds on', () => {
    const timeline = new Timeline(HUGE)
    let [parent, looks] = [at(1).id, 0]
    for (let number = 0; number < 100; number += 1) {
      const event = unsignedBy(ada, 'message', { text: 'x' }, { at: NOW - number, parents: [parent] })
      const { parents } = event.claims
      const look = (): EventId[] => {
        looks += 1
        return parents
      }
      Object.defineProperty(event.claims, 'parents', { get: look })
      timeline.add(event, NOW)
      parent = event.id
    }
    looks = 0
    expect(timeline.heads(timeline.missing())).toEqual([])
    expect(looks).toBeLessThan(500)
  })

  it('know what is missing: what an event names, and what was neither here nor had to go', () => {
    const timeline = new Timeline({ ...HUGE, maxEvents: 2 })
    const [first, second] = [at(1), at(2)]
    const child = messageBy(ada, 'child', { at: NOW + 3, parents: [first.id, second.id].sort() })
    timeline.add(child, NOW)
    expect(timeline.missing()).toEqual([first.id, second.id].sort())
    timeline.add(first, NOW)
    expect(timeline.missing()).toEqual([second.id])
    timeline.add(at(4), NOW) // the first one goes
    expect([timeline.get(first.id), timeline.missing()]).toEqual([undefined, [second.id]])
    timeline.add(at(5), NOW) // the child goes, and with it what it named
    expect(timeline.missing()).toEqual([])
  })

  it('do not miss what was deleted or replaced, also where somebody names it who had not heard of that', () => {
    const timeline = new Timeline(HUGE)
    const message = at(1)
    const react = (ms: number, state: 'add' | 'remove', parents: EventId[]) =>
      eventBy(ada, 'reaction', { target: message.id, emoji: '👍', state }, { at: NOW + ms, parents })
    const reaction = react(2, 'add', [message.id])
    const deletion = eventBy(ada, 'delete', { target: message.id }, { at: NOW + 4, parents: [message.id] })
    for (const event of [message, reaction, react(3, 'remove', [reaction.id]), deletion])
      timeline.add(event, NOW)
    expect(timeline.missing()).toEqual([])
    const parents = [message.id, reaction.id].sort()
    timeline.add(messageBy(ada, 'answer', { at: NOW + 5, parents }), NOW)
    expect(timeline.missing()).toEqual([])
  })

  it('forget that 2,000 later events had to go', () => {
    const timeline = new Timeline({ ...HUGE, maxEvents: 1 })
    const [first] = Array.from({ length: 2_002 }, (_, number) => {
      const event = unsignedBy(ada, 'message', { text: 'x' }, { at: NOW + number })
      timeline.add(event, NOW)
      return event
    })
    expect(timeline.knows(first?.id as EventId)).toBe(false)
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

  it('begins at a whole millisecond: two who mean different places by one bound would compare without end', () => {
    expect(new Timeline().beginning(NOW + 0.9).timestamp).toBe(NOW - 86_400_000)
  })
})
