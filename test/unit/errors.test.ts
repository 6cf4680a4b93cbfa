import { describe, expect, it } from 'vitest'
import { describe as describeThrown, GhostChatError } from '../../src/errors.ts'

const withCode = Object.assign(new Error(''), { code: 'ECONNREFUSED' })

describe('describe', () => {
  it.each([
    ['an error', new Error('broken'), 'broken'],
    ['an error of ours', new GhostChatError('invalid-name', 'no name'), 'no name'],
    [
      'an error with a cause',
      new TypeError('fetch failed', { cause: new Error('refused') }),
      'fetch failed (refused)',
    ],
    [
      'an error with a cause that has only a code',
      new Error('failed', { cause: withCode }),
      'failed (ECONNREFUSED)',
    ],
    ['an error with a cause that is none', new Error('failed', { cause: 'a text' }), 'failed'],
    ['an object with a message', { type: 'error', message: 'no connection' }, 'no connection'],
    ['an object with a message that is no text', { message: 5 }, '[object Object]'],
    ['an event with an error', { type: 'error', error: new Error('refused') }, 'refused'],
    ['an event without anything', new Event('error'), "an event of type 'error'"],
    ['a text', 'broken', 'broken'],
    ['what has no text', Object.create(null), 'something that has no text'],
    ['nothing', undefined, 'undefined'],
    ['null', null, 'null'],
  ])('gives the text of %s', (_what, thrown, text) => {
    expect(describeThrown(thrown)).toBe(text)
  })
})
