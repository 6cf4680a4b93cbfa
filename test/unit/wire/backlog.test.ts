import { describe, expect, it } from 'vitest'
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from '../../../src/wire/backlog.ts'
import { eventId } from '../../../src/wire/event-id.ts'
import { messageBy, NOW, testAuthor } from '../../support/authors.ts'

const utf8 = new TextEncoder()
const before = { timestamp: NOW, author: testAuthor(1).did, id: eventId('x') }

describe('a backlog request', () => {
  it.each([
    [{ limit: 0, roster: true }],
    [{ limit: 100, roster: false }],
    [{ limit: 50, roster: true, before }],
  ])('%j comes out as it went in', (request) => {
    expect(decodeRequest(encodeRequest(request))).toEqual(request)
  })

  it.each([
    ['nothing', ''],
    ['no JSON', 'limit=5'],
    ['a list', '[]'],
    ['no limit', '{"roster":true}'],
    ['no roster', '{"limit":5}'],
    ['a negative limit', '{"limit":-1,"roster":true}'],
    ['a limit over 100', '{"limit":101,"roster":true}'],
    ['half an event', '{"limit":1.5,"roster":true}'],
    ['another spelling of the limit', '{"limit":1e1,"roster":true}'],
    ['a limit that is text', '{"limit":"5","roster":true}'],
    ['another order', '{"roster":true,"limit":5}'],
    ['an unknown key', '{"limit":5,"roster":true,"all":true}'],
    ['a key twice', '{"limit":9,"limit":5,"roster":true}'],
    ['white space', '{"limit":5, "roster":true}'],
    ['a place without an author', '{"limit":5,"roster":true,"before":{"timestamp":1,"id":"x"}}'],
    [
      'a place with a key too many',
      '{"limit":5,"roster":true,"before":{"timestamp":1,"author":"a","id":"x","y":1}}',
    ],
    [
      'a place between two milliseconds',
      '{"limit":5,"roster":true,"before":{"timestamp":1.5,"author":"a","id":"x"}}',
    ],
    ['no place', '{"limit":5,"roster":true,"before":null}'],
  ])('refuses %s', (_what, text) => {
    expect(decodeRequest(utf8.encode(text))).toBeUndefined()
  })

  it('refuses bytes that are not UTF-8, and a byte order mark', () => {
    expect(decodeRequest(new Uint8Array([0xff]))).toBeUndefined()
    expect(decodeRequest(utf8.encode('\ufeff{"limit":5,"roster":true}'))).toBeUndefined()
  })
})

describe('a backlog answer', () => {
  it.each([
    [{ kind: 'events', jwts: [messageBy(testAuthor(1), 'hello').jwt] }],
    [{ kind: 'done', more: true }],
    [{ kind: 'done', more: false }],
    [{ kind: 'busy' }],
  ] as const)('%j comes out as it went in', (answer) => {
    expect(decodeAnswer(encodeAnswer(answer as Parameters<typeof encodeAnswer>[0]))).toEqual(answer)
  })

  it.each([
    ['nothing', ''],
    ['an unknown kind', '{"later":true}'],
    ['white space', '{"busy": true}'],
    ['not busy', '{"busy":false}'],
    ['an end without more', '{"done":true}'],
    ['two lines that are the same', 'a\na'],
  ])('refuses %s', (_what, text) => {
    expect(decodeAnswer(utf8.encode(text))).toBeUndefined()
  })

  it('refuses bytes that are not UTF-8', () => {
    expect(decodeAnswer(new Uint8Array([0x7b, 0xff]))).toBeUndefined()
  })
})
