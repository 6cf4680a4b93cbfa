import { describe, expect, it } from 'vitest'
import { byteLength, isJsonValue, isRecord } from '../../../src/wire/json.ts'

describe('isJsonValue', () => {
  it.each([[null], [true], [0], [-1.5], ['text'], [[]], [[1, ['a', null]]], [{ a: { b: [] } }]])(
    'accepts %j',
    (value) => {
      expect(isJsonValue(value)).toBe(true)
    },
  )

  it.each([
    ['undefined', undefined],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a lone surrogate', '\ud800'],
    ['a boxed text', new String('a')],
    ['a list with undefined', [undefined]],
  ])('refuses %s', (_what, value) => {
    expect(isJsonValue(value)).toBe(false)
  })

  it('stops at its depth', () => {
    expect(isJsonValue([[1]], 2)).toBe(true)
    expect(isJsonValue([[[1]]], 2)).toBe(false)
  })
})

describe('isRecord and byteLength', () => {
  it('knows objects and bytes', () => {
    expect([{}, [], null, 'a', 1].map(isRecord)).toEqual([true, false, false, false, false])
    expect(byteLength('aé🦊')).toBe(7)
  })
})
