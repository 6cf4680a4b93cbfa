import type { RoomState, RoomStatus } from 'ghostchat'
import { element } from './element.ts'

const words: Record<RoomState, string> = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  closed: 'Not in the room',
}

/** A connection that comes back this soon is not worth a word. */
const PATIENCE_MS = 1_500

/** The state of the connection: two words always, and a sentence when it stays away. */
export class StatusLine {
  readonly element = element('p', {
    class: 'status',
    role: 'status',
    'aria-live': 'polite',
    'data-testid': 'status',
  })
  /** The sentence. */
  readonly detail: HTMLElement
  readonly #reason = element('span', { class: 'reason', 'aria-live': 'off' })
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    this.detail = element(
      'p',
      { class: 'detail', role: 'status', hidden: true, 'data-testid': 'status-detail' },
      element('strong', {}, 'Nobody is within reach right now.'),
      ' What you write is kept here and goes out by itself. ',
      this.#reason,
    )
    this.show({ current: 'connecting', previous: undefined })
  }

  show({ current, error }: RoomStatus): void {
    if (this.element.dataset['state'] !== current) {
      this.element.dataset['state'] = current
      this.element.replaceChildren(words[current])
    }
    this.element.title = error?.message ?? ''
    this.#reason.textContent = error?.message ?? ''
    const isAway = current === 'reconnecting' || (current === 'connecting' && error !== undefined)
    if (!isAway) this.close()
    else this.#timer ??= setTimeout(() => this.detail.removeAttribute('hidden'), PATIENCE_MS)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.detail.hidden = true
  }
}
