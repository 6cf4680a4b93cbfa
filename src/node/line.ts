/** What waits for its turn, by the address of who wants it. Each address in turn: whoever wants much keeps nobody else waiting. */
export class Line<T> {
  /** The address whose turn it is first. */
  readonly #byOwner = new Map<string, Set<T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Without effect where it waits for this address already. */
  add(item: T, owner: string): void {
    const items = this.#byOwner.get(owner) ?? new Set()
    if (items.has(item)) return
    this.#byOwner.set(owner, items.add(item))
    this.#size += 1
  }

  /** Takes out what is next. */
  next(): T | undefined {
    for (const [owner, items] of this.#byOwner) {
      this.#byOwner.delete(owner)
      for (const item of items) {
        items.delete(item)
        this.#size -= 1
        if (items.size > 0) this.#byOwner.set(owner, items)
        return item
      }
    }
    return undefined
  }

  clear(): void {
    this.#byOwner.clear()
    this.#size = 0
  }
}
