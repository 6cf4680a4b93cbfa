import { eventOf, isType, type SignedEvent } from '../../src/wire/event.ts'
import { parseJwt } from '../../src/wire/jwt.ts'

/** What was really said: whatever its author signed, whether or not anybody heard of it. */
export class Ledger {
  readonly #events = new Map<string, SignedEvent>()
  /** By author and message: the texts the author gave it, first and later. */
  readonly #texts = new Map<string, Set<string>>()
  readonly #deletes = new Set<string>()
  readonly #reactions = new Set<string>()

  /** Somebody signed this. What names somebody else as its author, or is no event, does not count. */
  note(jwt: string, signer: string): void {
    const parsed = parseJwt(jwt)
    if (typeof parsed === 'string' || parsed.claims.iss !== signer) return
    const event = eventOf(jwt, parsed.claims)
    this.#events.set(jwt, event)
    if (isType(event, 'message')) this.#addText(signer, event.id, event.claims.text)
    else if (isType(event, 'edit')) this.#addText(signer, event.claims.target, event.claims.text)
    else if (isType(event, 'delete')) this.#deletes.add(`${signer} ${event.claims.target}`)
    else if (isType(event, 'reaction') && event.claims.state === 'add') {
      this.#reactions.add(`${signer} ${event.claims.target} ${event.claims.emoji}`)
    }
  }

  /** The event with this JWT, if its author signed it. */
  event(jwt: string): SignedEvent | undefined {
    return this.#events.get(jwt)
  }

  /** Whether an author ever gave this text to a message of its own. */
  hasText(author: string, id: string, text: string): boolean {
    return this.#texts.get(`${author} ${id}`)?.has(text) === true
  }

  hasDelete(author: string, id: string): boolean {
    return this.#deletes.has(`${author} ${id}`)
  }

  hasReaction(author: string, id: string, emoji: string): boolean {
    return this.#reactions.has(`${author} ${id} ${emoji}`)
  }

  /** Whether somebody said something about a message that would change it, were it the author. */
  hasChange(author: string, id: string): boolean {
    return this.hasDelete(author, id) || this.#texts.has(`${author} ${id}`)
  }

  #addText(author: string, id: string, text: string): void {
    const texts = this.#texts.get(`${author} ${id}`) ?? new Set()
    this.#texts.set(`${author} ${id}`, texts.add(text))
  }
}
