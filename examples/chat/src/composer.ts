import type { Message } from 'ghostchat'
import { element } from './element.ts'
import { icon } from './icon.ts'
import type { People } from './people.ts'
import { personLabel } from './person-label.ts'
import { excerptOf } from './quote.ts'

const MAX_BYTES = 4096
/** From here on the visitor sees how much room is left. */
const COUNTED_BYTES = 3600

const utf8 = new TextEncoder()

/** What the composer does with what is written. */
export interface ComposerActions {
  send(text: string, replyTo: Message | undefined): Promise<void>
  keystroke(): void
  /** The field was emptied. */
  cleared(): void
}

/** The field to write in, with what is being answered above it. */
export class Composer {
  readonly element = element('form', { class: 'composer', autocomplete: 'off' })
  readonly #field: HTMLTextAreaElement
  readonly #send: HTMLButtonElement
  readonly #reply = element('div', { class: 'answering', hidden: true, 'data-testid': 'answering' })
  readonly #failure = element('p', { class: 'failure', role: 'alert', 'data-testid': 'failure' })
  readonly #counter = element('p', { class: 'counter', hidden: true, 'data-testid': 'counter' })
  readonly #people: People
  readonly #actions: ComposerActions
  #replyTo: Message | undefined

  constructor(people: People, room: string, actions: ComposerActions) {
    this.#people = people
    this.#actions = actions
    this.#field = element('textarea', {
      rows: 1,
      placeholder: `Message #${room}`,
      'aria-label': 'Message',
      dir: 'auto',
      enterkeyhint: 'send',
      'data-testid': 'composer',
    })
    this.#send = element(
      'button',
      {
        class: 'send',
        type: 'submit',
        'aria-label': 'Send',
        title: 'Send',
        disabled: true,
        'data-testid': 'send',
      },
      icon('send'),
    )
    this.element.append(
      this.#failure,
      this.#reply,
      element('div', { class: 'field' }, this.#field, this.#counter, this.#send),
    )
    this.#field.addEventListener('input', () => this.#onInput())
    this.#field.addEventListener('keydown', (event) => this.#onKey(event))
    this.element.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#submit()
    })
  }

  focus(): void {
    this.#field.focus()
  }

  /** Says that something went wrong. */
  warn(words: string): void {
    this.#failure.replaceChildren(icon('alert'), words)
  }

  /** Makes what is written an answer to a message. */
  answer(message: Message): void {
    this.#replyTo = message
    const cancel = element(
      'button',
      { class: 'quiet', type: 'button', 'aria-label': 'Cancel the reply', title: 'Cancel (Escape)' },
      icon('close'),
    )
    cancel.addEventListener('click', () => this.#endAnswer())
    this.#reply.replaceChildren(
      element(
        'p',
        { class: 'answering-text' },
        'Reply to ',
        personLabel(message.author, this.#people.nameOf(message.author)),
        element('span', { class: 'quote-text', dir: 'auto' }, excerptOf(message.text)),
      ),
      cancel,
    )
    this.#reply.hidden = false
    this.focus()
  }

  /** A message is gone, and cannot be answered any more. */
  forget({ id }: Message): void {
    if (this.#replyTo?.id === id) this.#endAnswer()
  }

  #endAnswer(): void {
    this.#replyTo = undefined
    this.#reply.hidden = true
    this.#reply.replaceChildren()
    this.focus()
  }

  #onInput(): void {
    this.#failure.replaceChildren()
    this.#fit()
    if (this.#field.value === '') this.#actions.cleared()
    else this.#actions.keystroke()
  }

  #onKey(event: KeyboardEvent): void {
    // Enter also ends the choice of a character in many languages' keyboards.
    if (event.isComposing || event.keyCode === 229) return
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault()
      this.element.requestSubmit()
    } else if (event.key === 'Escape' && this.#replyTo !== undefined) {
      event.preventDefault()
      this.#endAnswer()
    }
  }

  async #submit(): Promise<void> {
    const text = this.#text()
    const replyTo = this.#replyTo
    if (text === '') return
    if (utf8.encode(text).byteLength > MAX_BYTES) {
      this.warn(`This is too long: ${MAX_BYTES.toLocaleString()} bytes fit into one message.`)
      return
    }
    this.#field.value = ''
    this.#fit()
    if (replyTo !== undefined) this.#endAnswer()
    try {
      await this.#actions.send(text, replyTo)
    } catch (error) {
      // The text goes back, before whatever was written meanwhile.
      this.#field.value = [text, this.#field.value].filter((part) => part !== '').join('\n')
      if (replyTo !== undefined && this.#replyTo === undefined) this.answer(replyTo)
      this.#fit()
      this.warn(`Not sent: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  /** What would be sent: without empty lines around it. */
  #text(): string {
    return this.#field.value.replace(/^\s*\n/u, '').trimEnd()
  }

  /** Makes the field as high as its text, within bounds, and says how much room is left. */
  #fit(): void {
    const text = this.#text()
    const bytes = utf8.encode(text).byteLength
    this.#send.disabled = text === ''
    this.#counter.hidden = bytes < COUNTED_BYTES
    this.#counter.textContent = (MAX_BYTES - bytes).toLocaleString()
    this.#counter.toggleAttribute('data-over', bytes > MAX_BYTES)
    this.#field.style.setProperty('block-size', 'auto')
    this.#field.style.setProperty('block-size', `${this.#field.scrollHeight}px`)
  }
}
