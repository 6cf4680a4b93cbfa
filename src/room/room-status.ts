import type { GhostChatError } from '../errors.ts'

/**
 * - `connecting`: nobody in the room is within reach yet, no node either.
 * - `connected`: what is sent gets out.
 * - `reconnecting`: it did, and does not at the moment; messages wait.
 * - `closed`: the chat was left.
 */
export type RoomState = 'connecting' | 'connected' | 'reconnecting' | 'closed'

/** The state of a room's connection and how it came to be. */
export interface RoomStatus {
  readonly current: RoomState
  readonly previous: RoomState | undefined
  /** Why it is so, where something went wrong. */
  readonly error?: GhostChatError
  /** When the next attempt to connect is made, in milliseconds since the Unix epoch. Only beside `error`. */
  readonly nextAttemptAt?: number
}

/** The state machine: `connecting → connected ⇄ reconnecting`, and from each to `closed`. */
export class RoomStatusMachine {
  #status: RoomStatus = Object.freeze({ current: 'connecting', previous: undefined })
  readonly #onChange: (status: RoomStatus) => void

  constructor(onChange: (status: RoomStatus) => void) {
    this.#onChange = onChange
  }

  get status(): RoomStatus {
    return this.#status
  }

  /** How many neighbours there are now. Answers whether that made the room connected. */
  neighbours(count: number): boolean {
    const { current } = this.#status
    if (current === 'closed') return false
    if (count > 0) return this.#turn('connected')
    if (current === 'connected') this.#turn('reconnecting')
    return false
  }

  /** A connection could not be made: noted on the state that holds. */
  failed(error: GhostChatError, nextAttemptAt?: number): void {
    const { current, previous } = this.#status
    if (current !== 'connecting' && current !== 'reconnecting') return
    this.#status = Object.freeze({
      current,
      previous,
      error,
      ...(nextAttemptAt !== undefined && { nextAttemptAt }),
    })
    this.#onChange(this.#status)
  }

  close(): void {
    this.#turn('closed')
  }

  #turn(next: RoomState): boolean {
    const { current } = this.#status
    if (current === next) return false
    this.#status = Object.freeze({ current: next, previous: current })
    this.#onChange(this.#status)
    return true
  }
}
