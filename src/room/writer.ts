import type { Clock } from '../clock.ts'
import { GhostChatError } from '../errors.ts'
import type { Author } from '../identity/author.ts'
import { FUTURE_MS } from '../limits.ts'
import { type Bodies, isText } from '../wire/claims.ts'
import { isEmoji } from '../wire/emoji.ts'
import { isType, type SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'
import { byteLength } from '../wire/json.ts'
import type { ChangeEvent, MessageEvent } from './changes.ts'
import type { Message } from './message.ts'
import type { Outbox } from './outbox.ts'
import type { RoomState } from './state.ts'
import type { Typing } from './typing.ts'

type ChangeType = ChangeEvent['claims']['type']

/** An own event that was written and applied; nothing to send where it would change nothing. */
interface Written {
  event: SignedEvent | undefined
  message: Message
}

/**
 * Writes the own messages and what changes messages: each is signed, applied here
 * and left with the outbox. What is written first goes out first.
 */
export class Writer {
  readonly #topic: string
  readonly #author: Author
  readonly #clock: Clock
  readonly #state: RoomState
  readonly #outbox: Outbox
  readonly #typing: Typing
  readonly #heads: () => EventId[]
  readonly #assertOpen: () => void
  #lastTurn: Promise<unknown> = Promise.resolve()

  constructor(options: {
    topic: string
    author: Author
    clock: Clock
    state: RoomState
    outbox: Outbox
    typing: Typing
    /** What an event names as its parents. */
    heads: () => EventId[]
    /** @throws `chat-left` */
    assertOpen: () => void
  }) {
    this.#topic = options.topic
    this.#author = options.author
    this.#clock = options.clock
    this.#state = options.state
    this.#outbox = options.outbox
    this.#typing = options.typing
    this.#heads = options.heads
    this.#assertOpen = options.assertOpen
  }

  /** Signs a text and sends it, or keeps it for the first neighbour. */
  async send(text: string, replyTo?: EventId): Promise<Message> {
    this.#assertOpen()
    assertText(text)
    return this.#post(() => this.#writeMessage(text, replyTo))
  }

  /** Gives an own message another text. */
  async edit(id: EventId, text: string): Promise<Message> {
    this.#assertOpen()
    assertText(text)
    return this.#change(id, 'edit', { text })
  }

  /** Takes an own message back. */
  async delete(id: EventId): Promise<Message> {
    this.#assertOpen()
    return this.#change(id, 'delete', {})
  }

  /** Reacts to a message, or takes a reaction back. Nothing is sent where it is so already. */
  async react(id: EventId, emoji: string, state: 'add' | 'remove'): Promise<Message> {
    this.#assertOpen()
    if (!isEmoji(emoji)) {
      throw new GhostChatError(
        'invalid-message',
        'a reaction must be one emoji (or another single character) of at most 64 bytes of UTF-8',
      )
    }
    return this.#change(id, 'reaction', { emoji, state })
  }

  /** Takes a place in the outbox, writes, and fills it. */
  async #post(write: () => Promise<Written>): Promise<Message> {
    const place = await this.#outbox.reserve()
    try {
      const { event, message } = await this.#inTurn(write)
      if (event !== undefined) await place.fill(event)
      return message
    } finally {
      place.release()
    }
  }

  async #writeMessage(text: string, replyTo?: EventId): Promise<Written> {
    const { timeline } = this.#state
    const options = { parents: this.#heads(), after: timeline.lastTimestamp }
    const body = replyTo === undefined ? { text } : { text, replyTo }
    const event = await this.#author.write(this.#topic, 'message', body, options)
    this.#assertOpen()
    this.#typing.sent()
    const message = await this.#state.admitOwnMessage(event)
    this.#assertOpen()
    return { event, message }
  }

  async #change<T extends ChangeType>(
    id: EventId,
    type: T,
    body: Omit<Bodies[T], 'target'>,
  ): Promise<Message> {
    this.#targetOf(id, type)
    return this.#post(() => this.#writeChange(id, type, { ...body, target: id } as unknown as Bodies[T]))
  }

  async #writeChange<T extends ChangeType>(id: EventId, type: T, body: Bodies[T]): Promise<Written> {
    // It may have been deleted while this waited for its turn.
    const { target, message } = this.#targetOf(id, type)
    const { timeline } = this.#state
    const own = timeline.changes.by(this.#author.did, id)
    if (isSaid(own, type, body)) return { event: undefined, message }
    const behind = Math.max(target.timestamp, ...own.map(({ timestamp }) => timestamp))
    this.#assertNear(behind + 1)
    const options = { parents: this.#heads(), after: timeline.lastTimestamp, behind }
    const event = await this.#author.write(this.#topic, type, body, options)
    this.#assertOpen()
    if (type === 'edit') this.#typing.sent()
    await this.#state.admitOwn(event)
    this.#assertOpen()
    return { event, message }
  }

  /** The message a change of this type is for. @throws `invalid-message` */
  #targetOf(id: EventId, type: ChangeType): { target: MessageEvent; message: Message } {
    const message = this.#state.message(id)
    const target = this.#state.timeline.message(id)
    if (message === undefined || target === undefined) {
      throw new GhostChatError('invalid-message', 'the message is unknown, deleted, or no longer kept')
    }
    if (type !== 'reaction' && message.author !== this.#author.did) {
      throw new GhostChatError('invalid-message', `only its author can ${type} a message`)
    }
    return { target, message }
  }

  /** Others would ignore what is further ahead, and so would we. @throws `clock-skew` */
  #assertNear(timestamp: number): void {
    const aheadMs = timestamp - this.#clock.now()
    if (aheadMs <= FUTURE_MS) return
    throw new GhostChatError(
      'clock-skew',
      `unable to change a message that was written ${Math.ceil(aheadMs / 1000)} s after the time of this machine's clock`,
    )
  }

  /** Signing and verifying take their time, each a different one: one event after the other. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(task)
    this.#lastTurn = turn.catch(() => {})
    return turn
  }
}

/** Whether a reaction says what its author's reactions say already. */
function isSaid(own: readonly ChangeEvent[], type: ChangeType, body: Bodies[ChangeType]): boolean {
  if (type !== 'reaction' || !('emoji' in body)) return false
  const last = own
    .filter((change) => isType(change, 'reaction'))
    .find(({ claims }) => claims.emoji === body.emoji)
  return (last?.claims.state ?? 'remove') === body.state
}

function assertText(text: unknown): asserts text is string {
  if (isText(text)) return
  if (typeof text === 'string' && byteLength(text) > 0 && text.isWellFormed()) {
    throw new GhostChatError(
      'message-too-long',
      `the text is ${byteLength(text)} bytes of UTF-8, 4,096 are allowed`,
    )
  }
  throw new GhostChatError(
    'invalid-message',
    'the text must be a string of at least one character, well-formed Unicode',
  )
}
