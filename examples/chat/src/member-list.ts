import type { Member } from 'ghostchat'
import { createAvatar } from './avatar.ts'
import { element } from './element.ts'
import type { People } from './people.ts'
import { personLabel } from './person-label.ts'

/** Who is online. */
export class MemberList {
  readonly element = element('ul', { class: 'members' })
  readonly #did: string
  readonly #people: People

  /** @param did the visitor's own */
  constructor(did: string, people: People) {
    this.#did = did
    this.#people = people
  }

  show(members: readonly Member[]): void {
    const known = new Map([...this.element.children].map((item) => [item.getAttribute('data-did'), item]))
    this.element.replaceChildren(
      ...this.#sorted(members).map(({ did }) => {
        const name = this.#people.nameOf(did)
        const item = known.get(did)
        return item?.querySelector('bdi')?.textContent === name ? item : this.#item(did, name)
      }),
    )
  }

  /** The visitor first, then by name. */
  #sorted(members: readonly Member[]): Member[] {
    const rank = ({ did }: Member): number => (did === this.#did ? 0 : 1)
    return [...members].sort(
      (a, b) =>
        rank(a) - rank(b) ||
        this.#people.nameOf(a.did).localeCompare(this.#people.nameOf(b.did)) ||
        (a.did < b.did ? -1 : 1),
    )
  }

  #item(did: string, name: string): HTMLElement {
    const own = did === this.#did
    return element(
      'li',
      { class: 'member', 'data-testid': 'member', 'data-did': did },
      createAvatar(did),
      personLabel(did, name),
      own ? element('span', { class: 'you' }, 'you') : undefined,
    )
  }
}
