import type { Message } from 'ghostchat'
import { element } from './element.ts'
import { MessageRow, type MessageRowOptions } from './message-row.ts'
import { NoticeRow } from './notice-row.ts'
import { comparePlaces, type Place } from './place.ts'
import { type Row, relateRows } from './row.ts'

/** As many as a room itself keeps. */
const MAX_ROWS = 1_000

/** What was said and who came and went, in the one order, whatever the order it arrives in. */
export class Log {
  readonly element = element('div', {
    class: 'log',
    role: 'log',
    'aria-live': 'polite',
    'aria-label': 'Messages',
    'aria-busy': 'true',
  })
  readonly #did: string
  readonly #options: Pick<MessageRowOptions, 'people' | 'onReply'>
  /** Sorted by place. */
  readonly #rows: Row[] = []
  readonly #messages = new Map<string, MessageRow>()

  constructor(did: string, options: Pick<MessageRowOptions, 'people' | 'onReply'>) {
    this.#did = did
    this.#options = options
  }

  /** The first message. */
  get oldest(): Message | undefined {
    return this.#rows.find((row) => row instanceof MessageRow)?.message
  }

  /** The last message. */
  get newest(): Message | undefined {
    return this.#rows.findLast((row) => row instanceof MessageRow)?.message
  }

  get isEmpty(): boolean {
    return this.#messages.size === 0
  }

  /** Takes in a message. Answers false when it is there already. */
  add(message: Message, how: { live: boolean }): boolean {
    if (this.#messages.has(message.id)) return false
    const row = new MessageRow(message, {
      ...this.#options,
      own: message.author === this.#did,
      find: (id) => this.#messages.get(id)?.message,
      onShow: (id) => this.show(id),
    })
    row.element.toggleAttribute('data-live', how.live)
    this.#messages.set(message.id, row)
    this.#insert(row)
    this.#requote(message.id)
    return true
  }

  /** Notes that somebody did something just now. */
  note(did: string, what: string): void {
    const last = this.#rows.at(-1)
    // Somebody who comes and goes fills one line, not the log.
    if (last instanceof NoticeRow && last.place.author === did) this.#remove(last)
    this.#insert(new NoticeRow(did, this.#options.people.nameOf(did), what))
  }

  /** Shows what a message says by now, and how far it has come. */
  update(message: Message): void {
    this.#messages.get(message.id)?.update()
    this.#requote(message.id)
  }

  /** A message was deleted. */
  remove(message: Message): void {
    const row = this.#messages.get(message.id)
    if (row === undefined) return
    this.#remove(row)
    this.#requote(message.id)
  }

  /** Shows somebody's new name wherever the old one stands. Notices stay: they tell of what was. */
  rename(did: string): void {
    for (const row of this.#messages.values()) {
      if (row.message.author === did) row.rename()
      const { replyTo } = row.message
      if (replyTo !== undefined && this.#messages.get(replyTo)?.message.author === did) row.requote()
    }
  }

  /** Scrolls to a message and lights it up. */
  show(id: string): void {
    const target = this.#messages.get(id)?.element
    if (target === undefined) return
    for (const lit of this.element.querySelectorAll('[data-lit]')) lit.removeAttribute('data-lit')
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    target.scrollIntoView({ block: 'center', behavior: still ? 'instant' : 'smooth' })
    target.focus({ preventScroll: true })
    target.setAttribute('data-lit', '')
    setTimeout(() => target.removeAttribute('data-lit'), 2_000)
  }

  /** Removes what was written before a time. */
  prune(before: number): void {
    for (const row of this.#rows.filter(({ place }) => place.timestamp < before)) this.#remove(row)
  }

  /** Shows what is quoted of a message as it is known now. */
  #requote(id: string): void {
    for (const row of this.#messages.values()) if (row.message.replyTo === id) row.requote()
  }

  #insert(row: Row): void {
    const index = this.#indexOf(row.place)
    const next = this.#rows[index]
    this.#rows.splice(index, 0, row)
    this.element.insertBefore(row.element, next?.element ?? null)
    this.#relate(index)
    this.#relate(index + 1)
    const oldest = this.#rows[0]
    if (this.#rows.length > MAX_ROWS && oldest !== undefined) this.#remove(oldest)
  }

  #remove(row: Row): void {
    const index = this.#rows.indexOf(row)
    this.#rows.splice(index, 1)
    row.element.remove()
    if (row instanceof MessageRow) this.#messages.delete(row.message.id)
    this.#relate(index)
  }

  #relate(index: number): void {
    const row = this.#rows[index]
    if (row === undefined) this.#rows[index - 1]?.element.setAttribute('data-last', '')
    else relateRows(this.#rows[index - 1], row)
  }

  /** The index of the first row after a place. Most rows belong at the end. */
  #indexOf(place: Place): number {
    let index = this.#rows.length
    for (let row = this.#rows[index - 1]; row !== undefined; row = this.#rows[index - 1]) {
      if (comparePlaces(row.place, place) <= 0) break
      index -= 1
    }
    return index
  }
}
