import type { Dice } from './dice.ts'
import { Draw } from './draw.ts'

/** The place of a registration in a crowd. */
export interface Place<T> {
  readonly item: T
  readonly group: Group<T>
  /** Numbers places in the order in which they were taken. */
  readonly sequence: number
  /** How many of its address were there before it: those of quiet addresses come first. */
  readonly rank: number
  /** Where it is in its group. */
  index: number
  older: Place<T> | undefined
  newer: Place<T> | undefined
}

/** All of one address. */
export interface Group<T> {
  readonly owner: string
  readonly places: Place<T>[]
  /** Where it is among the groups. */
  index: number
}

/**
 * Registrations by whose they are. It knows who has the most, so that a full
 * crowd can make room at the cost of those, and it samples address by address,
 * so that a thousand of one address weigh no more than one of another.
 *
 * Nothing here takes longer because there are more of them; what it answers
 * does, by what is answered.
 */
export class Crowd<T> {
  readonly #groups: Group<T>[] = []
  readonly #byOwner = new Map<string, Group<T>>()
  /** Groups by how many they are. */
  readonly #bySize: Set<Group<T>>[] = []
  #newest: Place<T> | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  countOf(owner: string): number {
    return this.#byOwner.get(owner)?.places.length ?? 0
  }

  /** @param sequence higher than any before */
  add(item: T, owner: string, sequence: number): Place<T> {
    const group = this.#byOwner.get(owner) ?? this.#addGroup(owner)
    const rank = group.places.length
    const older = this.#newest
    const place: Place<T> = { item, group, sequence, rank, index: rank, older, newer: undefined }
    if (older !== undefined) older.newer = place
    this.#newest = place
    this.#resize(group, () => group.places.push(place))
    this.#size += 1
    return place
  }

  remove(place: Place<T>): void {
    const { group, older, newer } = place
    if (older !== undefined) older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    this.#resize(group, () => removeAt(group.places, place.index))
    this.#size -= 1
    if (group.places.length > 0) return
    this.#byOwner.delete(group.owner)
    removeAt(this.#groups, group.index)
  }

  /** Whose there are most of. */
  largest(): Group<T> | undefined {
    return this.#bySize.at(-1)?.values().next().value
  }

  /** Who gives up a place for one more of an owner: whose there are most of, as long as there stay at least as many of those. */
  donorFor(owner: string): Group<T> | undefined {
    const most = this.largest()
    return most !== undefined && most.places.length - 1 > this.countOf(owner) ? most : undefined
  }

  /**
   * Up to `limit`, each address in turn, the addresses and what they have in
   * random order. `isWanted` chooses by address.
   */
  sample(dice: Dice, limit: number, isWanted: (owner: string) => boolean = () => true): Place<T>[] {
    const chosen: Place<T>[] = []
    const groups = new Draw(dice, this.#groups)
    let turn: Draw<Place<T>>[] = []
    for (let group = groups.next(); group !== undefined && chosen.length < limit; group = groups.next()) {
      if (isWanted(group.owner)) take(new Draw(dice, group.places), turn, chosen)
    }
    while (turn.length > 0 && chosen.length < limit) {
      const next: Draw<Place<T>>[] = []
      for (const draw of turn) if (chosen.length < limit) take(draw, next, chosen)
      turn = next
    }
    return chosen
  }

  /** All that took their place after `sequence`, the newest first. */
  *since(sequence: number): Generator<Place<T>> {
    for (let place = this.#newest; place !== undefined && place.sequence > sequence; place = place.older) {
      yield place
    }
  }

  #addGroup(owner: string): Group<T> {
    const group: Group<T> = { owner, places: [], index: this.#groups.length }
    this.#groups.push(group)
    this.#byOwner.set(owner, group)
    return group
  }

  #resize(group: Group<T>, change: () => void): void {
    this.#bySize[group.places.length]?.delete(group)
    change()
    const size = group.places.length
    if (size > 0) {
      while (this.#bySize.length <= size) this.#bySize.push(new Set())
      this.#bySize[size]?.add(group)
    }
    while (this.#bySize.at(-1)?.size === 0) this.#bySize.pop()
  }
}

function take<T>(draw: Draw<Place<T>>, next: Draw<Place<T>>[], chosen: Place<T>[]): void {
  const place = draw.next()
  if (place !== undefined) chosen.push(place)
  if (!draw.isEmpty) next.push(draw)
}

/** The last one takes the place of the one removed. */
function removeAt(items: { index: number }[], index: number): void {
  const last = items.pop()
  if (last === undefined || last.index === index) return
  last.index = index
  items[index] = last
}
