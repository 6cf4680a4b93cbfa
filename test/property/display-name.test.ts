import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cleanName, graphemesOf } from '../../examples/chat/src/display-name.ts'
import { property } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const invisible = fc.constantFrom(
  '\u200b',
  '\u200d',
  '\u202e',
  '\u2066',
  '\ufeff',
  '\u00ad',
  '\u3164',
  '\u0000',
  '\u{e0041}',
)
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({
    unit: fc.constantFrom(
      'a',
      'e',
      '\u0301',
      '\u0323',
      '\u1112',
      '\u1161',
      '\u11ab',
      '\u200d',
      ' ',
      '👩',
      '🏽',
      '🇨',
      'א',
    ),
    maxLength: 60,
  }),
)

describe('a name as the example shows it', () => {
  it('is composed, on one line, short, without anything that does not show, and clean for good', () => {
    fc.assert(
      property(text, (name) => {
        const clean = cleanName(name)
        expect(cleanName(clean)).toBe(clean)
        expect(clean.normalize('NFC')).toBe(clean)
        expect(clean).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|^\s|\s$/u)
        expect(graphemesOf(clean).length).toBeLessThanOrEqual(32)
      }),
      runs(500),
    )
  })

  it('is the same with something invisible anywhere in it, and in either form of Unicode', () => {
    fc.assert(
      property(text, fc.nat(), invisible, (name, at, mark) => {
        const characters = [...name]
        characters.splice(at % (characters.length + 1), 0, mark)
        expect(cleanName(characters.join(''))).toBe(cleanName(name))
        expect(cleanName(name.normalize('NFD'))).toBe(cleanName(name))
      }),
      runs(500),
    )
  })
})
