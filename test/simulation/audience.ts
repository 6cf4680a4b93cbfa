import type { Message } from '../../src/room/message.ts'

/** A message as it was when it was last told. */
interface Shown {
  message: Message
  content: string
  status: string
}

/**
 * An application that shows nothing but what it is told, and remembers what a
 * message was like at that moment. Each method answers what is wrong, if anything is.
 */
export class Audience {
  readonly #shown = new Map<string, Shown>()
  readonly #deleted = new Set<string>()

  /** The messages that are shown, in the order in which they were told. */
  messages(): Message[] {
    return [...this.#shown.values()].map(({ message }) => message)
  }

  deletedIds(): string[] {
    return [...this.#deleted]
  }

  shows(id: string): boolean {
    return this.#shown.has(id)
  }

  told(message: Message): string | undefined {
    this.#show(message)
    if (this.#deleted.has(message.id)) return 'it was told after it was told to be deleted'
    return message.isDeleted || message.text === '' ? 'it was told although it is deleted' : undefined
  }

  updated(message: Message): string | undefined {
    const before = this.#shown.get(message.id)
    if (before === undefined) return 'its change was told, and it was never told itself'
    if (before.message !== message) return 'its change was told with another object'
    this.#show(message)
    const isSame = before.content === contentOf(message) && before.status === message.status
    return isSame ? 'a change was told where nothing changed' : undefined
  }

  deleted(message: Message): string | undefined {
    this.#deleted.add(message.id)
    if (!this.#shown.delete(message.id)) return 'its end was told, and it was not shown'
    return message.isDeleted ? undefined : 'its end was told, and it is not deleted'
  }

  /** What is shown of these messages and is not what it should be, or not there at all. */
  differences(messages: readonly Message[]): string[] {
    const ids = new Set(messages.map(({ id }) => id))
    const beyond = [...this.#shown.keys()].filter((id) => !ids.has(id)).map((id) => `${id} is shown and gone`)
    const others = messages.flatMap((message) => {
      const shown = this.#shown.get(message.id)
      const content = contentOf(message)
      if (shown === undefined) return `${message.id} is there and not shown`
      if (shown.message !== message) return `${message.id} is another object`
      if (shown.content === content && shown.status === message.status) return []
      return `${message.id} is ${content} (${message.status}) and shown as ${shown.content} (${shown.status})`
    })
    return [...beyond, ...others]
  }

  #show(message: Message): void {
    const { id, status } = message
    this.#shown.set(id, { message, content: contentOf(message), status })
  }
}

/** All that can change about a message but its status, as a text. */
export function contentOf({ text, editedAt, reactions }: Message): string {
  return JSON.stringify([text, editedAt ?? null, [...reactions]])
}
