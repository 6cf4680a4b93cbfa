import { element } from './element.ts'
import { dayOf } from './moment.ts'
import type { Place } from './place.ts'

/** One entry of the log. */
export interface Row {
  readonly element: HTMLElement
  readonly place: Place
  /** Whether it goes on where the entry before ended: the same author, shortly after. */
  follows(previous: Row): boolean
}

/** Shows on a row what depends on its neighbours: whether it starts a group, and a day. */
export function relateRows(previous: Row | undefined, row: Row): void {
  const label = dayLabel(previous, row)
  const continued = previous !== undefined && label === undefined && row.follows(previous)
  row.element.toggleAttribute('data-continued', continued)
  previous?.element.toggleAttribute('data-last', !continued)
  const shown = row.element.querySelector(':scope > .day')
  if (shown?.textContent === label) return
  shown?.remove()
  if (label !== undefined) row.element.prepend(element('p', { class: 'day' }, label))
}

/** The day is said where it changes, and at the top unless it is today. */
function dayLabel(previous: Row | undefined, row: Row): string | undefined {
  const label = dayOf(row.place.timestamp)
  if (previous === undefined) return label === 'Today' ? undefined : label
  return label === dayOf(previous.place.timestamp) ? undefined : label
}
