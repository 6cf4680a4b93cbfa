import { setTimeout as sleep } from 'node:timers/promises'
import { Person, type PersonOptions } from './person.ts'

/** A message that somebody was told to write. */
export interface Said {
  text: string
  author: Person
  /** Milliseconds since the Unix epoch. */
  at: number
}

const LOOK_MS = 100
const TURN_MS = 20
/** So many come at once: each costs a second of a processor. */
const COMING_AT_ONCE = 4

/** The people of a trial, those who are gone included. */
export class People {
  readonly all: Person[] = []
  readonly said: Said[] = []

  /** Who is in the room. */
  get present(): Person[] {
    return this.all.filter(({ departure }) => departure === undefined)
  }

  /** Some come, and are in the room when this resolves. */
  async come(count: number, options: PersonOptions): Promise<void> {
    let left = count
    const comeInTurn = async (): Promise<void> => {
      while (left > 0) {
        left -= 1
        this.all.push(await Person.join(options))
      }
    }
    await Promise.all(Array.from({ length: Math.min(count, COMING_AT_ONCE) }, comeInTurn))
  }

  /** They talk in turn, so many messages a second all together, until the promise settles. */
  async talk(perSecond: number, until: Promise<unknown>): Promise<void> {
    let isOver = false
    const over = (): void => {
      isOver = true
    }
    until.then(over, over)
    const began = Date.now()
    for (let count = 0; !isOver; ) {
      for (; count < ((Date.now() - began) / 1_000) * perSecond; count += 1) this.#sayOne()
      await sleep(TURN_MS)
    }
    await until
  }

  #sayOne(): void {
    const { present } = this
    const author = present[this.said.length % present.length]
    if (author === undefined) return
    const text = `message ${this.said.length}`
    this.said.push({ text, author, at: Date.now() })
    author.say(text)
  }

  /** Waits until something holds, or so long. Resolves with whether it does. */
  async until(holds: () => boolean, timeoutMs: number): Promise<boolean> {
    const end = Date.now() + timeoutMs
    while (!holds()) {
      if (Date.now() > end) return false
      await sleep(LOOK_MS)
    }
    return true
  }

  /** Whether everybody who is there lists exactly who is there. */
  listsAgree(): boolean {
    const { present } = this
    return present.every((person) =>
      this.all.every((other) => {
        if (other === person) return true
        const isHere = person.listed.get(other.did)?.isHere ?? false
        return isHere === present.includes(other)
      }),
    )
  }

  /** What everybody told that must not happen. */
  get failures(): string[] {
    return this.all.flatMap(({ did, failures }) => failures.map((failure) => `${did.slice(-6)}: ${failure}`))
  }

  /** Ends everybody. */
  async close(): Promise<void> {
    await Promise.all(this.all.map((person) => person.end()))
  }
}
