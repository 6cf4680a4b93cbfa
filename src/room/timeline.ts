import { PARENTS_MAX, RETENTION_MS, WINDOW_MAX_BYTES, WINDOW_MAX_EVENTS } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import { comparePositions, isType, type Position, positionOf, type SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'
import type { Bound } from '../wire/sync.ts'
import { type ChangeEvent, Changes, type MessageEvent } from './changes.ts'

/** An event of the timeline: a message, or what changes one. */
export type TimelineEvent = MessageEvent | ChangeEvent

/** Whether an event belongs into the timeline. */
export function isTimelineEvent(event: SignedEvent): event is TimelineEvent {
  return isType(event, 'message', 'edit', 'delete', 'reaction')
}

/** How many events are remembered that had to go: others may still name them. */
const GONE_MAX = 2 * WINDOW_MAX_EVENTS

/** How much of a room's past is kept. */
export interface Window {
  maxEvents: number
  maxBytes: number
  maxAgeMs: number
}

const WINDOW: Window = {
  maxEvents: WINDOW_MAX_EVENTS,
  maxBytes: WINDOW_MAX_BYTES,
  maxAgeMs: RETENTION_MS,
}

/**
 * What was said, in the one order: a fold over messages and what changes them.
 *
 * What it keeps depends on the events that came, and not on their order: all of
 * them but those that a later one replaced or deleted. A full window drops from
 * its beginning, and what lies before the place it was cut at never comes back:
 * whatever is behind that place is kept as if nothing had been dropped, because
 * only a later event removes or changes another.
 */
export class Timeline {
  readonly #changes = new Changes()
  /** What is known about messages. */
  readonly changes: Pick<Changes, 'by' | 'editOf' | 'isDeleted' | 'reactionsTo'> = this.#changes
  readonly #window: Window
  /** Sorted by position. */
  readonly #events: TimelineEvent[] = []
  readonly #byId = new Map<string, TimelineEvent>()
  /** How many events of the window name an id as a parent. */
  readonly #children = new Map<EventId, number>()
  /** Ids that events of the window name, and that were never here. */
  readonly #missing = new Set<EventId>()
  /** Events that the window had, or that have no place in it; the oldest is forgotten for another. */
  readonly #gone = new Set<EventId>()
  /** What those of them named that were deleted or replaced: they still stand between others. */
  readonly #bridges = new Map<EventId, readonly EventId[]>()
  /** All of that; nothing until it is asked for. */
  #bridged: ReadonlySet<EventId> | undefined
  #bytes = 0
  /** The last event that had to make room. */
  #floor: Position | undefined
  /** No event expires before. */
  #nextExpiry = Number.POSITIVE_INFINITY

  constructor(window: Window = WINDOW) {
    this.#window = window
  }

  get size(): number {
    return this.#events.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The time of the last event, in milliseconds; 0 while there is none. */
  get lastTimestamp(): number {
    return this.#events.at(-1)?.timestamp ?? 0
  }

  /** Where the window was cut for being full: nothing up to here is taken in any more. */
  get floor(): Position | undefined {
    return this.#floor
  }

  get(id: string): TimelineEvent | undefined {
    return this.#byId.get(id)
  }

  /** Whether an event is here, or was and had to go. */
  knows(id: EventId): boolean {
    return this.#byId.has(id) || this.#gone.has(id)
  }

  /** What events of the window name, and what was never here. */
  missing(): EventId[] {
    return [...this.#missing]
  }

  /** These events and all that they build on, as far as the window has it, back to a time. */
  ancestors(ids: readonly EventId[], notBefore: number): Set<EventId> {
    const found = new Set<EventId>()
    const crossed = new Set<EventId>()
    const open = [...ids]
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const event = this.#byId.get(id)
      if (event === undefined && !crossed.has(id)) {
        crossed.add(id)
        open.push(...(this.#bridges.get(id) ?? []))
      }
      if (event === undefined || found.has(id) || event.timestamp < notBefore) continue
      found.add(id)
      open.push(...event.claims.parents)
    }
    return found
  }

  /** From here on nothing that is known is left out. */
  beginning(now: number): Bound {
    const cut = this.#floor === undefined ? 0 : this.#floor.timestamp + 1
    // The wire knows whole milliseconds: two who mean different places by one bound would compare without end.
    return { timestamp: Math.max(0, cut, Math.floor(now - this.#window.maxAgeMs)), prefix: '' }
  }

  /** The message with this id. */
  message(id: string): MessageEvent | undefined {
    const event = this.#byId.get(id)
    return event && isType(event, 'message') ? event : undefined
  }

  /** All messages, oldest first, or those before a place. */
  messages(before?: Position): MessageEvent[] {
    return this.slice(Number.POSITIVE_INFINITY, before).events.filter((event) => isType(event, 'message'))
  }

  /**
   * Takes in an event, and drops what it replaces or deletes. Answers false, and
   * keeps nothing, when it is there already, was replaced or deleted itself, or lies
   * before the window.
   */
  add(event: TimelineEvent, now: number): boolean {
    this.prune(now)
    if (this.#byId.has(event.id)) return false
    const isOutdone = this.isOutdone(event)
    if (isOutdone || this.#isOutside(event, now)) {
      this.#leave(event.id)
      if (isOutdone) this.#bridge(event)
      return false
    }
    if (!isType(event, 'message')) this.#apply(event)
    this.#insert(event)
    while (this.#events.length > this.#window.maxEvents || this.#bytes > this.#window.maxBytes) this.#cut()
    return this.#byId.has(event.id)
  }

  /** Whether an event has no place beside those that are there: it was replaced, or deleted. */
  isOutdone(event: TimelineEvent): boolean {
    return isType(event, 'message') ? this.#changes.isDeleted(event) : this.#changes.isOutdone(event)
  }

  /** Drops what is older than the window, or has expired. */
  prune(now: number): void {
    while ((this.#events[0]?.timestamp ?? now) < now - this.#window.maxAgeMs) this.#drop(0)
    if (now < this.#nextExpiry) return
    for (let index = this.#events.length - 1; index >= 0; index -= 1) {
      if (expiryOf(this.#events[index]) <= now) this.#drop(index)
    }
    this.#nextExpiry = this.#events.reduce(
      (next, event) => Math.min(next, expiryOf(event)),
      Number.POSITIVE_INFINITY,
    )
  }

  /** The newest `limit` events before a place, oldest first, and whether there are older ones. */
  slice(limit: number, before?: Position): { events: TimelineEvent[]; more: boolean } {
    const end = before === undefined ? this.#events.length : this.#indexOf(before)
    const start = Math.max(0, end - limit)
    return { events: this.#events.slice(start, end), more: start > 0 }
  }

  /**
   * The ids no event of the window names as a parent, nor did one that was deleted or replaced: the newest 8 of them, sorted.
   * Whoever names an event says that it has all that this one builds on. So what
   * builds on something that is `missing` is left out.
   */
  heads(missing: readonly EventId[] = []): EventId[] {
    const whole = missing.length === 0 ? this.#events : this.#without(missing)
    const named =
      missing.length === 0 ? this.#children : new Set(whole.flatMap(({ claims }) => claims.parents))
    this.#bridged ??= new Set([...this.#bridges.values()].flat())
    const heads: EventId[] = []
    for (let index = whole.length - 1; index >= 0 && heads.length < PARENTS_MAX; index -= 1) {
      const id = whole[index]?.id
      if (id !== undefined && !named.has(id) && !this.#bridged.has(id)) heads.push(id)
    }
    return heads.sort()
  }

  /** The events that build on none of these, however many lie between. */
  #without(ids: readonly EventId[]): TimelineEvent[] {
    const children = new Map<EventId, EventId[]>()
    const note = (id: EventId, parents: readonly EventId[]): void => {
      for (const parent of parents) {
        const known = children.get(parent)
        if (known === undefined) children.set(parent, [id])
        else known.push(id)
      }
    }
    for (const { id, claims } of this.#events) note(id, claims.parents)
    for (const [id, parents] of this.#bridges) note(id, parents)
    const shaky = new Set(ids)
    // What is added meanwhile has its turn, too.
    for (const id of shaky) for (const child of children.get(id) ?? []) shaky.add(child)
    return this.#events.filter(({ id }) => !shaky.has(id))
  }

  #apply(change: ChangeEvent): void {
    for (const gone of this.#changes.add(change) ?? []) this.#remove(gone)
    const message = this.message(change.claims.target)
    if (message !== undefined && this.#changes.isDeleted(message)) this.#remove(message)
  }

  #isOutside(event: TimelineEvent, now: number): boolean {
    if (event.timestamp < now - this.#window.maxAgeMs || expiryOf(event) <= now) return true
    return this.#floor !== undefined && comparePositions(positionOf(event), this.#floor) <= 0
  }

  #insert(event: TimelineEvent): void {
    this.#events.splice(this.#indexOf(positionOf(event)), 0, event)
    this.#byId.set(event.id, event)
    this.#gone.delete(event.id)
    this.#missing.delete(event.id)
    this.#bytes += event.jwt.length
    this.#nextExpiry = Math.min(this.#nextExpiry, expiryOf(event))
    for (const parent of event.claims.parents) {
      this.#children.set(parent, (this.#children.get(parent) ?? 0) + 1)
      if (!this.knows(parent)) this.#missing.add(parent)
    }
  }

  /** An event had to go, or has no place: where something names it, now or later, it is not missing. */
  #leave(id: EventId): void {
    this.#missing.delete(id)
    this.#gone.add(id)
    const [oldest] = this.#gone
    if (this.#gone.size > GONE_MAX && oldest !== undefined) this.#gone.delete(oldest)
  }

  /** Drops the first event, for good. */
  #cut(): void {
    const [first] = this.#events
    if (first !== undefined) this.#floor = positionOf(first)
    this.#drop(0)
  }

  #remove(event: TimelineEvent): void {
    if (!this.#byId.has(event.id)) return
    this.#drop(this.#indexOf(positionOf(event)))
    this.#bridge(event)
  }

  /** An event was deleted or replaced: whoever names what was built on it has what it was built on. */
  #bridge({ id, claims }: TimelineEvent): void {
    this.#bridges.set(id, claims.parents)
    this.#bridged = undefined
    const [oldest] = this.#bridges.keys()
    if (this.#bridges.size > GONE_MAX && oldest !== undefined) this.#bridges.delete(oldest)
  }

  #drop(index: number): void {
    const [event] = this.#events.splice(index, 1)
    if (event === undefined) return
    this.#byId.delete(event.id)
    this.#leave(event.id)
    if (!isType(event, 'message')) this.#changes.remove(event)
    this.#bytes -= event.jwt.length
    for (const parent of event.claims.parents) {
      const left = (this.#children.get(parent) ?? 0) - 1
      if (left > 0) this.#children.set(parent, left)
      else {
        this.#children.delete(parent)
        this.#missing.delete(parent)
      }
    }
  }

  /** The index of the first event at or after a place. */
  #indexOf(place: Position): number {
    let low = 0
    let high = this.#events.length
    while (low < high) {
      const middle = (low + high) >> 1
      const event = this.#events[middle]
      if (event !== undefined && comparePositions(positionOf(event), place) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function expiryOf(event: TimelineEvent | undefined): number {
  return event === undefined ? Number.POSITIVE_INFINITY : toMilliseconds(event.claims.exp)
}
