/** How long a name may be, in characters as people count them. */
const MAX_GRAPHEMES = 32

const LINE_BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]/gu
/** What shows nothing or turns the text around it: controls, bidi marks, zero widths, fillers. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/gu
/** More accents on one letter than any language needs; they would climb into the lines around. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu

const segmenter = 'Segmenter' in Intl ? new Intl.Segmenter() : undefined

/** A name as it may stand beside others: one clean line, not too long. Empty when nothing is left. */
export function cleanName(text: string): string {
  return truncate(cleanLine(text), MAX_GRAPHEMES).trim()
}

/** A text on one line, composed, with nothing in it that does not show. */
export function cleanLine(text: string): string {
  return (
    text
      .replace(LINE_BREAKS, ' ')
      .replace(INVISIBLE, '')
      // Not before: what showed nothing kept a letter and its accent apart.
      .normalize('NFC')
      .replace(STACKED_MARKS, '$1')
      .replace(/\s+/gu, ' ')
      .trim()
  )
}

/** The first characters of a text, as people count characters. */
export function truncate(text: string, count: number): string {
  return text.length <= count ? text : graphemesOf(text).slice(0, count).join('')
}

/** The characters of a text, as people count them. */
export function graphemesOf(text: string): string[] {
  return segmenter === undefined ? [...text] : Array.from(segmenter.segment(text), ({ segment }) => segment)
}
