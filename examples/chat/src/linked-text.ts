import { graphemesOf } from './display-name.ts'
import { element } from './element.ts'

const ADDRESS = /https?:\/\/[^\s<>"\p{C}]+/giu

/** A text as nodes: the text itself and, where it has web addresses, links. Nothing else in it means anything. */
export function linkedText(text: string): Node[] {
  const nodes: Node[] = []
  let end = 0
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = withoutTrail(found)
    const link = createLink(address)
    if (link === undefined) continue
    nodes.push(document.createTextNode(text.slice(end, index)), link)
    end = index + address.length
  }
  nodes.push(document.createTextNode(text.slice(end)))
  return nodes.filter((node) => node.textContent !== '')
}

/** Whether a text is one to three emoji and nothing else, which are shown larger. */
export function isEmojiOnly(text: string): boolean {
  if (text.length > 48 || !/\p{Extended_Pictographic}|\p{Regional_Indicator}/u.test(text)) return false
  const graphemes = graphemesOf(text.trim())
  return (
    graphemes.length <= 3 &&
    graphemes.every((grapheme) => /^[\p{Extended_Pictographic}\p{RI}]/u.test(grapheme))
  )
}

/** The title shows the address as the browser understands it: letters of another alphabet stand out there. */
function createLink(address: string): HTMLAnchorElement | undefined {
  if (!URL.canParse(address)) return undefined
  const url = new URL(address)
  // A name before an @ is there to look like the host.
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined
  return element(
    'a',
    { href: url.href, title: url.href, target: '_blank', rel: 'noopener noreferrer nofollow', dir: 'ltr' },
    address,
  )
}

/** An address without the punctuation of the sentence around it; a closing bracket stays where one was opened. */
function withoutTrail(address: string): string {
  let rest = address
  for (;;) {
    const last = rest.at(-1) ?? ''
    const opening = { ')': '(', ']': '[', '}': '{' }[last]
    const isOpened = opening !== undefined && rest.split(opening).length >= rest.split(last).length
    if (isOpened || !/[.,;:!?'*_~)\]}»”’…]/u.test(last)) return rest
    rest = rest.slice(0, -1)
  }
}
