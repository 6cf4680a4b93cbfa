import type { Clock } from '../clock.ts'

/** One timer for many deadlines: set to the earliest, and to nothing while there is none. */
export class ExpiryTimer {
  readonly #clock: Clock
  readonly #onDue: () => void
  #at = Number.POSITIVE_INFINITY
  #cancel = (): void => {}

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  /** Makes sure that `onDue` is called at `deadline` (milliseconds since the epoch) or before. */
  by(deadline: number | undefined): void {
    if (deadline === undefined || deadline >= this.#at) return
    this.#cancel()
    this.#at = deadline
    this.#cancel = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => {
      this.#at = Number.POSITIVE_INFINITY
      this.#onDue()
    })
  }

  cancel(): void {
    this.#cancel()
    this.#at = Number.POSITIVE_INFINITY
  }
}
