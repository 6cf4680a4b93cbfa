/**
 * What ends when, by the second. Looking costs what has ended since the last
 * look, and nothing for what has not.
 */
export class Expiry<T> {
  readonly #bySecond = new Map<number, Set<T>>()
  #sweptTo = 0

  add(item: T, atMs: number): void {
    const second = secondOf(atMs)
    const items = this.#bySecond.get(second) ?? new Set()
    items.add(item)
    this.#bySecond.set(second, items)
  }

  delete(item: T, atMs: number): void {
    const items = this.#bySecond.get(secondOf(atMs))
    items?.delete(item)
    if (items?.size === 0) this.#bySecond.delete(secondOf(atMs))
  }

  /** Takes out what has ended, up to a second late. */
  takeEnded(nowMs: number): T[] {
    const now = Math.floor(nowMs / 1_000)
    const ended: T[] = []
    // After a long pause it is shorter to look at all there is than at each second that went by.
    const seconds =
      now - this.#sweptTo > this.#bySecond.size
        ? [...this.#bySecond.keys()].filter((second) => second <= now)
        : Array.from({ length: Math.max(0, now - this.#sweptTo) }, (_, passed) => this.#sweptTo + 1 + passed)
    for (const second of seconds) {
      for (const item of this.#bySecond.get(second) ?? []) ended.push(item)
      this.#bySecond.delete(second)
    }
    this.#sweptTo = now
    return ended
  }
}

function secondOf(atMs: number): number {
  return Math.ceil(atMs / 1_000)
}
