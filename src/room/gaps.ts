import { PARENTS_MAX, SYNC_PEERS, WINDOW_MAX_EVENTS } from '../limits.ts'
import type { SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'
import type { Timeline } from './timeline.ts'

/** How many events are remembered that others named and that are not here. */
const NAMED_MAX = 1_024
/** How many of the devices that named one are remembered, and of those that do not have it. */
const NAMERS_MAX = 32
/** … and how many of one author: somebody may have many, that have nothing. */
const DEVICES_MAX = 2
/** How many are remembered that somebody does not have, or that are older than what is wanted: all that a window can name. */
const SETTLED_MAX = WINDOW_MAX_EVENTS * PARENTS_MAX
/** How many members must be without an event that was named live before it is no longer looked for. */
const WITHOUT_MIN = 8

/**
 * The events that others name and that are not here. Such an event may be on its
 * way, lost, or from before all that is kept here: by its id nobody can tell. It
 * counts as missing until whoever named it turns out not to have it, and eight
 * others neither, or all there are. Three are enough where only history names it: mostly it was
 * deleted or replaced, and who named it has it no more.
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
    for (const id of unknown) {
      remember(this.#namers, id, NAMED_MAX)
      for (const peer of by.slice(0, DEVICES_MAX)) this.#addNamer(id, peer)
    }
    return unknown.length > 0 && this.#missing(unknown).length > 0
  }

  /** What is missing. */
  open(): EventId[] {
    for (const id of this.#namers.keys()) if (this.#timeline.knows(id)) this.#namers.delete(id)
    return this.#missing([...new Set([...this.#namers.keys(), ...this.#timeline.missing()])])
  }

  /** The devices that should have something that is missing. */
  holders(): string[] {
    const members = new Set(this.#members())
    return [...new Set(this.open().flatMap((id) => this.#holders(id, members)))]
  }

  /** Whether a device named one of these, and it is missing still. */
  isOwedBy(ids: readonly EventId[], peerId: string): boolean {
    return ids.some((id) => !this.#timeline.knows(id) && this.#namers.get(id)?.has(peerId))
  }

  /** A device was compared with: what is still missing of these it does not have. */
  without(ids: readonly EventId[], peerId: string): void {
    for (const id of ids) {
      if (this.#timeline.knows(id)) continue
      const without = remember(this.#without, id, SETTLED_MAX)
      this.#makeRoom(id, peerId)
      if (without.size < NAMERS_MAX) without.add(peerId)
    }
  }

  /** A page has come, without what is older, and these are that. */
  outside(ids: readonly EventId[]): void {
    for (const id of ids) {
      this.#outside.add(id)
      const [oldest] = this.#outside
      if (this.#outside.size > SETTLED_MAX && oldest !== undefined) this.#outside.delete(oldest)
    }
  }

  /** Without what events from a time on name: that may have been written since, too. */
  notNamedSince(ids: readonly EventId[], since: number): EventId[] {
    const { events } = this.#timeline.slice(Number.POSITIVE_INFINITY)
    const late = events.filter(({ timestamp }) => timestamp >= since)
    const named = new Set(late.flatMap(({ claims }) => claims.parents))
    return ids.filter((id) => !named.has(id))
  }

  /** Whoever has not been asked yet counts for more than those that were found without it. */
  #addNamer(id: EventId, peer: string): void {
    const [namers, without] = [this.#namers.get(id), this.#without.get(id)]
    if (namers === undefined || namers.has(peer)) return
    const idle = namers.size < NAMERS_MAX ? undefined : [...namers].find((other) => without?.has(other))
    if (idle !== undefined) namers.delete(idle)
    if (namers.size < NAMERS_MAX) namers.add(peer)
  }

  /** Of those without an event, whoever named it counts for more than others: it would be asked again for ever. */
  #makeRoom(id: EventId, peerId: string): void {
    const [namers, without] = [this.#namers.get(id), this.#without.get(id)]
    if (without === undefined || without.size < NAMERS_MAX || !namers?.has(peerId)) return
    const other = [...without].find((peer) => !namers.has(peer))
    if (other !== undefined && !without.has(peerId)) without.delete(other)
  }

  /** Those of some events that are missing. */
  #missing(ids: readonly EventId[]): EventId[] {
    const members = new Set(this.#members())
    return ids.filter((id) => {
      if (this.#timeline.knows(id) || this.#outside.has(id)) return false
      const enough = Math.min(this.#namers.has(id) ? WITHOUT_MIN : SYNC_PEERS, Math.max(1, members.size))
      return this.#holders(id, members).length > 0 || (this.#without.get(id)?.size ?? 0) < enough
    })
  }

  /** Members that named an event, and were not found without it. */
  #holders(id: EventId, members: ReadonlySet<string>): string[] {
    const without = this.#without.get(id)
    return [...(this.#namers.get(id) ?? [])].filter((peer) => !without?.has(peer) && members.has(peer))
  }
}

/** The set of an event, which is the newest one now. The oldest is forgotten where there are too many. */
function remember(sets: Map<EventId, Set<string>>, id: EventId, max: number): Set<string> {
  const set = sets.get(id) ?? new Set()
  sets.delete(id)
  sets.set(id, set)
  const [oldest] = sets.keys()
  if (sets.size > max && oldest !== undefined) sets.delete(oldest)
  return set
}
