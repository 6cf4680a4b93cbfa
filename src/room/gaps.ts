import type { SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'
import type { Timeline } from './timeline.ts'

/** How many events are remembered that others named and that are not here. */
const NAMED_MAX = 1_024
/** How many of the devices that named one are remembered, and of those that do not have it. */
const NAMERS_MAX = 8
/** How many members must be without an event before it is no longer looked for. */
const WITHOUT_MIN = 8

/**
 * The events that others name and that are not here. Such an event may be on its
 * way, lost, or from before all that is kept here: by its id nobody can tell. It
 * counts as missing until whoever named it turns out not to have it, and where
 * that is not there any more, eight others, or all there are.
 */
export class Gaps {
  readonly #timeline: Timeline
  readonly #members: () => readonly string[]
  /** By id: the devices that named it. */
  readonly #namers = new Map<EventId, Set<string>>()
  /** By id: the devices that do not have it. */
  readonly #without = new Map<EventId, Set<string>>()

  /** What is older than what is wanted here. */
  readonly #outside = new Set<EventId>()

  /** @param members the devices that can be asked */
  constructor(timeline: Timeline, members: () => readonly string[]) {
    this.#timeline = timeline
    this.#members = members
  }

  /** Notes what an event names. `by`: the devices of its author. Answers whether something of it is missing. */
  note(event: SignedEvent, by: readonly string[]): boolean {
    const unknown = event.claims.parents.filter((id) => !this.#timeline.knows(id))
    for (const id of unknown) remember(this.#namers, id, by)
    return unknown.some((id) => this.#isMissing(id))
  }

  /** What is missing. */
  open(): EventId[] {
    for (const id of this.#namers.keys()) if (this.#timeline.knows(id)) this.#namers.delete(id)
    const ids = new Set([...this.#namers.keys(), ...this.#timeline.missing()])
    return [...ids].filter((id) => this.#isMissing(id))
  }

  /** The devices that should have something that is missing. */
  holders(): string[] {
    return [...new Set(this.open().flatMap((id) => this.#holders(id)))]
  }

  /** A device was compared with: what is still missing of these it does not have. */
  without(ids: readonly EventId[], peerId: string): void {
    for (const id of ids) {
      if (this.#timeline.knows(id)) continue
      this.#makeRoom(id, peerId)
      remember(this.#without, id, [peerId])
    }
  }

  /** A page has come, without what is older: what is missing now is that. */
  outside(): void {
    for (const id of this.open()) {
      this.#outside.add(id)
      const [oldest] = this.#outside
      if (this.#outside.size > NAMED_MAX && oldest !== undefined) this.#outside.delete(oldest)
    }
  }

  /** Of those without an event, whoever named it counts for more than others: it would be asked again for ever. */
  #makeRoom(id: EventId, peerId: string): void {
    const [namers, without] = [this.#namers.get(id), this.#without.get(id)]
    if (without === undefined || without.size < NAMERS_MAX || !namers?.has(peerId)) return
    const other = [...without].find((peer) => !namers.has(peer))
    if (other !== undefined && !without.has(peerId)) without.delete(other)
  }

  #isMissing(id: EventId): boolean {
    if (this.#timeline.knows(id) || this.#outside.has(id)) return false
    if (this.#holders(id).length > 0) return true
    const without = this.#without.get(id)?.size ?? 0
    return without < Math.max(1, Math.min(WITHOUT_MIN, this.#members().length))
  }

  /** Members that named an event, and were not found without it. */
  #holders(id: EventId): string[] {
    const without = this.#without.get(id)
    const members = this.#members()
    return [...(this.#namers.get(id) ?? [])].filter((peer) => !without?.has(peer) && members.includes(peer))
  }
}

/** Adds to a set as the newest one, and forgets the oldest where there are too many. */
function remember(sets: Map<EventId, Set<string>>, id: EventId, peers: readonly string[]): void {
  const set = sets.get(id) ?? new Set()
  sets.delete(id)
  sets.set(id, set)
  for (const peer of peers) if (set.size < NAMERS_MAX) set.add(peer)
  const [oldest] = sets.keys()
  if (sets.size > NAMED_MAX && oldest !== undefined) sets.delete(oldest)
}
