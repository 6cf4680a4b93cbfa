import type { Message } from 'ghostchat'
import { truncate } from './display-name.ts'
import { element } from './element.ts'
import type { People } from './people.ts'
import { personLabel } from './person-label.ts'

const EXCERPT_GRAPHEMES = 160

/** The beginning of a text, on one line. */
export function excerptOf(text: string): string {
  const line = text.replace(/\s+/gu, ' ').trim()
  const excerpt = truncate(line, EXCERPT_GRAPHEMES)
  return excerpt === line ? line : `${excerpt}…`
}

/** What a message answers, above it: a button that leads there, or a remark that it is not known here. */
export function createQuote(original: Message | undefined, people: People, onShow: () => void): HTMLElement {
  if (original === undefined) {
    return element(
      'p',
      { class: 'quote', 'data-testid': 'quote', 'data-missing': true },
      'Original not available',
    )
  }
  const quote = element(
    'button',
    { class: 'quote', type: 'button', 'data-testid': 'quote', title: 'Show the original' },
    personLabel(original.author, people.nameOf(original.author)),
    element('span', { class: 'quote-text', dir: 'auto' }, excerptOf(original.text)),
  )
  quote.addEventListener('click', onShow)
  return quote
}
