import { describe, expect, it } from 'vitest'
import { cleanLine, cleanName, graphemesOf } from '../../../examples/chat/src/display-name.ts'

describe('a name as the example shows it', () => {
  it.each([
    ['a zero width', 'A\u200bda'],
    ['a joiner', 'A\u200dda'],
    ['a word joiner', 'A\u2060da'],
    ['a soft hyphen', 'A\u00adda'],
    ['a byte order mark', '\ufeffAda'],
    ['a variation selector', 'Ada\ufe0f'],
    ['a filler that shows nothing', 'Ada\u3164'],
    ['a blank braille cell', 'Ada\u2800'],
    ['a tag', 'Ada\u{e0041}'],
    ['a control', 'A\u0007da'],
    ['half a character', 'Ada\ud83d'],
    ['white space around', ' \u00a0Ada\u3000'],
    ['a line break', 'Ada\n\u2028'],
  ])('is the same with %s in it: nobody is called something else that looks alike', (_what, name) => {
    expect(cleanName(name)).toBe('Ada')
  })

  it.each(['\u202e', '\u202d', '\u202a', '\u2066', '\u2067', '\u2068', '\u200e', '\u200f', '\u061c'])(
    'turns no text around it: %j',
    (mark) => {
      expect(cleanName(`${mark}Ada`)).toBe('Ada')
      expect(cleanLine(`Ada ${mark}said`)).toBe('Ada said')
    },
  )

  it.each([
    ['é', 'e\u0301'],
    ['Å', '\u212b'],
    ['ṩ', 's\u0307\u0323'],
    ['é', 'e\u200d\u0301'],
    ['é', 'e\u2060\u0301'],
    ['한', '\u1112\u1161\u11ab'],
  ])('is composed, so that %s is one name however it is written', (composed, written) => {
    expect(cleanName(written)).toBe(composed.normalize('NFC'))
  })

  it('is one line with single blanks, and 32 characters at most as people count them', () => {
    expect(cleanName('  Ada \t\n\u00a0 Lovelace ')).toBe('Ada Lovelace')
    expect(graphemesOf(cleanName('é'.repeat(40)))).toHaveLength(32)
    expect(cleanName(`${'x'.repeat(31)} y`)).toBe('x'.repeat(31))
    expect(cleanName('👩🏽🇨🇭')).toBe('👩🏽🇨🇭')
  })

  it('does not climb out of its line', () => {
    expect(cleanName(`a${'\u0300'.repeat(50)}`).normalize('NFD').length).toBeLessThanOrEqual(5)
  })

  it('is nothing where nothing of it shows', () => {
    expect(cleanName('\u200b\u202e\ufeff\u3164 \n')).toBe('')
  })
})
