import { cleanName } from './display-name.ts'

const KEY = 'ghostchat-page:name'

/** The name the visitor took, remembered for the next visit. Where the browser forbids that, for this one only. */
export class NameMemory {
  readonly #storage: Storage | undefined
  #name: string

  /** @param storage the tab's own where each tab is a user of its own, else the one all tabs share */
  constructor(storage: () => Storage) {
    this.#storage = attempt(storage)
    this.#name = cleanName(attempt(() => this.#storage?.getItem(KEY) ?? '') ?? '')
  }

  /** Empty when none was taken yet. */
  get name(): string {
    return this.#name
  }

  set name(name: string) {
    this.#name = name
    attempt(() => this.#storage?.setItem(KEY, name))
  }

  /** Calls back when another tab of the same user takes another name. */
  onChange(listener: (name: string) => void): void {
    const hear = (event: StorageEvent): void => {
      const name = cleanName(event.newValue ?? '')
      if (event.key !== KEY || event.storageArea !== this.#storage || name === '' || name === this.#name)
        return
      this.#name = name
      listener(name)
    }
    addEventListener('storage', hear)
  }
}

/** A browser may forbid storage altogether; the answer is `undefined` then. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch {
    return undefined
  }
}
