import { beforeEach, describe, expect, it } from 'vitest'
import type { Message } from '../../../src/room/message.ts'
import { Messages } from '../../../src/room/messages.ts'
import { Timeline, type TimelineEvent } from '../../../src/room/timeline.ts'
import { Visibility } from '../../../src/room/visibility.ts'
import { eventBy, messageBy, NOW, type TestAuthor, testAuthor } from '../../support/authors.ts'

const ada = testAuthor(1)
const bob = testAuthor(2)
const carol = testAuthor(3)
const event = messageBy(ada, 'first')
const target = event.id

let timeline: Timeline
let visibility: Visibility
let messages: Messages
let told: string[]

beforeEach(() => {
  told = []
  timeline = new Timeline()
  visibility = new Visibility(() => told.push('a filter threw'))
  messages = new Messages({
    timeline,
    visibility,
    now: () => NOW + 1_000,
    listener: {
      message: ({ text }) => told.push(`message ${text}`),
      messageUpdated: ({ text, reactions }) => told.push(`updated ${text}${[...reactions.keys()].join('')}`),
      messageDeleted: ({ text, isDeleted }) => told.push(isDeleted ? `deleted ${text}` : `hidden ${text}`),
    },
  })
})

const edit = (text: string, ms: number, author = ada): TimelineEvent =>
  eventBy(author, 'edit', { target, text }, { at: NOW + ms })
const deletion = (ms: number, author = ada): TimelineEvent =>
  eventBy(author, 'delete', { target }, { at: NOW + ms })
const reaction = (author: TestAuthor, emoji: string, ms: number, state: 'add' | 'remove' = 'add') =>
  eventBy(author, 'reaction', { target, emoji, state }, { at: NOW + ms })

/** Takes in events as they come live. Answers the message they are about. */
function live(...events: TimelineEvent[]): Message | undefined {
  for (const each of events)
    for (const { text } of messages.reveal(messages.add(each))) told.push(`message ${text}`)
  return messages.get(target)
}

function shown(...events: TimelineEvent[]): Message {
  const message = live(event, ...events)
  if (message === undefined) throw new Error('the message is gone')
  return message
}

describe('a message that is edited', () => {
  it('is the same object with the new text, and that is told', () => {
    const message = shown()
    const { jwt } = message
    expect([message.text, message.editedAt]).toEqual(['first', undefined])
    expect(live(edit('second', 5))).toBe(message)
    expect([message.text, `${message}`, message.editedAt]).toEqual(['second', 'second', NOW + 5])
    expect(message.jwt).toBe(jwt)
    expect(message.timestamp).toBe(NOW)
    expect(told).toEqual(['message first', 'updated second'])
  })

  it('comes with its last text where the edit was there before it, and once', () => {
    const message = live(edit('third', 2), edit('second', 1), event)
    expect(message?.text).toBe('third')
    expect(told).toEqual(['message third'])
  })

  it('is not told of again where nothing changes: by somebody else, earlier, or the same again', () => {
    shown(edit('second', 5))
    live(edit('forged', 6, bob), edit('earlier', 4), deletion(7, bob))
    expect(told).toEqual(['message first', 'updated second'])
  })
})

describe('a message that is deleted', () => {
  it('says so, and has neither text nor reactions nor JWT any more', () => {
    const message = shown(edit('second', 1), reaction(bob, '👍', 2))
    told = []
    expect(live(deletion(3))).toBeUndefined()
    expect(message).toMatchObject({ isDeleted: true, text: '', jwt: '', editedAt: undefined, id: target })
    expect(`${message}`).toBe('')
    expect([...message.reactions]).toEqual([])
    expect(JSON.stringify(message)).not.toMatch(/first|second|👍/)
    expect(told).toEqual(['deleted '])
  })

  it('stays so, whatever comes later', () => {
    const message = shown()
    live(deletion(1), edit('back', 2), reaction(bob, '👍', 3), event)
    expect([message.isDeleted, message.text, message.reactions.size]).toEqual([true, '', 0])
    expect(messages.newest(10)).toEqual([])
    expect(told).toEqual(['message first', 'deleted '])
  })

  it('is never told of where the delete came first', () => {
    expect(live(deletion(1), event)).toBeUndefined()
    expect(told).toEqual([])
  })

  it('does not get a status any more', () => {
    const own = messageBy(ada, 'mine')
    const message = messages.expect(own)
    live(own, eventBy(ada, 'delete', { target: own.id }, { at: NOW + 1 }))
    told = []
    messages.setStatus(own.id, 'sent')
    expect([message.status, told]).toEqual(['queued', []])
  })
})

