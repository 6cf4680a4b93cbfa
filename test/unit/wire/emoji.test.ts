import { describe, expect, it } from 'vitest'
import { isEmoji } from '../../../src/wire/emoji.ts'
import { byteLength } from '../../../src/wire/json.ts'

const KISS = '\u{1f469}\u{1f3fb}\u200d\u2764\ufe0f\u200d\u{1f48b}\u200d\u{1f469}\u{1f3fc}'
const FAMILY = '\u{1f468}\u{1f3fb}\u200d\u{1f469}\u{1f3fb}\u200d\u{1f467}\u{1f3fb}\u200d\u{1f466}\u{1f3fb}'

describe('the emoji of a reaction', () => {
  it.each([
    ['a plain one', '\u{1f44d}'],
    ['one with a skin tone', '\u{1f44d}\u{1f3fd}'],
    ['one without a variation selector', '\u2764'],
    ['one with it', '\u2764\ufe0f'],
    ['a keycap', '1\ufe0f\u20e3'],
    ['the keycap of a hash', '#\ufe0f\u20e3'],
    ['a country', '\u{1f1e8}\u{1f1ed}'],
    ['a part of a country', '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}'],
    ['a flag of joined parts', '\u{1f3f3}\ufe0f\u200d\u{1f308}'],
    ['the longest of Unicode', KISS],
    ['the longest that is drawn', FAMILY],
    ['a letter', 'x'],
    ['a letter of another script', '\u05d0'],
    ['a letter with its accent', '\u00e9'],
    ['a letter and an accent', 'e\u0301'],
    ['one that Unicode does not know yet', '\u{1fafc}'],
  ])('may be %s', (_what, text) => {
    expect(isEmoji(text)).toBe(true)
  })

  it.each([
    ['nothing', ''],
    ['two of them', '\u{1f44d}\u{1f44d}'],
    ['two letters', 'ok'],
    ['a space', ' '],
    ['a line feed', '\n'],
    ['one and a line feed', '\u{1f44d}\n'],
    ['a no-break space', '\u00a0'],
    ['a wide space', '\u3000'],
    ['a control', '\u0007'],
    ['a late control', '\u0085'],
    ['a delete', '\u007f'],
    ['a turn to the left', '\u202e'],
    ['an isolate', '\u2066'],
    ['an Arabic letter mark', '\u061c'],
    ['one after a turn to the left', '\u202e\u{1f44d}'],
    ['one before a turn to the left', '\u{1f44d}\u202e'],
    ['a zero-width space', '\u200b'],
    ['a joiner', '\u200d'],
    ['a joiner before it', '\u200d\u{1f44d}'],
    ['a joiner after it', '\u{1f44d}\u200d'],
    ['two joiners between', '\u{1f44d}\u200d\u200d\u{1f44d}'],
    ['a byte order mark', '\ufeff'],
    ['an accent alone', '\u0301'],
    ['a variation selector alone', '\ufe0f'],
    ['a skin tone alone', '\u{1f3fd}'],
    ['half a country', '\u{1f1e8}'],
    ['a country and a half', '\u{1f1e8}\u{1f1ed}\u{1f1e8}'],
    ['a Hangul filler', '\u3164'],
    ['a blank of Braille', '\u2800'],
    ['a tag', '\u{e0067}'],
    ['a lone surrogate', '\ud83d'],
    ['one with a lone surrogate after it', '\u{1f44d}\udc4d'],
    ['more than 64 bytes', `e${'\u0301'.repeat(32)}`],
    ['something that is no text', ['\u{1f44d}']],
  ])('is not %s', (_what, text) => {
    expect(isEmoji(text)).toBe(false)
  })

  it('has room for the longest there are, and ends at 64 bytes', () => {
    expect([byteLength(KISS), byteLength(FAMILY)]).toEqual([35, 41])
    expect(byteLength(`\u00e9${'\u0301'.repeat(31)}`)).toBe(64)
    expect(isEmoji(`\u00e9${'\u0301'.repeat(31)}`)).toBe(true)
    expect(isEmoji(`\u2764${'\u0301'.repeat(31)}`)).toBe(false)
  })

  it('is found fast, however it is made', () => {
    const started = performance.now()
    for (const text of [
      '\u{1f44d}\u200d'.repeat(100_000),
      'e\u0301'.repeat(100_000),
      '\u0301'.repeat(100_000),
    ])
      expect(isEmoji(text)).toBe(false)
    expect(performance.now() - started).toBeLessThan(500)
  })
})
