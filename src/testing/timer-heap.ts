/** A task and when it is due. */
export interface Timer {
  readonly at: number
  /** Of two that are due at once, the one with the lower number comes first. */
  readonly order: number
  readonly task: () => void
  /** Neither rung nor cancelled. */
  isSet: boolean
}

/** Timers by the time they are due: the earliest is found at once, however many there are. */
export class TimerHeap {
  readonly #timers: Timer[] = []
  #cancelled = 0

  /** How many are set and not cancelled. */
  get size(): number {
    return this.#timers.length - this.#cancelled
  }

  push(timer: Timer): void {
    const timers = this.#timers
    let index = timers.length
    timers.push(timer)
    while (index > 0) {
      const above = (index - 1) >> 1
      const parent = timers[above]
      if (parent === undefined || isBefore(parent, timer)) break
      timers[index] = parent
      index = above
    }
    timers[index] = timer
  }

  /** A timer will not ring, if it has not. It stays until its time comes, or until most are of its kind. */
  cancel(timer: Timer): void {
    if (!timer.isSet) return
    timer.isSet = false
    this.#cancelled += 1
    if (this.#cancelled * 2 > this.#timers.length + SLACK) this.#sweep()
  }

  /** Takes out the earliest timer that is due at `end` or before. */
  pop(end: number): Timer | undefined {
    for (let first = this.#timers[0]; first !== undefined && first.at <= end; first = this.#timers[0]) {
      this.#removeFirst()
      if (first.isSet) {
        first.isSet = false
        return first
      }
      this.#cancelled -= 1
    }
    return undefined
  }

  #removeFirst(): void {
    const timers = this.#timers
    const last = timers.pop()
    if (last === undefined || timers.length === 0) return
    let index = 0
    for (;;) {
      const left = 2 * index + 1
      const [a, b] = [timers[left], timers[left + 1]]
      if (a === undefined) break
      const [next, smaller] = b !== undefined && isBefore(b, a) ? [left + 1, b] : [left, a]
      if (isBefore(last, smaller)) break
      timers[index] = smaller
      index = next
    }
    timers[index] = last
  }

  #sweep(): void {
    // In the order of rings a list is a heap.
    const kept = this.#timers.filter(({ isSet }) => isSet).sort((a, b) => (isBefore(a, b) ? -1 : 1))
    this.#timers.splice(0, this.#timers.length, ...kept)
    this.#cancelled = 0
  }
}

/** Cancelled timers that are not worth a sweep. */
const SLACK = 64

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
