import { isThenable } from '../thenable.ts'
import type { Message } from './message.ts'

/** Decides whether a message is shown. One that throws hides the message. */
export type MessageFilter = (message: Message) => boolean

/**
 * What the application does not want to see. It holds for new messages and for
 * those of a backlog alike, and changes nothing about what is kept and passed on.
 */
export class Visibility {
  readonly #filters = new Set<{ filter: MessageFilter }>()
  readonly #muted = new Set<string>()
  readonly #onFailure: (thrown: unknown) => void

  constructor(onFailure: (thrown: unknown) => void) {
    this.#onFailure = onFailure
  }

  /** Adds a filter. Answers a function that removes it. */
  addFilter(filter: MessageFilter): () => void {
    const entry = { filter }
    this.#filters.add(entry)
    return () => {
      this.#filters.delete(entry)
    }
  }

  mute(did: string): void {
    this.#muted.add(did)
  }

  unmute(did: string): void {
    this.#muted.delete(did)
  }

  isMuted(did: string): boolean {
    return this.#muted.has(did)
  }

  /** Whether a message is shown: its author is not muted and all filters let it through. */
  shows(message: Message): boolean {
    if (this.#muted.has(message.author)) return false
    try {
      return [...this.#filters].every(({ filter }) => isThrough(filter(message)))
    } catch (thrown) {
      this.#onFailure(thrown)
      return false
    }
  }
}

/** A promise is true, whatever comes of it: whoever filters by one would see everything. */
function isThrough(answer: unknown): boolean {
  if (!isThenable(answer)) return Boolean(answer)
  Promise.resolve(answer).catch(() => {})
  throw new TypeError('a filter answers at once, and no promise')
}
