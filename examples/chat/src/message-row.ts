import type { Message, MessageStatus } from 'ghostchat'
import { createAvatar } from './avatar.ts'
import { element } from './element.ts'
import { icon } from './icon.ts'
import { isEmojiOnly, linkedText } from './linked-text.ts'
import { createMoment } from './moment.ts'
import type { People } from './people.ts'
import { personLabel } from './person-label.ts'
import { createQuote } from './quote.ts'
import type { Row } from './row.ts'

/** How long after a message the next one of its author still belongs to it. */
const GROUP_MS = 5 * 60_000

const fates: Record<MessageStatus, { glyph: 'check' | 'clock' | 'alert'; words: string }> = {
  queued: { glyph: 'clock', words: 'queued' },
  sent: { glyph: 'check', words: 'sent' },
  acknowledged: { glyph: 'check', words: 'received' },
  failed: { glyph: 'alert', words: 'failed, nobody got it' },
}

/** What a message on the page needs to know of its surroundings. */
export interface MessageRowOptions {
  /** Whether it is the visitor's own. */
  own: boolean
  people: People
  /** The message with this id, where it is in the log. */
  find(id: string): Message | undefined
  onReply(message: Message): void
  /** Somebody wants to see the message with this id. */
  onShow(id: string): void
}

/** A message on the page. */
export class MessageRow implements Row {
  readonly element: HTMLElement
  readonly message: Message
  readonly #options: MessageRowOptions
  readonly #byline: HTMLElement
  readonly #bubble: HTMLElement
  readonly #text = element('p', { class: 'text', dir: 'auto', 'data-testid': 'message-text' })
  readonly #edited = element('p', { class: 'edited', hidden: true }, 'edited')
  readonly #fate = element('span', { class: 'fate' })
  /** The text that is shown, which the author may edit. */
  #shown: string | undefined

  constructor(message: Message, options: MessageRowOptions) {
    const { own } = options
    this.message = message
    this.#options = options
    this.#byline = element('p', { class: 'byline' }, this.#label())
    this.#bubble = element('div', { class: 'bubble' }, this.#text, this.#edited)
    const moment = createMoment(message.timestamp)
    if (!own) this.#byline.append(' ', moment)
    this.element = element(
      'article',
      {
        class: 'message',
        tabindex: -1,
        'data-testid': 'message',
        'data-id': message.id,
        'data-did': message.author,
        'data-own': own,
      },
      createAvatar(message.author),
      element(
        'div',
        { class: 'message-body' },
        this.#byline,
        element('div', { class: 'message-line' }, this.#bubble, this.#replyButton()),
        own ? element('p', { class: 'outcome' }, moment, ' ', this.#fate) : undefined,
      ),
    )
    this.update()
    this.requote()
  }

  get place(): Message {
    return this.message
  }

  follows(previous: Row): boolean {
    return (
      previous instanceof MessageRow &&
      previous.message.author === this.message.author &&
      this.message.timestamp - previous.message.timestamp < GROUP_MS
    )
  }

  /** Shows what the message says by now, and how far it has come. */
  update(): void {
    const { status, text, editedAt } = this.message
    if (this.#shown !== text) {
      this.#shown = text
      this.#text.replaceChildren(...linkedText(text))
      this.#edited.hidden = editedAt === undefined
      this.element.toggleAttribute('data-emoji', isEmojiOnly(text))
    }
    if (this.element.dataset['status'] === status) return
    this.element.dataset['status'] = status
    const { glyph, words } = fates[status]
    this.#fate.replaceChildren(icon(glyph), words)
  }

  /** Shows the author's name as it is now. */
  rename(): void {
    this.#byline.firstElementChild?.replaceWith(this.#label())
  }

  /** Shows what the message answers as it is known now. */
  requote(): void {
    const { replyTo } = this.message
    if (replyTo === undefined) return
    const { find, people, onShow } = this.#options
    this.#bubble.querySelector('.quote')?.remove()
    this.#bubble.prepend(createQuote(find(replyTo), people, () => onShow(replyTo)))
  }

  #label(): HTMLElement {
    return personLabel(this.message.author, this.#options.people.nameOf(this.message.author))
  }

  #replyButton(): HTMLElement {
    const button = element(
      'button',
      {
        class: 'reply',
        type: 'button',
        title: 'Reply',
        'aria-label': 'Reply',
        'data-testid': 'reply-button',
      },
      icon('reply'),
    )
    button.addEventListener('click', () => this.#options.onReply(this.message))
    return button
  }
}
