import type { Member } from 'ghostchat'
import { createAvatar } from './avatar.ts'
import { element } from './element.ts'
import type { People } from './people.ts'
import { personLabel } from './person-label.ts'

/** So many are drawn. */
const MAX_GHOSTS = 5

/** What stands in the log's place while it has no messages. */
export class Quiet {
  readonly element = element('div', { class: 'quiet-room' })
  readonly #did: string
  readonly #room: string
  readonly #people: People
  readonly #invite: HTMLElement

  /** @param did the visitor's own */
  constructor(did: string, room: string, people: People, invite: HTMLElement) {
    this.#did = did
    this.#room = room
    this.#people = people
    this.#invite = invite
    this.showLoading()
  }

  /** Messages may come yet. */
  showLoading(): void {
    const bars = Array.from({ length: 4 }, () => element('span', { class: 'bone' }))
    this.element.replaceChildren(
      element('div', { class: 'bones', 'aria-hidden': 'true' }, ...bars),
      element('p', { class: 'quiet-hint' }, 'Listening for what was said…'),
    )
  }

  /** Nothing was said. */
  showEmpty(others: readonly Member[]): void {
    const ghosts = [this.#did, ...others.slice(0, MAX_GHOSTS - 1).map(({ did }) => did)]
    this.element.replaceChildren(
      element('div', { class: 'ghosts' }, ...ghosts.map(createAvatar)),
      element('h2', {}, 'So quiet in here'),
      element('p', { class: 'quiet-hint' }, ...this.#hint(others)),
      ...(others.length === 0 ? [this.#invite] : []),
    )
  }

  #hint(others: readonly Member[]): (Node | string)[] {
    const [first, second, third] = others.map(({ did }) => personLabel(did, this.#people.nameOf(did)))
    if (first === undefined) {
      return ['You are the only ghost in ', element('bdi', {}, `#${this.#room}`), '. Send somebody the link.']
    }
    const hello = 'Nobody has said anything yet. Say hello to '
    if (third !== undefined) return [hello, `${others.length} others.`]
    return second === undefined ? [hello, first, '.'] : [hello, first, ' and ', second, '.']
  }

  /** Something went wrong with the room itself. */
  showFailure(words: string): void {
    this.element.replaceChildren(
      element('h2', {}, 'This room cannot be entered'),
      element('p', { class: 'quiet-hint' }, words),
      element('a', { class: 'primary', href: '#lobby' }, 'Go to #lobby'),
    )
  }
}
