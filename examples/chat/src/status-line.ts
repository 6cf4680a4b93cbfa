import type { RoomState, RoomStatus } from 'ghostchat'
import { element } from './element.ts'

const words: Record<RoomState, string> = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  closed: 'Left',
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
  readonly detail = element('p', {
    class: 'detail',
    role: 'status',
    'aria-live': 'polite',
    hidden: true,
    'data-testid': 'status-detail',
  })
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor() {
    this.show({ current: 'connecting', previous: undefined })
  }

  show({ current, error }: RoomStatus): void {
    if (this.element.dataset['state'] !== current) {
      this.element.dataset['state'] = current
      this.element.replaceChildren(words[current])
    }
    this.element.title = error?.message ?? ''
    clearTimeout(this.#timer)
    const isAway = current === 'reconnecting' || (current === 'connecting' && error !== undefined)
    if (isAway) this.#timer = setTimeout(() => this.#explain(error?.message), PATIENCE_MS)
    else this.detail.hidden = true
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #explain(reason: string | undefined): void {
    this.detail.replaceChildren(
      element('strong', {}, 'Nobody is within reach right now.'),
      ' What you write is kept here and goes out by itself.',
    )
    if (reason !== undefined) this.detail.append(' ', element('span', { class: 'reason' }, reason))
    this.detail.hidden = false
  }
}
