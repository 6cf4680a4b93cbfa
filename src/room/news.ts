import type { Clock } from '../clock.ts'
import { comparePositions } from '../wire/event.ts'
import type { RoomListener } from './listener.ts'
import type { Message } from './message.ts'
import type { RoomState } from './state.ts'

/** How long what comes after a connection was made is gathered at the most, to be told together. */
const GATHER_MAX_MS = 5_000

/**
 * Tells the application of new messages: of live ones at once; of what was written before a connection was made as one
 * backlog, and later of what comparisons bring at once. Whoever brings it may take its time to come to an end.
 */
export class News {
  readonly #clock: Clock
  readonly #listener: RoomListener
  readonly #state: RoomState
  /** When the connection was made. */
  #connectedAt = Number.POSITIVE_INFINITY
  #gathered: Message[] | undefined
  #wasComplete: boolean | undefined
  #isClosed = false

  constructor(options: { clock: Clock; listener: RoomListener; state: RoomState }) {
    this.#clock = options.clock
    this.#listener = options.listener
    this.#state = options.state
  }

  /** When the connection was made, in milliseconds since the epoch: what was written before is backlog, what came after it news. */
  get connectedAt(): number {
    return this.#connectedAt
  }

  /** Whether what comes is gathered now. */
  get isGathering(): boolean {
    return this.#gathered !== undefined
  }

  /** Whether it was said last that nothing is missing; nothing where neither was said yet. */
  get wasComplete(): boolean | undefined {
    return this.#wasComplete
  }

  /** A connection was made. What comes is gathered until `end` is called, and not for ever. */
  gather(): { messages: readonly Message[]; end: () => void } {
    this.#gathered ??= []
    const gathered = this.#gathered
    let isTold = false
    const tell = (): void => {
      if (isTold) return
      isTold = true
      // Another connection may have been made meanwhile, and ended first.
      const isHere = this.#gathered === gathered
      if (isHere) this.#gathered = undefined
      this.#tell(isHere ? gathered : [], true)
    }
    const cancel = this.#clock.after(GATHER_MAX_MS, tell)
    return {
      messages: gathered,
      end: () => {
        cancel()
        tell()
      },
    }
  }

  connected(): void {
    this.#connectedAt = this.#clock.now()
  }

  /** A comparison brought these. */
  brought(messages: readonly Message[]): void {
    if (this.#gathered === undefined) this.#tell(messages, false)
    else this.#gathered.push(...messages)
  }

  /**
   * Gossip brought these: told at once. But it repeats to a newcomer what went round in the last seconds, in any order:
   * what is backlog waits for the rest of it while that is gathered.
   */
  heard(messages: readonly Message[]): void {
    const gathered = this.#gathered
    const waiting = gathered === undefined ? [] : messages.filter((message) => this.#isBefore(message))
    gathered?.push(...waiting)
    const live = messages.filter((message) => !waiting.includes(message))
    this.#tellLive(this.#state.reveal(live))
  }

  /** Some were missing and came; told where that, or whether all is here, is news. */
  recovered({ complete, count }: { complete: boolean; count: number }, always = false): void {
    if (this.#isClosed || (!always && count === 0 && complete === this.#wasComplete)) return
    this.#wasComplete = complete
    this.#listener.recovered({ complete, count })
  }

  close(): void {
    this.#isClosed = true
  }

  /** What was written before the connection was made is backlog; what came after it only took another way. */
  #tell(messages: readonly Message[], announce: boolean): void {
    if (this.#isClosed) return
    const visible = this.#state.reveal(messages).sort(comparePositions)
    const before = visible.filter((message) => this.#isBefore(message))
    const live = visible.slice(before.length)
    // It is the application's from here on, which may empty it, or leave.
    if (announce || before.length > 0) this.#listener.backlog(before)
    this.#tellLive(live)
  }

  #tellLive(messages: readonly Message[]): void {
    for (const message of messages) {
      if (!this.#isClosed) this.#listener.message(message)
    }
  }

  #isBefore({ timestamp }: Message): boolean {
    return timestamp < this.#connectedAt
  }
}
