import { element } from './element.ts'
import type { People } from './people.ts'
import { personLabel } from './person-label.ts'

/** Who types now. It keeps its place when nobody does, so that nothing jumps. */
export class TypingLine {
  readonly element = element('p', { class: 'typing', 'data-testid': 'typing' })
  readonly #people: People
  #dids: readonly string[] = []

  constructor(people: People) {
    this.#people = people
  }

  show(dids: readonly string[]): void {
    this.#dids = dids
    this.element.replaceChildren(...this.#words())
  }

  /** Shows new names. */
  rename(): void {
    this.show(this.#dids)
  }

  #words(): (Node | string)[] {
    const [first, second, third] = this.#dids
    if (first === undefined) return []
    if (third !== undefined) return [dots(), 'several people are typing…']
    if (second !== undefined)
      return [dots(), this.#label(first), ' and ', this.#label(second), ' are typing…']
    return [dots(), this.#label(first), ' is typing…']
  }

  #label(did: string): Node {
    return personLabel(did, this.#people.nameOf(did))
  }
}

function dots(): HTMLElement {
  const dot = (): HTMLElement => element('span')
  return element('span', { class: 'typing-dots', 'aria-hidden': 'true' }, dot(), dot(), dot())
}
