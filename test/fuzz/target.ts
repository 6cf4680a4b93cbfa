/** Something that takes bytes from strangers, and what is promised about it. */
export interface Target {
  readonly name: string
  /** Puts an input through it. Throws, or rejects, where a promise is broken. */
  readonly run: (input: Uint8Array) => void | Promise<void>
  /** Inputs that lead deep: what honest peers send. */
  readonly seeds: () => Uint8Array[] | Promise<Uint8Array[]>
  /** Texts that mean something to it, for mutations. Default none. */
  readonly words?: readonly string[]
  /** The longest input that is tried, in bytes: a little over what it takes, or shorter where nothing is behind. */
  readonly maxBytes: number
  /** How many inputs a long run tries. */
  readonly runs: number
  /** It waits for another thread, as WebCrypto makes it do, or for a turn of the event loop. */
  readonly leavesThread?: true
  /** Packages that are instrumented beside our own code, because they do the reading. Default none. */
  readonly instrumented?: readonly string[]
}

/** What is promised does not hold. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'
}

/** @throws BrokenPromise unless this holds */
export function promise(holds: boolean, what: string): asserts holds {
  if (!holds) throw new BrokenPromise(what)
}
