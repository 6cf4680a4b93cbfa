import type { Member } from 'ghostchat'
import { element } from './element.ts'
import type { People } from './people.ts'

/** What stands in the log's place while it has no messages. */
export class Quiet {
  readonly element = element('div', { class: 'quiet-room' })
  readonly #room: string
  readonly #people: People
  readonly #invite: HTMLElement

  constructor(room: string, people: People, invite: HTMLElement) {
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
    const ghost = element('img', { src: './ghost.svg', alt: '', width: 64, height: 64 })
    const names = others.slice(0, 2).map(({ did }) => this.#people.nameOf(did))
    const who = others.length > 2 ? `${others.length} others` : names.join(' and ')
    this.element.replaceChildren(
      ghost,
      element('h2', {}, 'So quiet in here'),
      others.length === 0
        ? element(
            'p',
            { class: 'quiet-hint' },
            'You are the only ghost in ',
            element('bdi', {}, `#${this.#room}`),
            '. Send somebody the link.',
          )
        : element(
            'p',
            { class: 'quiet-hint' },
            'Nobody has said anything yet. Say hello to ',
            element('bdi', {}, who),
            '.',
          ),
      ...(others.length === 0 ? [this.#invite] : []),
    )
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
