import { element } from './element.ts'
import { icon } from './icon.ts'

/** So near to the end, in pixels, somebody counts as reading the newest. */
const NEAR = 48

/**
 * Keeps the newest message in sight for who reads at the end, and leaves everybody else where they are: a button
 * tells them how much is new.
 */
export class LogScroller {
  /** What scrolls. */
  readonly viewport: HTMLElement
  /** The button that leads to the end. */
  readonly button = element('button', {
    class: 'to-end',
    type: 'button',
    hidden: true,
    'data-testid': 'to-end',
  })
  readonly #rows: HTMLElement
  readonly #observer = new ResizeObserver(() => this.#follow())
  #top = 0
  #following = true
  #unread = 0

  /** @param rows what holds the rows, somewhere in the content */
  constructor(rows: HTMLElement, content: HTMLElement) {
    this.#rows = rows
    this.viewport = element('div', {
      class: 'log-viewport',
      tabindex: 0,
      role: 'group',
      'aria-label': 'Conversation',
    })
    this.viewport.append(content)
    this.viewport.addEventListener('scroll', () => this.#onScroll(), { passive: true })
    this.button.addEventListener('click', () => this.toEnd())
    for (const box of [this.viewport, content]) this.#observer.observe(box)
  }

  /** Changes the rows and leaves what is in sight where it is, whatever comes above it. */
  keep(change: () => void): void {
    const { top } = this.viewport.getBoundingClientRect()
    const seen = this.#following
      ? undefined
      : [...this.#rows.children].find((row) => row.getBoundingClientRect().bottom > top)
    const before = seen?.getBoundingClientRect().top ?? 0
    change()
    if (seen?.isConnected) this.viewport.scrollTop += seen.getBoundingClientRect().top - before
  }

  /** Notes that others wrote something new. */
  arrived(count: number): void {
    if (this.#following || count === 0) return
    this.#unread += count
    this.#showButton()
  }

  /** Goes to the newest message, and stays there. */
  toEnd(): void {
    this.#following = true
    this.#follow()
    this.#onScroll()
  }

  close(): void {
    this.#observer.disconnect()
  }

  #follow(): void {
    if (this.#following) this.viewport.scrollTop = this.viewport.scrollHeight
  }

  #onScroll(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.viewport
    if (scrollHeight - scrollTop - clientHeight < NEAR) {
      this.#following = true
      this.#unread = 0
    } else if (scrollTop < this.#top) {
      // Only somebody who scrolls up leaves the end. What makes the log longer does not.
      this.#following = false
    }
    this.#top = scrollTop
    this.#showButton()
  }

  #showButton(): void {
    this.button.hidden = this.#following
    const words =
      this.#unread === 0 ? 'Newest' : `${this.#unread} new ${this.#unread === 1 ? 'message' : 'messages'}`
    if (this.button.textContent !== words) this.button.replaceChildren(words, icon('down'))
  }
}
