import type { SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'
import type { Timeline } from './timeline.ts'

/** How many events are remembered that others named and that are not here. */
const NAMED_MAX = 1_024
/** How many members must say that they have no such event. */
const EXCUSES = 2

/**
 * The events that others name and that are not here. Such an event may be on its
 * way, lost, or from before all that is kept here: by its id nobody can tell. So
 * it counts as missing until two members who were compared with did not have it
 * either, or the one there is.
 */
export class Gaps {
  readonly #timeline: Timeline
  /** By the id that was named in a presence: the devices that did so. */
  readonly #named = new Map<EventId, readonly string[]>()
  /** By id: the members that do not have it. */
  readonly #excuses = new Map<EventId, Set<string>>()
  readonly #members: () => number

  /** @param members how many there are that could be asked */
  constructor(timeline: Timeline, members: () => number) {
    this.#timeline = timeline
    this.#members = members
  }

  /** Notes what an event names. `from`: the devices of its author. Answers whether something of it is missing. */
  note(event: SignedEvent, from: readonly string[]): boolean {
    const unknown = event.claims.parents.filter((id) => !this.#timeline.knows(id) && !this.#isExcused(id))
    for (const id of unknown) bounded(this.#named, id, from)
    return unknown.length > 0
  }

  /** What is missing. */
  open(): EventId[] {
    for (const id of this.#named.keys()) if (this.#timeline.knows(id)) this.#named.delete(id)
    const ids = new Set([...this.#named.keys(), ...this.#timeline.missing()])
    return [...ids].filter((id) => !this.#isExcused(id))
  }

  /** A device that has named something that is missing. */
  shownBy(): string | undefined {
    const [id] = this.open()
    return id === undefined ? undefined : this.#named.get(id)?.[0]
  }

  /** A member was compared with: what is still missing of these it does not have. */
  excuse(ids: readonly EventId[], peerId: string): void {
    for (const id of ids) {
      if (this.#timeline.knows(id)) continue
      const members = this.#excuses.get(id) ?? new Set()
      bounded(this.#excuses, id, members.add(peerId))
    }
  }

  #isExcused(id: EventId): boolean {
    return (this.#excuses.get(id)?.size ?? 0) >= Math.max(1, Math.min(EXCUSES, this.#members()))
  }
}

/** Sets a value as the newest one, and forgets the oldest where there are too many. */
function bounded<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > NAMED_MAX && oldest !== undefined) map.delete(oldest)
}
