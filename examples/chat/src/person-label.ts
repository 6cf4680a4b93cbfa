import { element } from './element.ts'
import { hueOf } from './looks.ts'

/** The end of a DID. It stands beside every name, because anybody can take any name. */
export function tailOf(did: string): string {
  return did.slice(-6)
}

/** A name with the tail of its DID, ready to be put into a line. */
export function personLabel(did: string, name: string): HTMLElement {
  const label = element(
    'span',
    { class: 'person', title: did },
    element('bdi', { class: 'person-name' }, name),
    ' ',
    element('span', { class: 'person-tail' }, tailOf(did)),
  )
  label.style.setProperty('--hue', String(hueOf(did)))
  return label
}
