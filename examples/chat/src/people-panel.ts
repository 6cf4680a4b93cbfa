import type { Member } from 'ghostchat'
import { createAvatar } from './avatar.ts'
import { element } from './element.ts'
import { icon } from './icon.ts'
import { MemberList } from './member-list.ts'
import type { People } from './people.ts'
import { personLabel } from './person-label.ts'

const WIDE = '(min-width: 60rem)'

/** The list of who is online: a side bar where there is room for one, else a drawer behind a button. */
export class PeoplePanel {
  readonly element: HTMLElement
  /** The button that opens and closes it, with the number of those online. */
  readonly toggle: HTMLButtonElement
  /** Covers the rest of the page while the drawer is open. */
  readonly shade = element('div', { class: 'shade', hidden: true })
  readonly #did: string
  readonly #people: People
  readonly #count = element('span', { 'data-testid': 'online-count' }, '0')
  readonly #list: MemberList
  readonly #self: HTMLElement
  readonly #wide = matchMedia(WIDE)
  readonly #listening = new AbortController()

  constructor(options: { did: string; people: People; invite: HTMLElement; onRename(): void }) {
    const { did, people, invite, onRename } = options
    const { signal } = this.#listening
    this.#did = did
    this.#people = people
    this.#list = new MemberList(did, people)
    this.toggle = element(
      'button',
      { class: 'people-toggle', type: 'button', 'aria-controls': 'people', title: 'Who is online' },
      icon('people'),
      element('span', {}, this.#count, element('span', { class: 'people-word' }, ' online')),
    )
    const hide = element(
      'button',
      { class: 'quiet', type: 'button', 'aria-label': 'Close the list' },
      icon('close'),
    )
    hide.addEventListener('click', () => this.#hide())
    this.#self = element('button', { class: 'self', type: 'button', title: 'Change your name' })
    this.element = element(
      'aside',
      { class: 'people', id: 'people', 'aria-label': 'Who is online' },
      element('header', { class: 'people-header' }, element('h2', {}, 'Here now'), hide),
      this.#list.element,
      invite,
      element('div', { class: 'own-did', 'data-testid': 'own-did', 'data-did': did }, this.#self),
    )
    this.#self.addEventListener('click', onRename)
    this.toggle.addEventListener('click', () => this.#setOpen(!this.#isOpen))
    this.shade.addEventListener('click', () => this.#setOpen(false))
    this.#wide.addEventListener('change', () => this.#setOpen(this.#wide.matches), { signal })
    addEventListener('keydown', (event) => this.#onKey(event), { signal })
    this.#setOpen(this.#wide.matches)
    this.show([])
  }

  show(members: readonly Member[]): void {
    this.#count.textContent = String(members.length)
    this.#list.show(members)
    this.#self.replaceChildren(
      createAvatar(this.#did),
      personLabel(this.#did, this.#people.nameOf(this.#did)),
      icon('pencil'),
    )
  }

  close(): void {
    this.#listening.abort()
  }

  get #isOpen(): boolean {
    return this.element.hasAttribute('data-open')
  }

  #setOpen(open: boolean): void {
    this.element.toggleAttribute('data-open', open)
    this.shade.hidden = !open || this.#wide.matches
    this.toggle.setAttribute('aria-expanded', String(open))
  }

  #onKey(event: KeyboardEvent): void {
    if (
      event.key !== 'Escape' ||
      this.#wide.matches ||
      !this.#isOpen ||
      document.querySelector('dialog') !== null
    )
      return
    this.#hide()
  }

  #hide(): void {
    this.#setOpen(false)
    this.toggle.focus()
  }
}
