import { PARENTS_MAX, SYNC_PEERS, WINDOW_MAX_EVENTS } from '../limits.ts'
import type { SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'
import type { Timeline } from './timeline.ts'

/** How many of the devices that named one are remembered, and of those that do not have it. */
const NAMERS_MAX = 32
/** … and how many of one author, those that came last: somebody may have many, that have nothing. */
const DEVICES_MAX = 2
/** How many events are remembered that are not here: all that a window can name. */
const EVENTS_MAX = WINDOW_MAX_EVENTS * PARENTS_MAX
/** How many members must be without an event that was named live before it is no longer looked for. */
const WITHOUT_MIN = 8

/** Who named an event live. */
interface Named {
  readonly devices: Set<string>
  /** When it was named last, as who did says. */
  at: number
}

/**
 * The events that others name and that are not here. Such an event may be on its
 * way, lost, or from before all that is kept here: by its id nobody can tell. It
 * counts as missing until whoever named it turns out not to have it, and eight
 * others neither, or all there are. Three that keep all that is wanted are enough where all who named it are among them, or
 * only history does: it is older than that, or was deleted or replaced.
 */
export class Gaps {
  readonly #timeline: Timeline
  readonly #members: () => readonly string[]
  readonly #named = new Map<EventId, Named>()
  /** By id: the devices that do not have it, and whether they keep all that is wanted here. */
  readonly #without = new Map<EventId, Map<string, boolean>>()
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
      const named = remember(this.#named, id, (): Named => ({ devices: new Set(), at: 0 }))
      named.at = Math.max(named.at, event.timestamp)
      for (const peer of by.slice(-DEVICES_MAX)) this.#addNamer(id, named.devices, peer)
    }
    return unknown.length > 0 && this.#missing(unknown).length > 0
  }

  /** What is missing. */
  open(): EventId[] {
    for (const id of this.#named.keys()) if (this.#timeline.knows(id)) this.#named.delete(id)
    return this.#missing([...new Set([...this.#named.keys(), ...this.#timeline.missing()])])
  }

  /** The devices that should have something that is missing; where none should, those of which that is not known yet. */
  holders(): string[] {
    const open = this.open()
    const members = new Set(this.#members())
    const holders = new Set(open.flatMap((id) => [...this.#holders(id, members)]))
    if (holders.size > 0) return [...holders]
    return [...members].filter((peer) => open.some((id) => !this.#without.get(id)?.has(peer)))
  }

  /** Whether a device named one of these, and it is missing still. */
  isOwedBy(ids: readonly EventId[], peerId: string): boolean {
    return ids.some((id) => !this.#timeline.knows(id) && this.#named.get(id)?.devices.has(peerId))
  }

  /**
   * A device was compared with: what is still missing of these it does not have. `isSure`: it keeps all that is wanted here.
   * Whoever came a moment ago itself, and begins later, does not have what is older either way.
   */
  without(ids: readonly EventId[], peerId: string, isSure = true): void {
    for (const id of ids) {
      if (this.#timeline.knows(id)) continue
      const without = remember(this.#without, id, () => new Map<string, boolean>())
      this.#makeRoom(id, without, peerId)
      if (without.size < NAMERS_MAX || without.has(peerId)) without.set(peerId, isSure)
    }
  }

  /** A page has come, without what is older, and these are that. */
  outside(ids: readonly EventId[]): void {
    for (const id of ids) {
      this.#outside.add(id)
      const [oldest] = this.#outside
      if (this.#outside.size > EVENTS_MAX && oldest !== undefined) this.#outside.delete(oldest)
    }
  }

  /** Without what events from a time on name, a presence among them: that may have been written since, too. */
  notNamedSince(ids: readonly EventId[], since: number): EventId[] {
    const { events } = this.#timeline.slice(Number.POSITIVE_INFINITY)
    const late = events.filter(({ timestamp }) => timestamp >= since)
    const named = new Set(late.flatMap(({ claims }) => claims.parents))
    return ids.filter((id) => !named.has(id) && (this.#named.get(id)?.at ?? 0) < since)
  }

  /** Whoever has not been asked yet counts for more than those that were found without it, or are gone. */
  #addNamer(id: EventId, devices: Set<string>, peer: string): void {
    if (devices.size >= NAMERS_MAX && !devices.has(peer)) {
      const [without, members] = [this.#without.get(id), this.#members()]
      const idle = [...devices].find((other) => without?.has(other) || !members.includes(other))
      if (idle === undefined) return
      devices.delete(idle)
    }
    devices.add(peer)
  }

  /** Of those without an event, whoever named it counts for more than others: it would be asked again for ever. */
  #makeRoom(id: EventId, without: Map<string, boolean>, peerId: string): void {
    const devices = this.#named.get(id)?.devices
    if (without.size < NAMERS_MAX || without.has(peerId) || !devices?.has(peerId)) return
    const other = [...without.keys()].find((peer) => !devices.has(peer))
    if (other !== undefined) without.delete(other)
  }

  /** Those of some events that are missing. */
  #missing(ids: readonly EventId[]): EventId[] {
    const members = new Set(this.#members())
    return ids.filter((id) => {
      if (this.#timeline.knows(id) || this.#outside.has(id)) return false
      if (!this.#holders(id, members).next().done) return true
      const without = this.#without.get(id)
      if (this.#isDisowned(id, without) && countSure(without) >= SYNC_PEERS) return false
      return (without?.size ?? 0) < Math.min(WITHOUT_MIN, Math.max(1, members.size))
    })
  }

  /** Whether only history names an event, or all who did live keep all that is wanted, and it is not among that. */
  #isDisowned(id: EventId, without: ReadonlyMap<string, boolean> | undefined): boolean {
    const named = this.#named.get(id)
    if (named === undefined) return true
    return named.devices.size > 0 && [...named.devices].every((peer) => without?.get(peer))
  }

  /** Members that named an event, and were not found without it. */
  *#holders(id: EventId, members: ReadonlySet<string>): Generator<string> {
    const without = this.#without.get(id)
    for (const peer of this.#named.get(id)?.devices ?? []) {
      if (!without?.has(peer) && members.has(peer)) yield peer
    }
  }
}

/** How many of them keep all that is wanted. */
function countSure(without: ReadonlyMap<string, boolean> | undefined): number {
  return [...(without?.values() ?? [])].filter((isSure) => isSure).length
}

/** What is remembered of an event, which is the newest one now. The oldest is forgotten where there are too many. */
function remember<T>(all: Map<EventId, T>, id: EventId, create: () => T): T {
  const value = all.get(id) ?? create()
  all.delete(id)
  all.set(id, value)
  const [oldest] = all.keys()
  if (all.size > EVENTS_MAX && oldest !== undefined) all.delete(oldest)
  return value
}
