import { GhostChatError } from '../errors.ts'
import type { Message } from './message.ts'

/**
 * An async iterator over messages that somebody else pushes.
 *
 * Keeps up to `max` messages for a reader that is slow; then the iteration ends
 * with the error `reader-too-slow` after what was kept. A `signal` ends it
 * without an error.
 */
export class MessageReader implements AsyncIterableIterator<Message> {
  readonly #max: number
  readonly #onEnd: () => void
  readonly #waiting: Message[] = []
  /** Those who wait for the next message, in the order they asked. */
  readonly #asking: ((message: Message | undefined) => void)[] = []
  #ended = false
  #error: GhostChatError | undefined

  constructor(max: number, onEnd: () => void) {
    this.#max = max
    this.#onEnd = onEnd
  }

  push(message: Message): void {
    if (this.#ended) return
    // Handed over in this very step: whoever asks next would take it from who asked before.
    const answer = this.#asking.shift()
    if (answer !== undefined) {
      answer(message)
      return
    }
    if (this.#waiting.length >= this.#max) {
      this.#error = new GhostChatError(
        'reader-too-slow',
        `${this.#max} messages wait for the reader of messages()`,
      )
      this.end()
      return
    }
    this.#waiting.push(message)
  }

  /** No more messages will come. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#onEnd()
    for (const answer of this.#asking.splice(0)) answer(undefined)
  }

  async next(): Promise<IteratorResult<Message, undefined>> {
    let value = this.#shift()
    if (value === undefined && !this.#ended) {
      value = await new Promise<Message | undefined>((resolve) => this.#asking.push(resolve))
    }
    if (value !== undefined) return { done: false, value }
    const error = this.#error
    this.#error = undefined
    if (error !== undefined) throw error
    return { done: true, value: undefined }
  }

  /** The next message that was not deleted while it waited. */
  #shift(): Message | undefined {
    let message = this.#waiting.shift()
    while (message?.isDeleted) message = this.#waiting.shift()
    return message
  }

  async return(): Promise<IteratorResult<Message, undefined>> {
    this.#waiting.length = 0
    this.end()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
