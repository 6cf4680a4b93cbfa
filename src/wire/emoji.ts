import { EMOJI_MAX_BYTES } from '../limits.ts'
import { byteLength } from './json.ts'

/**
 * What goes with the character before it: combining marks, keycaps, variation selectors, skin tones, the tags of flags.
 * Written out, like all that follows, and not taken from a Unicode property: engines have different versions of Unicode,
 * and a reaction that one accepts and another rejects would split the mesh.
 */
const EXTENDING = '\\u0300-\\u036f\\u20d0-\\u20ff\\ufe00-\\ufe0f\\u{1f3fb}-\\u{1f3ff}\\u{e0020}-\\u{e007f}'
/** The letters of flags, which come in pairs. */
const REGIONAL = '\\u{1f1e6}-\\u{1f1ff}'
/** Controls, white space, bidi characters, what is invisible alone, and what is no character. */
const UNSEEN =
  '\\u0000-\\u0020\\u007f-\\u00a0\\u00ad\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f' +
  '\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ud800-\\udfff\\ufeff\\uffa0\\ufff0-\\uffff' +
  '\\u{1bca0}-\\u{1bca3}\\u{1d159}\\u{1d173}-\\u{1d17a}\\u{e0000}-\\u{e0fff}'

const CHARACTER = `(?:[${REGIONAL}]{2}|[^${UNSEEN}${EXTENDING}${REGIONAL}][${EXTENDING}]*)`
/** One character, or several that zero-width joiners make one of. */
const EMOJI = new RegExp(`^${CHARACTER}(?:\\u200d${CHARACTER})*$`, 'u')

/**
 * The text of a reaction: what shows as one character, in at most 64 bytes of UTF-8. Mostly an emoji, though a letter
 * is one too. It is compared as it is and never normalized.
 */
export function isEmoji(value: unknown): value is string {
  return typeof value === 'string' && byteLength(value) <= EMOJI_MAX_BYTES && EMOJI.test(value)
}
