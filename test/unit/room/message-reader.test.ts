import { describe, expect, it } from 'vitest'
import { Message } from '../../../src/room/message.ts'
import { MessageReader } from '../../../src/room/message-reader.ts'
import { messageBy, testAuthor } from '../../support/authors.ts'
import { codeOf, settles } from '../../support/world.ts'

const message = (text: string): Message => new Message(messageBy(testAuthor(1), text), 'sent')

function open(max = 3): { reader: MessageReader; ends: () => number } {
  let ended = 0
  const reader = new MessageReader(max, () => {
    ended += 1
  })
  return { reader, ends: () => ended }
}

async function text(result: Promise<IteratorResult<Message, undefined>>): Promise<string> {
  const { done, value } = await result
  return done ? 'done' : value.text
}

describe('a reader of messages', () => {
  it('gets them in order, waiting or not', async () => {
    const { reader } = open()
    reader.push(message('1'))
    expect(await text(reader.next())).toBe('1')
    const waiting = reader.next()
    reader.push(message('2'))
    expect(await text(waiting)).toBe('2')
  })

  it('gets what was kept, then the end', async () => {
    const { reader, ends } = open()
    reader.push(message('1'))
    reader.end()
    reader.end()
    reader.push(message('2'))
    expect([await text(reader.next()), await text(reader.next()), await text(reader.next())]).toEqual([
      '1',
      'done',
      'done',
    ])
    expect(ends()).toBe(1)
  })

  it('is woken by the end', async () => {
    const { reader } = open()
    const waiting = reader.next()
    reader.end()
    expect(await text(waiting)).toBe('done')
  })

  it('that is too slow gets what was kept, then an error, then the end', async () => {
    const { reader, ends } = open(2)
    for (const body of ['1', '2', '3', '4']) reader.push(message(body))
    expect(ends()).toBe(1)
    expect([await text(reader.next()), await text(reader.next())]).toEqual(['1', '2'])
    expect(await codeOf(() => reader.next())).toBe('reader-too-slow')
    expect(await text(reader.next())).toBe('done')
  })

  it('that breaks off ends and lets go of what waited', async () => {
    const { reader, ends } = open()
    reader.push(message('1'))
    reader.push(message('2'))
    for await (const first of reader) {
      expect(first.text).toBe('1')
      break
    }
    expect(ends()).toBe(1)
    expect(await text(reader.next())).toBe('done')
  })

  it('may ask for several at once', async () => {
    const { reader } = open()
    const asked = [reader.next(), reader.next(), reader.next()]
    reader.push(message('1'))
    reader.push(message('2'))
    expect(await settles(Promise.all(asked.slice(0, 2)))).toBe(true)
    reader.end()
    expect(await settles(Promise.all(asked))).toBe(true)
    expect((await Promise.all(asked.map(text))).sort()).toEqual(['1', '2', 'done'])
  })

  it('gets them in the order it asked, also who asks again before the first answer came', async () => {
    const { reader } = open(1)
    const first = reader.next()
    reader.push(message('1'))
    const second = reader.next()
    reader.push(message('2'))
    expect([await text(first), await text(second)]).toEqual(['1', '2'])
  })
})
