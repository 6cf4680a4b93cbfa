import { element } from './element.ts'
import { createMoment } from './moment.ts'
import { personLabel } from './person-label.ts'
import type { Place } from './place.ts'
import type { Row } from './row.ts'

/** A small line of the log about what somebody did. */
export class NoticeRow implements Row {
  readonly element: HTMLElement
  readonly place: Place

  constructor(did: string, name: string, what: string) {
    const timestamp = Date.now()
    this.place = { timestamp, author: did, id: '' }
    this.element = element(
      'div',
      { class: 'notice', 'data-testid': 'notice', 'data-did': did },
      element('p', {}, personLabel(did, name), ` ${what} `, createMoment(timestamp)),
    )
  }

  follows(): boolean {
    return false
  }
}
