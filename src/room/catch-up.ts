import { untilAborted } from '../abort.ts'
import type { Clock } from '../clock.ts'
import { BACKLOG_MAX_EVENTS, CONNECT_WAIT_MS, SECOND_LOOK_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { Channel } from '../network/network.ts'
import { comparePositions, type Position } from '../wire/event.ts'
import { askBacklog, type BacklogOutcome } from './backlog-client.ts'
import type { RoomListener } from './listener.ts'
import type { Message } from './message.ts'
import type { Recovery } from './recovery.ts'
import type { RoomState } from './state.ts'

/**
 * Learns from other members what this device missed: whenever a connection is
 * made, once more a little later, and when the application asks.
 *
 * The reconciliation of whole windows will take the place of the questions asked
 * here; when they are asked, and what is told of the answers, will stay.
 */
export class CatchUp {
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #listener: RoomListener
  readonly #state: RoomState
  readonly #recovery: Recovery
  readonly #backlogLimit: number
  readonly #closing = new AbortController()
  #channel: Channel | undefined
  /** Settles when this device knows what it missed, as far as others could tell. */
  #caughtUp: Promise<void> = Promise.resolve()
  #endConnectWait = (_then?: Promise<void>): void => {}
  #cancelSecondLook = (): void => {}
  /** When the connection was made. */
  #connectedAt = Number.POSITIVE_INFINITY
  /** Somebody answered since. */
  #answered = false

  constructor(options: {
    clock: Clock
    logger: Logger
    listener: RoomListener
    state: RoomState
    recovery: Recovery
    /** How many messages to ask for when a connection is made, 0 to 100. */
    backlogLimit: number
  }) {
    this.#clock = options.clock
    this.#logger = options.logger
    this.#listener = options.listener
    this.#state = options.state
    this.#recovery = options.recovery
    this.#backlogLimit = options.backlogLimit
  }

  /** The room was entered: waits up to 5 s for a first connection, and then for what it brings. */
  open(channel: Channel): void {
    this.#channel = channel
    this.#caughtUp = new Promise((resolve) => {
      const cancel = this.#clock.after(CONNECT_WAIT_MS, resolve)
      this.#endConnectWait = (then) => {
        cancel()
        resolve(then)
      }
    })
  }

  /** A connection was made. */
  connected(): void {
    this.#answered = false
    this.#connectedAt = this.#clock.now()
    const limit = this.#backlogLimit
    const { signal } = this.#closing
    const onFailure = (thrown: unknown): void => this.#logger.debug('catching up ended early', thrown)
    this.#caughtUp = this.#ask({ limit, announce: true, signal }).then(() => {}, onFailure)
    this.#cancelSecondLook()
    this.#cancelSecondLook = this.#clock.after(SECOND_LOOK_MS, () => {
      this.#ask({ limit, peers: 1, signal }).catch(onFailure)
    })
    this.#endConnectWait(this.#caughtUp)
  }

  /**
   * The newest messages before a place, after asking for what is missing. Waits
   * for what is being caught up with anyway.
   */
  async request(options: { limit: number; before?: Position; signal?: AbortSignal }): Promise<Message[]> {
    const { limit, before } = options
    const signal = AbortSignal.any([this.#closing.signal, ...(options.signal ? [options.signal] : [])])
    signal.throwIfAborted()
    await untilAborted(this.#caughtUp, signal)
    for (;;) {
      const known = this.#state.messages(limit, before)
      if (known.length === limit) return known
      const place = (this.#answered && placeOf(known[0])) || before
      const page = Math.min(limit - known.length, BACKLOG_MAX_EVENTS)
      const { accepted, more } = await this.#ask({ limit: page, before: place, signal })
      if (accepted === 0 || !more) return this.#state.messages(limit, before)
    }
  }

  /** The room was left. */
  close(reason: Error): void {
    this.#closing.abort(reason)
    this.#endConnectWait()
    this.#cancelSecondLook()
  }

  /** Asks other members for what happened before a place, and hands on what is new, also when it ends early. */
  async #ask(options: {
    limit: number
    before?: Position | undefined
    /** Say so when there was nothing, too. */
    announce?: boolean
    peers?: number
    signal: AbortSignal
  }): Promise<{ accepted: number; more: boolean }> {
    const { limit, before, announce = false, peers, signal } = options
    const channel = this.#channel
    if (channel === undefined) return { accepted: 0, more: false }
    const fresh: Message[] = []
    const request = { limit, roster: true, ...(before && { before }) }
    const admitAll = async (jwts: string[]): Promise<{ accepted: number; rejected: boolean }> => {
      const { messages, accepted, rejected } = await this.#state.admitHistory(jwts)
      fresh.push(...messages)
      return { accepted, rejected }
    }
    try {
      const ask = (peerId: string): Promise<BacklogOutcome> =>
        askBacklog(channel, peerId, request, { clock: this.#clock, signal, admitAll })
      const answers = await this.#recovery.run(ask, { signal, ...(peers !== undefined && { peers }) })
      if (answers.length > 0) this.#answered = true
      return { accepted: fresh.length, more: answers.some(({ more }) => more) }
    } finally {
      if (!this.#closing.signal.aborted) this.#handOn(fresh, announce)
    }
  }

  /** What was written before the connection was made is backlog; what came after it only took another way. */
  #handOn(messages: Message[], announce: boolean): void {
    const visible = messages.filter((message) => this.#state.shows(message)).sort(comparePositions)
    const before = visible.filter(({ timestamp }) => timestamp < this.#connectedAt)
    if (announce || before.length > 0) this.#listener.backlog(before)
    for (const message of visible.slice(before.length)) this.#listener.message(message)
  }
}

function placeOf(message: Message | undefined): Position | undefined {
  return message && { timestamp: message.timestamp, author: message.author, id: message.id }
}
