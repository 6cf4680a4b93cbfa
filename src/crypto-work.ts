/**
 * What the platform's cryptography is busy with. It answers from another thread,
 * so nobody can see from the event loop whether more is to come; tests in virtual
 * time have to know.
 */
class CryptoWork {
  readonly #underWay = new Set<Promise<unknown>>()

  /** Notes that this is under way until it settles. Answers the same promise. */
  track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    const end = (): void => void this.#underWay.delete(work)
    work.then(end, end)
    return work
  }

  /** Waits for what is under way now. Answers whether there was nothing. */
  async rest(): Promise<boolean> {
    if (this.#underWay.size === 0) return true
    await Promise.allSettled(this.#underWay)
    return false
  }
}

export const cryptoWork = new CryptoWork()
