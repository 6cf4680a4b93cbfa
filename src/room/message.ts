import type { MessageEvent } from './changes.ts'

/**
 * How far an own message has come: `queued` while nobody could be reached,
 * `sent` once it was handed to at least one neighbour in the room (a node, maybe),
 * `acknowledged` when another member is known to have it, `failed` when that did
 * not come to pass for a day, nor for 1,000 later ones, or the chat was left while
 * it was queued. Somebody else's message is always `sent`.
 */
export type MessageStatus = 'queued' | 'sent' | 'acknowledged' | 'failed'

/** Who reacted, by emoji: the DIDs and the emojis in the order in which they reacted. */
export type Reactions = ReadonlyMap<string, readonly string[]>

/** What can change about a message. */
export interface MessageContent {
  text: string
  editedAt: number | undefined
  reactions: Reactions
}

const NO_REACTIONS: Reactions = new Map()

/** A message in a room. One object a message: it is the same wherever it is met, and always up to date. */
export class Message {
  /** The CIDv1 of the signed event. */
  readonly id: string
  /** The DID of who wrote it. */
  readonly author: string
  /** When it was written by its author's clock, in milliseconds since the Unix epoch. */
  readonly timestamp: number
  /** The id of the message this one answers, which may be deleted by now. */
  readonly replyTo: string | undefined
  #jwt: string
  #content: MessageContent
  #status: MessageStatus
  #isDeleted = false

  constructor(event: MessageEvent, status: MessageStatus) {
    this.id = event.id
    this.author = event.claims.iss
    this.timestamp = event.timestamp
    this.replyTo = event.claims.replyTo
    this.#jwt = event.jwt
    this.#content = { text: event.claims.text, editedAt: undefined, reactions: NO_REACTIONS }
    this.#status = status
  }

  /** The text, as its author last edited it; empty after it was deleted. */
  get text(): string {
    return this.#content.text
  }

  /** When the text was last edited by its author's clock, in milliseconds since the Unix epoch. */
  get editedAt(): number | undefined {
    return this.#content.editedAt
  }

  /** Who reacted, by emoji, without those who are muted. Another map after each change. */
  get reactions(): Reactions {
    return this.#content.reactions
  }

  /** The author deleted it: there is no text any more. */
  get isDeleted(): boolean {
    return this.#isDeleted
  }

  /** The JWT of the message as it was first written, which anybody can verify with did-jwt; empty after it was deleted. */
  get jwt(): string {
    return this.#jwt
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
    const { id, author, text, timestamp, replyTo, status, editedAt, isDeleted } = this
    const reactions = Object.fromEntries(this.reactions)
    return { id, author, text, timestamp, replyTo, status, editedAt, isDeleted, reactions }
  }

  /** @internal */
  static setStatus(message: Message, status: MessageStatus): void {
    message.#status = status
  }

  /** @internal Answers whether that is something else than before. */
  static setContent(message: Message, content: MessageContent): boolean {
    const isOther = !isSame(message.#content, content)
    if (isOther) message.#content = content
    return isOther
  }

  /** @internal */
  static setDeleted(message: Message): void {
    message.#isDeleted = true
    message.#jwt = ''
    message.#content = { text: '', editedAt: undefined, reactions: NO_REACTIONS }
  }
}

function isSame(one: MessageContent, other: MessageContent): boolean {
  if (one.text !== other.text || one.editedAt !== other.editedAt) return false
  // The order counts, too.
  const [ours, theirs] = [[...one.reactions], [...other.reactions]]
  return (
    ours.length === theirs.length &&
    ours.every(([emoji, dids], index) => {
      const [otherEmoji, otherDids] = theirs[index] ?? []
      return (
        emoji === otherEmoji &&
        dids.length === otherDids?.length &&
        dids.every((did, at) => did === otherDids[at])
      )
    })
  )
}
