import { element } from './element.ts'

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })

/** When something was written: the time of day, and the exact time for who asks. */
export function createMoment(timestamp: number): HTMLTimeElement {
  const date = new Date(timestamp)
  return element(
    'time',
    { class: 'moment', datetime: date.toISOString(), title: exact.format(date) },
    clock.format(date),
  )
}

/** The day of a timestamp in words, `Today` and `Yesterday` where they fit. */
export function dayOf(timestamp: number): string {
  const date = new Date(timestamp).toDateString()
  const today = new Date()
  if (date === today.toDateString()) return 'Today'
  today.setDate(today.getDate() - 1)
  return date === today.toDateString() ? 'Yesterday' : day.format(timestamp)
}
