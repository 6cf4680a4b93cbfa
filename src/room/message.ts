import type { TimelineEvent } from './timeline.ts'

/**
 * How far an own message has come: `queued` while nobody could be reached,
 * `sent` once it was handed to at least one neighbour in the room (a node, maybe),
 * `acknowledged` when another member is known to have it, `failed` when that did
 * not come to pass for a day, or the chat was left while it was queued. Somebody
 * else's message is always `sent`.
 */
export type MessageStatus = 'queued' | 'sent' | 'acknowledged' | 'failed'

/** A message in a room. One object a message: it is the same wherever it is met. */
export class Message {
  /** The CIDv1 of the signed event. */
  readonly id: string
  /** The DID of who wrote it. */
  readonly author: string
  readonly text: string
  /** When it was written by its author's clock, in milliseconds since the Unix epoch. */
  readonly timestamp: number
  /** The id of the message this one answers. */
  readonly replyTo: string | undefined
  /** The original JWT, which anybody can verify with did-jwt. */
  readonly jwt: string
  #status: MessageStatus

  constructor(event: TimelineEvent, status: MessageStatus) {
    this.id = event.id
    this.author = event.claims.iss
    this.text = event.claims.text
    this.timestamp = event.timestamp
    this.replyTo = event.claims.replyTo
    this.jwt = event.jwt
    this.#status = status
  }

  /** Changes as an own message travels; the chat tells with `message-updated`. */
  get status(): MessageStatus {
    return this.#status
  }

  /** The text. */
  toString(): string {
    return this.text
  }

  toJSON(): Record<string, unknown> {
    const { id, author, text, timestamp, replyTo, status } = this
    return { id, author, text, timestamp, replyTo, status }
  }

  /** @internal */
  static setStatus(message: Message, status: MessageStatus): void {
    message.#status = status
  }
}
