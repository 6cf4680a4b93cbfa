/** Lets a few through at a time for each key; the others wait in line. */
export class Turnstile {
  readonly #max: number
  readonly #inside = new Map<string, number>()
  readonly #waiting = new Map<string, (() => void)[]>()

  constructor(max: number) {
    this.#max = max
  }

  /**
   * Waits for a place. Answers a function that gives it back, once.
   *
   * Rejects with the signal's reason when that fires first.
   */
  async enter(key: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    const inside = this.#inside.get(key) ?? 0
    if (inside < this.#max) this.#inside.set(key, inside + 1)
    else await this.#wait(key, signal)
    let isInside = true
    return () => {
      if (isInside) this.#leave(key)
      isInside = false
    }
  }

  #wait(key: string, signal: AbortSignal): Promise<void> {
    const line = this.#waiting.get(key) ?? []
    this.#waiting.set(key, line)
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener('abort', giveUp)
        resolve()
      }
      const giveUp = (): void => {
        line.splice(line.indexOf(turn), 1)
        reject(signal.reason)
      }
      line.push(turn)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** The place goes to the next in line, or is free. */
  #leave(key: string): void {
    const next = this.#waiting.get(key)?.shift()
    if (next !== undefined) {
      next()
      return
    }
    this.#waiting.delete(key)
    const inside = (this.#inside.get(key) ?? 1) - 1
    if (inside > 0) this.#inside.set(key, inside)
    else this.#inside.delete(key)
  }
}