describe('reactions', () => {
  it('are listed by emoji, in the order in which they were made, wherever they come from', () => {
    const message = shown(reaction(bob, '🎉', 2), reaction(carol, '👍', 1), reaction(ada, '🎉', 3))
    expect([...message.reactions]).toEqual([
      ['👍', [carol.did]],
      ['🎉', [bob.did, ada.did]],
    ])
    expect(JSON.parse(JSON.stringify(message))).toMatchObject({ reactions: { '🎉': [bob.did, ada.did] } })
  })

  it('go with the last one who takes it back', () => {
    const message = shown(reaction(bob, '👍', 1), reaction(bob, '👍', 2, 'remove'))
    expect([...message.reactions]).toEqual([])
    expect(told).toEqual(['message first', 'updated first👍', 'updated first'])
  })

  it('move to the end where they are made again, and that is a change', () => {
    const message = shown(reaction(bob, '👍', 1), reaction(carol, '👍', 2), reaction(carol, '🎉', 3))
    told = []
    live(reaction(bob, '👍', 4))
    expect(message.reactions.get('👍')).toEqual([carol.did, bob.did])
    live(reaction(carol, '👍', 5), reaction(bob, '👍', 6))
    expect([...message.reactions]).toEqual([
      ['🎉', [carol.did]],
      ['👍', [carol.did, bob.did]],
    ])
    expect(told).toEqual(['updated first👍🎉', 'updated first🎉👍', 'updated first🎉👍'])
  })

  it('of one DID are in the order in which it made them last', () => {
    const message = shown(reaction(bob, '👍', 1), reaction(bob, '🎉', 2))
    live(reaction(bob, '👍', 3))
    expect([...message.reactions.keys()]).toEqual(['🎉', '👍'])
    expect(told.at(-1)).toBe('updated first🎉👍')
  })

  it('of which one takes the place of another are a change', () => {
    visibility.mute(carol.did)
    const message = shown(reaction(bob, '👍', 1), reaction(carol, '👍', 2))
    told = []
    visibility.mute(bob.did)
    visibility.unmute(carol.did)
    messages.review()
    expect([...message.reactions]).toEqual([['👍', [carol.did]]])
    expect(told).toEqual(['updated first👍'])
  })

  it('make another map of it, and leave the one that was handed out as it was', () => {
    const message = shown(reaction(bob, '👍', 1))
    const before = message.reactions
    live(reaction(carol, '👍', 2))
    expect(message.reactions).not.toBe(before)
    expect(before.get('👍')).toEqual([bob.did])
  })

  it('of a muted DID are not shown and not told of, until it is unmuted', () => {
    const message = shown(reaction(bob, '👍', 1), reaction(carol, '🎉', 2))
    told = []
    visibility.mute(bob.did)
    messages.review()
    expect([...message.reactions.keys()]).toEqual(['🎉'])
    live(reaction(bob, '🦊', 3))
    expect(told).toEqual(['updated first🎉'])
    visibility.unmute(bob.did)
    messages.review()
    expect(told).toEqual(['updated first🎉', 'updated first👍🎉🦊'])
  })
})

describe('a muted author', () => {
  it('edits without that it is shown, until it is unmuted', () => {
    const message = shown()
    visibility.mute(ada.did)
    messages.review()
    live(edit('second', 1))
    expect([message.text, told]).toEqual(['first', ['message first']])
    visibility.unmute(ada.did)
    messages.review()
    expect([message.text, told]).toEqual(['second', ['message first', 'updated second']])
  })

  it('deletes all the same', () => {
    const message = shown()
    visibility.mute(ada.did)
    live(deletion(1))
    expect([message.isDeleted, told]).toEqual([true, ['message first', 'deleted ']])
  })
})

describe('a filter', () => {
  beforeEach(() => {
    visibility.addFilter(({ text }) => !text.includes('spam'))
  })

  it('hides a message that is edited into what it refuses, and shows it when that is edited again', () => {
    shown(edit('spam', 1), reaction(bob, '👍', 2))
    expect(messages.newest(10)).toEqual([])
    live(edit('ham', 3))
    expect(told).toEqual(['message first', 'hidden spam', 'updated ham👍'])
    expect(messages.newest(10)).toHaveLength(1)
  })

  it('lets a message in that was refused before it was edited, as a message, once', () => {
    live(messageBy(ada, 'spam'))
    const refused = timeline.messages()[0]
    if (refused === undefined) throw new Error('no message')
    const change = (text: string, ms: number): TimelineEvent =>
      eventBy(ada, 'edit', { target: refused.id, text }, { at: NOW + ms })
    live(change('more spam', 1), change('ham', 2), change('more ham', 3))
    expect(told).toEqual(['message ham', 'updated more ham'])
  })

  it('that is gone leaves what it refused to the next backlog: a reaction does not bring it', () => {
    const off = visibility.addFilter(() => false)
    shown()
    off()
    live(reaction(bob, '👍', 1))
    expect(told).toEqual([])
    expect(messages.newest(10)).toHaveLength(1)
    live(reaction(bob, '🎉', 2))
    expect(told).toEqual(['updated first👍🎉'])
  })

  it('keeps a refused message silent: neither a reaction nor its delete is told', () => {
    shown(edit('spam', 1))
    told = []
    live(reaction(bob, '👍', 2), deletion(3))
    expect(told).toEqual([])
  })
})

describe('a message of the history that is being collected', () => {
  it('changes silently until it is revealed', () => {
    const collected = messages.add(event)
    live(edit('second', 1), reaction(bob, '👍', 2))
    expect(told).toEqual([])
    expect(messages.reveal(collected).map(({ text }) => text)).toEqual(['second'])
    live(edit('third', 3))
    expect(told).toEqual(['updated third👍'])
  })

  it('is not revealed if it was deleted meanwhile', () => {
    const collected = messages.add(event)
    live(deletion(1))
    expect(messages.reveal(collected)).toEqual([])
    expect(told).toEqual([])
  })

  it('is known also where the application asked for it', () => {
    messages.add(event)
    expect(messages.newest(10)).toHaveLength(1)
    live(edit('second', 1))
    expect(told).toEqual(['updated second'])
  })
})

describe('a message that is still being collected', () => {
  it('is counted, and nothing is told of it before it is handed out', () => {
    const [message] = messages.add(event)
    expect(messages.count()).toBe(1)
    messages.add(edit('second', 5))
    expect([message?.text, told]).toEqual(['second', []])
    expect(messages.newest(1)).toEqual([message])
    messages.add(edit('third', 6))
    expect(told).toEqual(['updated third'])
  })

  it('is not counted while it is hidden', () => {
    messages.add(event)
    visibility.mute(ada.did)
    expect(messages.count()).toBe(0)
  })
})
