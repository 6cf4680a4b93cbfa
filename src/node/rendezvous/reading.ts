import type { Progress } from './cookies.ts'
import type { Crowd, Place } from './crowd.ts'
import type { Dice } from './dice.ts'
import { REMEMBERED_ANSWERS } from './limits.ts'

/** What is asked of a crowd. */
export interface Question<T> {
  /** At most so many … */
  limit: number
  /** … which together are at most so many bytes … */
  maxBytes: number
  bytesOf: (item: T) => number
  /** … of these addresses … */
  isWanted: (owner: string) => boolean
  /** … and only what was not told on the way to here. */
  progress: Progress | undefined
}

/** What was found, how far that is, and how many were looked at for it. */
export interface Reading<T> {
  items: T[]
  progress: Progress
  looked: number
}

/**
 * Reads crowds for clients that come back for more. The first answer is a
 * sample. Later ones tell what the first left out and what is new, quiet
 * addresses first, in an order that does not change while it is being read: so
 * nothing is left out, however often a client comes back.
 */
export class CrowdReader<T> {
  readonly #dice: Dice
  /** First answers that left something out: the sequence numbers of what they told. */
  readonly #samples = new Map<number, Set<number>>()
  #lastSample = 0

  constructor(dice: Dice) {
    this.#dice = dice
  }

  /** @param now the highest sequence number so far */
  read(crowd: Crowd<T>, now: number, question: Question<T>): Reading<T> {
    return question.progress === undefined
      ? this.#first(crowd, now, question)
      : this.#next(crowd, now, question, question.progress)
  }

  #first(crowd: Crowd<T>, now: number, question: Question<T>): Reading<T> {
    const drawn = crowd.sample(this.#dice, question.limit, question.isWanted)
    const told = new Parcel(question).fill(drawn)
    const isAll =
      told.length === crowd.size || (told.length === drawn.length && drawn.length < question.limit)
    const progress = isAll
      ? upTo(now)
      : { from: 0, to: now, rank: 0, sequence: 0, sample: this.#remember(told) }
    return { items: told.map(({ item }) => item), progress, looked: drawn.length }
  }

  #next(crowd: Crowd<T>, now: number, question: Question<T>, progress: Progress): Reading<T> {
    const window: Place<T>[] = []
    const later: Place<T>[] = []
    const sample = this.#samples.get(progress.sample)
    let looked = 0
    for (const place of crowd.since(progress.from)) {
      looked += 1
      if (!question.isWanted(place.group.owner)) continue
      if (place.sequence > progress.to) later.push(place)
      else if (comparePlaces(place, progress) > 0 && !sample?.has(place.sequence)) window.push(place)
    }
    const parcel = new Parcel(question)
    const told = parcel.fill(window.sort(comparePlaces))
    const reading = (all: Place<T>[], progress: Progress): Reading<T> => ({
      items: all.map(({ item }) => item),
      progress,
      looked,
    })
    if (told.length < window.length)
      return reading(told, { ...progress, ...placeOf(told.at(-1) ?? progress) })
    const more = parcel.fill(later.sort(comparePlaces))
    if (more.length === later.length) return reading([...told, ...more], upTo(now))
    const start = { rank: 0, sequence: 0 }
    const reached = { from: progress.to, to: now, ...placeOf(more.at(-1) ?? start), sample: 0 }
    return reading([...told, ...more], reached)
  }

  /** What was forgotten is told a second time: nothing is lost by that. */
  #remember(places: readonly Place<T>[]): number {
    this.#lastSample += 1
    this.#samples.set(this.#lastSample, new Set(places.map(({ sequence }) => sequence)))
    const [oldest] = this.#samples.keys()
    if (this.#samples.size > REMEMBERED_ANSWERS && oldest !== undefined) this.#samples.delete(oldest)
    return this.#lastSample
  }
}

/** What goes into one answer. */
class Parcel<T> {
  readonly #bytesOf: (item: T) => number
  #places: number
  #bytes: number

  constructor({ limit, maxBytes, bytesOf }: Question<T>) {
    this.#places = limit
    this.#bytes = maxBytes
    this.#bytesOf = bytesOf
  }

  /** As many of these as fit, from the first on. */
  fill(places: readonly Place<T>[]): Place<T>[] {
    const taken: Place<T>[] = []
    for (const place of places) {
      const bytes = this.#bytesOf(place.item)
      if (this.#places < 1 || this.#bytes < bytes) {
        this.#places = 0
        break
      }
      this.#places -= 1
      this.#bytes -= bytes
      taken.push(place)
    }
    return taken
  }
}

type Rank = Pick<Progress, 'rank' | 'sequence'>

function placeOf({ rank, sequence }: Rank): Rank {
  return { rank, sequence }
}

function comparePlaces(a: Rank, b: Rank): number {
  return a.rank - b.rank || a.sequence - b.sequence
}

function upTo(now: number): Progress {
  return { from: now, to: now, rank: 0, sequence: 0, sample: 0 }
}
