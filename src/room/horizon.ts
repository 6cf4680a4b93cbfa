import { FUTURE_MS, RETENTION_MS, SYNC_NEWEST_MAX } from '../limits.ts'
import type { SignedEvent } from '../wire/event.ts'
import type { Bound } from '../wire/sync.ts'
import { compareBounds, isBefore, START } from './reconciler.ts'
import { type NewestQuestion, type SyncOutcome, SyncRefusal } from './sync-session.ts'

/**
 * The place from which on a device wants everything: where the history that was
 * asked for begins. Otherwise whoever comes would be sent the whole window.
 */
export class Horizon {
  readonly #wantsHistory: boolean
  readonly #cameAt: number
  #bound: Bound
  /** A first page has come. */
  #hasPage = false

  /** @param cameAt when the device came, in milliseconds */
  constructor(cameAt: number, wantsHistory: boolean) {
    this.#wantsHistory = wantsHistory
    // The wire knows whole milliseconds.
    this.#cameAt = Math.floor(cameAt)
    this.#bound = wantsHistory ? this.#slowest : this.#arrival
  }

  get bound(): Bound {
    return this.#bound
  }

  /** Everything is wanted. */
  get isOpen(): boolean {
    return this.#bound === START
  }

  /** A first page has come. */
  get hasPage(): boolean {
    return this.#hasPage
  }

  get #arrival(): Bound {
    return { timestamp: this.#cameAt, prefix: '' }
  }

  /** Who wants any history wants all of what slow clocks stamp from the arrival on. */
  get #slowest(): Bound {
    return { timestamp: Math.max(0, this.#cameAt - FUTURE_MS), prefix: '' }
  }

  /**
   * What is named now lies before the bound: somebody's clock is slow. Answers whether more is wanted than before. Who wants
   * no history wants none for the sake of that either.
   */
  loosen(): boolean {
    if (!this.#wantsHistory || compareBounds(this.#bound, this.#slowest) <= 0) return false
    this.#bound = this.#slowest
    return true
  }

  /** There is nobody who could have more than is here. */
  alone(): void {
    if (this.#wantsHistory) this.#bound = START
  }

  /**
   * A page of the newest events has come: from its oldest one on, nothing may be
   * missing any more, nor from the arrival on, whatever the peer says. Where the first one is not full, all of the past
   * is wanted: whoever was asked may have come a moment ago itself.
   *
   * @param events the events of the page, each of them once
   * @param untimely how many came beside them that are over, or not yet
   * @throws SyncRefusal when the peer has more than it sent, and sent less than was asked for, or events from before the
   *   place where it says that its page begins
   */
  widen(
    { limit, before }: NewestQuestion,
    { restBefore, floor }: SyncOutcome,
    { events, untimely, now }: { events: readonly SignedEvent[]; untimely: number; now: number },
  ): void {
    if (limit === 0) return
    if (restBefore !== undefined && events.length + untimely < Math.min(limit, SYNC_NEWEST_MAX)) {
      throw new SyncRefusal('the peer sent less than it has')
    }
    if (restBefore !== undefined && events.some((event) => isBefore(event, restBefore))) {
      throw new SyncRefusal('the peer says that its page begins later than it does')
    }
    const isFirst = before === undefined && !this.#hasPage
    if (before === undefined) this.#hasPage = true
    const isWhole = isFirst || floor.timestamp <= now - RETENTION_MS + FUTURE_MS
    const said = restBefore ?? (isWhole ? START : this.#bound)
    const begin = compareBounds(said, this.#arrival) > 0 ? this.#arrival : said
    const isNext = before === undefined || compareBounds(before, this.#bound) >= 0
    if (isFirst || (isNext && compareBounds(begin, this.#bound) < 0)) this.#bound = begin
  }
}
