import { describe, expect, it } from 'vitest'
import { parseTopic, topicOf } from '../../../src/wire/topic.ts'
import { codeOf } from '../../support/world.ts'

describe('topicOf', () => {
  it.each([
    ['my-dapp', 'lobby', '3box.chat.my-dapp.lobby'],
    ['a.b', 'c', '3box.chat.a%2Eb.c'],
    ['a', 'b.c', '3box.chat.a.b%2Ec'],
    ['100%', '%2E', '3box.chat.100%25.%252E'],
    ['é', 'e\u0301', '3box.chat.%C3%A9.e%CC%81'],
    ['🦊', ' ', '3box.chat.%F0%9F%A6%8A.%20'],
    ["!~*'()", 'A', '3box.chat.%21%7E%2A%27%28%29.A'],
    ['a/b', 'c#d?e', '3box.chat.a%2Fb.c%23d%3Fe'],
  ])('%j, %j → %s', (space, room, topic) => {
    expect(topicOf(space, room)).toBe(topic)
  })

  it('keeps letters apart that look alike: case and Unicode normal forms', () => {
    const names = ['cafe\u0301', 'caf\u00e9', 'Caf\u00e9', 'CAFE\u0301']
    expect(new Set(names.map((name) => topicOf('dapp', name))).size).toBe(names.length)
  })

  it('allows 255 bytes and not one more', async () => {
    const room = 'x'.repeat(255 - '3box.chat.a.'.length)
    expect(topicOf('a', room)).toHaveLength(255)
    expect(await codeOf(() => topicOf('a', `${room}x`))).toBe('invalid-name')
  })

  it('counts a character as the bytes it takes in the topic', async () => {
    // 🦊 is 12 characters of percent-encoding.
    const most = Math.floor((255 - '3box.chat.a.'.length) / 12)
    expect(topicOf('a', '🦊'.repeat(most)).length).toBeLessThanOrEqual(255)
    expect(await codeOf(() => topicOf('a', '🦊'.repeat(most + 1)))).toBe('invalid-name')
  })

  it.each([
    ['an empty space', '', 'room'],
    ['an empty room', 'space', ''],
    ['a lone high surrogate', 'space', 'a\ud83e'],
    ['a lone low surrogate', '\udd8a', 'room'],
    ['a number', 7, 'room'],
    ['undefined', 'space', undefined],
    ['an object', { toString: () => 'space' }, 'room'],
  ])('refuses %s', async (_what, space, room) => {
    expect(await codeOf(() => topicOf(space as string, room as string))).toBe('invalid-name')
  })
})

describe('parseTopic', () => {
  it.each([
    ['my-dapp', 'lobby'],
    ['a.b', 'c.d'],
    ['%', '%25'],
    ['é', 'e\u0301'],
    ['__proto__', 'constructor'],
  ])('finds %j and %j again', (space, room) => {
    expect(parseTopic(topicOf(space, room))).toEqual({ space, room })
  })

  it.each([
    ['another prefix', '3box.talk.a.b'],
    ['a prefix in capitals', '3BOX.chat.a.b'],
    ['nothing', ''],
    ['the prefix alone', '3box.chat.'],
    ['one name', '3box.chat.a'],
    ['three names', '3box.chat.a.b.c'],
    ['an empty space', '3box.chat..b'],
    ['an empty room', '3box.chat.a.'],
    ['hexadecimal digits in small letters', '3box.chat.a%2eb.c'],
    ['an escape that is not needed', '3box.chat.%61.b'],
    ['a character that must be escaped', '3box.chat.a!.b'],
    ['a space character', '3box.chat.a b.c'],
    ['a letter outside ASCII', '3box.chat.é.b'],
    ['half an escape', '3box.chat.a%2.b'],
    ['an escape that is no UTF-8', '3box.chat.%FF.b'],
    ['an overlong escape', '3box.chat.%C0%AE.b'],
    ['an escaped surrogate', '3box.chat.%ED%A0%80.b'],
    ['more than 255 bytes', `3box.chat.a.${'x'.repeat(255)}`],
    ['a final line feed', '3box.chat.a.b\n'],
  ])('refuses %s', (_what, topic) => {
    expect(parseTopic(topic)).toBeUndefined()
  })
})
