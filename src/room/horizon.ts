import { FUTURE_MS, RETENTION_MS, SYNC_NEWEST_MAX } from '../limits.ts'
import type { Bound } from '../wire/sync.ts'
import { compareBounds, START } from './reconciler.ts'
import { type NewestQuestion, type SyncOutcome, SyncRefusal } from './sync-session.ts'

/**
 * The place from which on a device wants everything: where the history that was
 * asked for begins. Otherwise whoever comes would be sent the whole window.
 */
export class Horizon {
  readonly #wantsHistory: boolean
  #bound: Bound
  /** A first page has come. */
  #hasPage = false

  /** @param cameAt when the device came, in milliseconds */
  constructor(cameAt: number, wantsHistory: boolean) {
    this.#wantsHistory = wantsHistory
    // Who wants any history wants all of what slow clocks stamp from now on.
    const slackMs = wantsHistory ? FUTURE_MS : 0
    this.#bound = { timestamp: Math.max(0, cameAt - slackMs), prefix: '' }
  }

  get bound(): Bound {
    return this.#bound
  }

  /** Everything is wanted. */
  get isOpen(): boolean {
    return this.#bound === START
  }

  /** There is nobody who could have more than is here. */
  alone(): void {
    if (this.#wantsHistory) this.#bound = START
  }

  /**
   * A page of the newest events has come: from its oldest one on, nothing may be
   * missing any more. Where the first one is not full, all of the past is wanted:
   * whoever was asked may have come a moment ago itself.
   *
   * @param count how many events the page had
   * @throws SyncRefusal when the peer has more than it sent, and sent less than was asked for
   */
  widen(
    { limit, before }: NewestQuestion,
    { restBefore, floor }: SyncOutcome,
    { count, now }: { count: number; now: number },
  ): void {
    if (limit === 0) return
    if (restBefore !== undefined && count < Math.min(limit, SYNC_NEWEST_MAX)) {
      throw new SyncRefusal('the peer sent less than it has')
    }
    const isFirst = before === undefined && !this.#hasPage
    if (before === undefined) this.#hasPage = true
    const isWhole = isFirst || floor.timestamp <= now - RETENTION_MS + FUTURE_MS
    const begin = restBefore ?? (isWhole ? START : this.#bound)
    const isNext = before === undefined || compareBounds(before, this.#bound) >= 0
    if (isFirst || (isNext && compareBounds(begin, this.#bound) < 0)) this.#bound = begin
  }
}
