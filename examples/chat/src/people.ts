import type { Member } from 'ghostchat'
import { cleanName } from './display-name.ts'
import { element } from './element.ts'

/** Somebody whose name is not known. */
const NOBODY = 'Ghost'

/** Who is who, as far as this page has heard: those who left keep the name they had. */
export class People {
  readonly #names = new Map<string, string>()

  /** Notes the name a member shows of itself. Answers whether that is news. */
  learn(member: Member): boolean {
    const { did, presence } = member
    const name = typeof presence['name'] === 'string' ? cleanName(presence['name']) : ''
    if (name === '' || this.#names.get(did) === name) return false
    this.#names.set(did, name)
    return true
  }

  nameOf(did: string): string {
    return this.#names.get(did) ?? NOBODY
  }
}

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

/** A number made of a DID, always the same: what somebody looks like depends on it. */
export function hashOf(did: string): number {
  let hash = 0x811c9dc5
  for (const character of did) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** By number of the colour: a soft one to stand on, and the hue of the name. */
export const colours = [
  { fill: '#f2a7a0', hue: 25 },
  { fill: '#f4b183', hue: 55 },
  { fill: '#ecc66f', hue: 85 },
  { fill: '#c3d077', hue: 115 },
  { fill: '#93d1a0', hue: 150 },
  { fill: '#74cdb8', hue: 175 },
  { fill: '#72c7d9', hue: 215 },
  { fill: '#85b4ee', hue: 255 },
  { fill: '#a5a4f0', hue: 285 },
  { fill: '#c69cea', hue: 310 },
  { fill: '#e39bd3', hue: 335 },
  { fill: '#f09cb5', hue: 5 },
] as const

function hueOf(did: string): number {
  return colours[hashOf(did) % colours.length]?.hue ?? 0
}
