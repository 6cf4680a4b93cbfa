import { isType, type Position } from '../wire/event.ts'
import type { MessageEvent } from './changes.ts'
import type { RoomListener } from './listener.ts'
import { Message, type MessageContent, type MessageStatus } from './message.ts'
import type { Timeline, TimelineEvent } from './timeline.ts'
import type { Visibility } from './visibility.ts'

/** What the application was told of a message. */
interface Told {
  /** It was handed the message. */
  isKnown: boolean
  /** The message was shown when it was last spoken of. */
  isShown: boolean
}

/**
 * The messages of a room as the application has them: one object each, kept up to
 * date with the timeline, and told of when they change.
 */
export class Messages {
  readonly #timeline: Timeline
  readonly #visibility: Visibility
  readonly #listener: Pick<RoomListener, 'message' | 'messageUpdated' | 'messageDeleted'>
  readonly #now: () => number
  /** One object a message, for as long as the timeline has the event. */
  readonly #objects = new WeakMap<MessageEvent, Message>()
  /** By id: the own messages whose fate is open. */
  readonly #open = new Map<string, Message>()
  /** Nothing here: the message is history that is still being collected, and nothing is told of it yet. */
  readonly #told = new WeakMap<Message, Told>()

  constructor(options: {
    timeline: Timeline
    visibility: Visibility
    listener: Pick<RoomListener, 'message' | 'messageUpdated' | 'messageDeleted'>
    now: () => number
  }) {
    this.#timeline = options.timeline
    this.#visibility = options.visibility
    this.#listener = options.listener
    this.#now = options.now
  }

  /**
   * Puts an event into the timeline and tells what it changes about known messages.
   * Answers the message it is, if it is a new one: to {@link reveal} and tell that is up to whoever asked.
   */
  add(event: TimelineEvent): Message[] {
    const target = isType(event, 'message') ? undefined : this.#timeline.message(event.claims.target)
    if (!this.#timeline.add(event, this.#now())) return []
    if (isType(event, 'message')) return [this.#objectOf(event)]
    if (target !== undefined) this.#change(target, isType(event, 'edit'))
    return []
  }

  /** The object of an own message that is about to be added, and has a fate from now on. */
  expect(event: MessageEvent): Message {
    const message = new Message(event, 'queued')
    this.#objects.set(event, message)
    this.#open.set(event.id, message)
    return message
  }

  /** A message by its id, while the window has it. */
  get(id: string): Message | undefined {
    this.#timeline.prune(this.#now())
    const event = this.#timeline.message(id)
    return event && this.#objectOf(event)
  }

  /** How many messages there are to be shown before a place. */
  count(before?: Position): number {
    return this.#visible(before).length
  }

  /** The newest of them, oldest first. From now on the application hears of their changes. */
  newest(limit: number, before?: Position): Message[] {
    const visible = this.#visible(before)
    const newest = visible.slice(Math.max(0, visible.length - limit))
    for (const message of newest) this.#told.set(message, { isKnown: true, isShown: true })
    return newest
  }

  /** Those of some messages that are to be shown. From now on the application hears of their changes. */
  reveal(messages: readonly Message[]): Message[] {
    return messages.filter((message) => {
      const isShown = this.#shows(message)
      const isKnown = isShown || (this.#told.get(message)?.isKnown ?? false)
      this.#told.set(message, { isKnown, isShown })
      return isShown
    })
  }

  /** Notes what became of an own message, whether or not the window still has it. */
  setStatus(id: string, status: MessageStatus): void {
    const message = this.#open.get(id)
    if (message === undefined) return
    if (status === 'acknowledged' || status === 'failed') this.#open.delete(id)
    Message.setStatus(message, status)
    if (this.#told.get(message)?.isShown) this.#listener.messageUpdated(message)
  }

  /** Whoever was told of a message may have left before that was in the outbox: it is sent by nobody. */
  close(): void {
    for (const [id, { status }] of this.#open) if (status === 'queued') this.setStatus(id, 'failed')
  }

  /** Somebody was muted or no longer is: other reactions are shown, and edits that were kept back. */
  review(): void {
    for (const event of this.#timeline.messages()) this.#change(event, false)
  }

  #visible(before?: Position): Message[] {
    this.#timeline.prune(this.#now())
    const events = this.#timeline.messages(before)
    return events.map((event) => this.#objectOf(event)).filter((message) => this.#shows(message))
  }

  #shows(message: Message): boolean {
    return !message.isDeleted && this.#visibility.shows(message)
  }

  #objectOf(event: MessageEvent): Message {
    const known = this.#objects.get(event)
    if (known !== undefined) return known
    const message = new Message(event, 'sent')
    Message.setContent(message, this.#contentOf(event))
    this.#objects.set(event, message)
    return message
  }

  #contentOf(event: MessageEvent): MessageContent {
    const { changes } = this.#timeline
    const edit = changes.editOf(event)
    const reactions = new Map<string, string[]>()
    for (const { claims } of changes.reactionsTo(event)) {
      if (this.#visibility.isMuted(claims.iss)) continue
      const dids = reactions.get(claims.emoji)
      if (dids === undefined) reactions.set(claims.emoji, [claims.iss])
      else dids.push(claims.iss)
    }
    return { text: (edit ?? event).claims.text, editedAt: edit?.timestamp, reactions }
  }

  #change(event: MessageEvent, isEdit: boolean): void {
    const message = this.#objects.get(event)
    if (message === undefined) return
    const told = this.#told.get(message)
    if (this.#timeline.changes.isDeleted(event)) {
      Message.setDeleted(message)
      this.#open.delete(event.id)
      if (told?.isShown) this.#hide(message, told)
      return
    }
    // What a muted author edits waits for the end of that.
    if (this.#visibility.isMuted(message.author)) return
    const { text } = message
    if (Message.setContent(message, this.#contentOf(event)) && told !== undefined)
      this.#tell(message, told, isEdit || message.text !== text)
  }

  /** Filters are asked about another text, and not because somebody reacted. */
  #tell(message: Message, told: Told, isEdit: boolean): void {
    if (!(isEdit ? this.#shows(message) : told.isShown)) {
      if (told.isShown) this.#hide(message, told)
    } else if (told.isKnown) {
      told.isShown = true
      this.#listener.messageUpdated(message)
    } else if (isEdit) {
      // A filter refused what was there before.
      told.isKnown = true
      told.isShown = true
      this.#listener.message(message)
    }
  }

  #hide(message: Message, told: Told): void {
    told.isShown = false
    this.#listener.messageDeleted(message)
  }
}
