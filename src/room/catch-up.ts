import { untilAborted } from '../abort.ts'
import type { Clock } from '../clock.ts'
import { BACKLOG_MAX_EVENTS, BACKLOG_PEERS, CONNECT_WAIT_MS, SECOND_LOOK_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { Channel } from '../network/network.ts'
import { comparePositions, type Position, positionOf } from '../wire/event.ts'
import { askBacklog, type BacklogOutcome } from './backlog-client.ts'
import type { RoomListener } from './listener.ts'
import type { Message } from './message.ts'
import type { Recovery } from './recovery.ts'
import type { RoomState } from './state.ts'

/** How many pages `request` asks for beyond those its limit needs. */
const PAGES_BEYOND = 10
/** The longest pause between two looks when nobody answers. */
const LATE_LOOK_MAX_MS = 24_000

interface Question {
  limit: number
  before?: Position | undefined
  /** How many members to ask; default 3. */
  peers?: number
  signal: AbortSignal
}

interface Answers {
  /** How many messages before the place are new. */
  found: number
  /** Somebody has older ones. */
  more: boolean
  /** How many members answered. */
  answers: number
}

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
  /** Nobody has answered yet; later, what is asked for is only what was missed. */
  #isNewcomer = true
  /** When the connection was made. */
  #connectedAt = Number.POSITIVE_INFINITY

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
    this.#connectedAt = this.#clock.now()
    const limit = this.#backlogLimit
    const { signal } = this.#closing
    const onFailure = (thrown: unknown): void => this.#logger.debug('catching up ended early', thrown)
    this.#caughtUp = this.#fetchBacklog(limit, signal).then(() => {}, onFailure)
    this.lookAgain()
    this.#endConnectWait(this.#caughtUp)
  }

  /**
   * Asks two more members in a few seconds for what may have been missed, or kept
   * from us, and where nobody answered, again later: right after a node came back, members cannot be
   * reached yet.
   */
  lookAgain(afterMs = SECOND_LOOK_MS): void {
    const { signal } = this.#closing
    this.#cancelSecondLook()
    this.#cancelSecondLook = this.#clock.after(afterMs, () => {
      this.#askAndTell({ limit: this.#backlogLimit, peers: BACKLOG_PEERS - 1, signal }).then(
        ({ answers }) => {
          const isAlone = this.#recovery.candidates === 0
          if (answers === 0 && !isAlone && !signal.aborted)
            this.lookAgain(Math.min(2 * afterMs, LATE_LOOK_MAX_MS))
        },
        (thrown) => this.#logger.debug('a second look ended early', thrown),
      )
    })
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
    // A page may hold nothing that is shown: some more than the limit needs, but not without end.
    for (let pages = Math.ceil(limit / BACKLOG_MAX_EVENTS) + PAGES_BEYOND; pages > 0; pages -= 1) {
      if (this.#state.messages(limit, before).length === limit) break
      const { found, more } = await this.#askAndTell({
        limit: BACKLOG_MAX_EVENTS,
        before: this.#oldest(before),
        signal,
      })
      if (found === 0 || !more) break
    }
    return this.#state.messages(limit, before)
  }

  /** The room was left. */
  close(reason: Error): void {
    this.#closing.abort(reason)
    this.#endConnectWait()
    this.#cancelSecondLook()
  }

  /**
   * The backlog up to its limit. In a lively room the newest messages are not
   * history but what has come since the connection was made: then a newcomer asks
   * once more, for those before.
   */
  async #fetchBacklog(limit: number, signal: AbortSignal): Promise<void> {
    const fresh: Message[] = []
    try {
      const { more } = await this.#ask({ limit, peers: 1, signal }, fresh)
      const history = fresh.filter(({ timestamp }) => timestamp < this.#connectedAt).length
      if (this.#isNewcomer && more && history < limit) {
        await this.#ask({ limit: limit - history, before: this.#oldest(undefined), signal }, fresh)
      }
      this.#isNewcomer = false
    } finally {
      this.#tell(fresh, true)
    }
  }

  async #askAndTell(question: Question): Promise<Answers> {
    const fresh: Message[] = []
    try {
      return await this.#ask(question, fresh)
    } finally {
      this.#tell(fresh, false)
    }
  }

  /** Asks other members for what happened before a place. What is new goes into `fresh`, also when it ends early. */
  async #ask(question: Question, fresh: Message[]): Promise<Answers> {
    const { limit, before, peers, signal } = question
    const channel = this.#channel
    if (channel === undefined) return { found: 0, more: false, answers: 0 }
    const request = { limit, roster: true, ...(before && { before }) }
    const known = fresh.length
    const admit = async (
      peerId: string,
      jwts: string[],
    ): Promise<{ accepted: number; rejected: boolean }> => {
      const { messages, accepted, rejected } = await this.#state.admitHistory(jwts, peerId)
      fresh.push(...messages)
      return { accepted, rejected }
    }
    const ask = (peerId: string): Promise<BacklogOutcome> =>
      askBacklog(channel, peerId, request, {
        clock: this.#clock,
        signal,
        admitAll: (jwts) => admit(peerId, jwts),
      })
    const answers = await this.#recovery.run(ask, { signal, ...(peers !== undefined && { peers }) })
    const isBefore = (message: Message): boolean =>
      before === undefined || comparePositions(message, before) < 0
    return {
      found: fresh.slice(known).filter(isBefore).length,
      more: answers.some(({ more }) => more),
      answers: answers.length,
    }
  }

  /** The place of the oldest event that is known before a place, shown or not; the place itself where none is. */
  #oldest(before: Position | undefined): Position | undefined {
    const [oldest] = this.#state.timeline.slice(Number.POSITIVE_INFINITY, before).events
    return oldest === undefined ? before : positionOf(oldest)
  }

  /** What was written before the connection was made is backlog; what came after it only took another way. */
  #tell(messages: Message[], announce: boolean): void {
    if (this.#closing.signal.aborted) return
    const visible = messages.filter((message) => this.#state.shows(message)).sort(comparePositions)
    const before = visible.filter(({ timestamp }) => timestamp < this.#connectedAt)
    if (announce || before.length > 0) this.#listener.backlog(before)
    for (const message of visible.slice(before.length)) this.#listener.message(message)
  }
}
