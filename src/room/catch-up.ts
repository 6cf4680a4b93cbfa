import { untilAborted } from '../abort.ts'
import type { Clock } from '../clock.ts'
import {
  CONNECT_WAIT_MS,
  FUTURE_MS,
  RETENTION_MS,
  SECOND_LOOK_MS,
  SYNC_NEWEST_MAX,
  SYNC_PEERS,
} from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { Channel } from '../network/network.ts'
import type { Random } from '../random.ts'
import type { Position, SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'
import { encodeFrame } from '../wire/frame.ts'
import { type Bound, SALT_BYTES } from '../wire/sync.ts'
import { Bridge } from './bridge.ts'
import { Gaps } from './gaps.ts'
import { Horizon } from './horizon.ts'
import type { RoomListener } from './listener.ts'
import type { Message } from './message.ts'
import { News } from './news.ts'
import { QuietLooks } from './quiet-looks.ts'
import { compareBounds, isBefore } from './reconciler.ts'
import type { Recovery } from './recovery.ts'
import { Repair } from './repair.ts'
import type { RoomState } from './state.ts'
import { type NewestQuestion, type SyncContents, type SyncOutcome, SyncSession } from './sync-session.ts'
import { isTimelineEvent } from './timeline.ts'

/** How many pages `request` asks for beyond those its limit needs. */
const PAGES_BEYOND = 10
/** How often others are asked where nobody had older events. */
const IN_VAIN_MAX = 2
/** The longest pause between two looks when nobody answers. */
const LATE_LOOK_MAX_MS = 24_000

/** What was asked of one member after the other. */
interface Round {
  /** Only the newest events before a place; otherwise all that this device keeps is compared. */
  newest?: NewestQuestion
  /** How many members to ask. */
  peers: number
  /** Who is asked before others, where they can be. */
  first?: readonly string[] | undefined
  /** Told who is asked. */
  onAsk?: (peerId: string) => void
  signal: AbortSignal
}

/** What came of it. */
interface Answers {
  /** How many members answered. */
  count: number
  /** How many of them to the end. */
  whole: number
  /** Somebody has older events than it sent. */
  more: boolean
}

/**
 * Learns from other members what this device missed: whenever a connection is
 * made, once more a little later, when an event names one that is not here, when
 * the application asks, and now and then without a reason.
 */
export class CatchUp {
  readonly #clock: Clock
  readonly #random: Random
  readonly #logger: Logger
  readonly #news: News
  readonly #state: RoomState
  readonly #recovery: Recovery
  readonly #backlogLimit: number
  readonly #onCompared: (ids: string[]) => void
  readonly #gaps: Gaps
  readonly #horizon: Horizon
  readonly #quietLooks: QuietLooks
  readonly #bridge: Bridge
  readonly #repair: Repair
  readonly #closing = new AbortController()
  #channel: Channel | undefined
  /** Settles when this device knows what it missed, as far as others could tell. */
  #caughtUp: Promise<void> = Promise.resolve()
  #endConnectWait = (_then?: Promise<void>): void => {}
  #cancelSecondLook = (): void => {}
  /** The backlog did not come yet; later, what is asked for is only what was missed. */
  #isNewcomer = true

  constructor(options: {
    clock: Clock
    random: Random
    logger: Logger
    listener: RoomListener
    state: RoomState
    recovery: Recovery
    /** How many messages to ask for when a connection is first made, 0 to 100. */
    backlogLimit: number
    /** Another member has these events, too. */
    onCompared: (ids: string[]) => void
  }) {
    this.#clock = options.clock
    this.#random = options.random
    this.#logger = options.logger
    this.#news = new News(options)
    this.#state = options.state
    this.#recovery = options.recovery
    this.#backlogLimit = options.backlogLimit
    this.#onCompared = options.onCompared
    this.#gaps = new Gaps(options.state.timeline, () => this.#recovery.candidates())
    this.#horizon = new Horizon(options.clock.now(), this.#backlogLimit > 0)
    this.#repair = new Repair({
      ...options,
      gaps: this.#gaps,
      isSaidMissing: () => this.#news.wasComplete === false,
      look: (first, onAsk) => {
        this.#quietLooks.start()
        return this.#look({ peers: 1, first, onAsk, signal: this.#closing.signal })
      },
    })
    this.#bridge = new Bridge({
      ...options,
      passOn: (event) => this.#state.passOn(event),
      publish: ({ jwt }) => {
        this.#quietLooks.start()
        this.#channel?.publish(encodeFrame([jwt])).catch(() => {})
      },
    })
    this.#quietLooks = new QuietLooks({ ...options, look: () => this.#lookQuietly() })
  }

  /** What this device brings into a comparison. */
  contents(): SyncContents {
    const now = this.#clock.now()
    const { timeline, roster } = this.#state
    timeline.prune(now)
    const { events } = timeline.slice(Number.POSITIVE_INFINITY)
    const beginning = timeline.beginning(now)
    return {
      roster: roster.events(),
      timeline: events,
      floor: compareBounds(beginning, this.#horizon.bound) < 0 ? this.#horizon.bound : beginning,
      isCurrent: (event) => !isTimelineEvent(event) || !timeline.isOutdone(event),
    }
  }

  /** The heads of what is here without a gap. */
  heads(): EventId[] {
    return this.#state.timeline.heads(this.#gaps.open())
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
    this.#news.connected()
    const { signal } = this.#closing
    const onFailure = (thrown: unknown): void => this.#logger.debug('catching up ended early', thrown)
    this.#caughtUp = this.#catchUp(signal).catch(onFailure)
    this.lookAgain()
    this.#quietLooks.start()
    this.#endConnectWait(this.#caughtUp)
  }

  /**
   * Asks two more members in a few seconds for what may have been missed, or kept
   * from us, and where nobody answered, again later: right after a node came back,
   * members cannot be reached yet.
   */
  lookAgain(afterMs = SECOND_LOOK_MS): void {
    const { signal } = this.#closing
    this.#cancelSecondLook()
    this.#cancelSecondLook = this.#clock.after(afterMs, () => {
      const isFirst = this.#isNewcomer
      this.#look({ peers: SYNC_PEERS - 1, signal }).then(
        (count) => {
          const isAlone = this.#recovery.candidates().length === 0
          if (signal.aborted || isAlone) return
          if (count === 0) this.lookAgain(Math.min(2 * afterMs, LATE_LOOK_MAX_MS))
          else if (isFirst) this.lookAgain()
        },
        (thrown) => this.#logger.debug('a second look ended early', thrown),
      )
    })
  }

  /** New messages came live. */
  heard(messages: readonly Message[]): void {
    this.#news.heard(messages)
  }

  /** An event came live. Where it names others that are not here, they are asked for, unless they come. */
  arrived(event: SignedEvent, from: readonly string[]): void {
    this.#repair.arrived(event, from)
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
    let pages = Math.ceil(limit / SYNC_NEWEST_MAX) + PAGES_BEYOND
    for (let inVain = 0; pages > 0 && inVain < IN_VAIN_MAX; pages -= 1) {
      if (this.#state.countMessages(before) >= limit) break
      const { bound, isOpen } = this.#horizon
      const newest = { limit: SYNC_NEWEST_MAX, before: bound }
      await this.#look({ peers: SYNC_PEERS, signal, ...(!isOpen && { newest }) })
      // Who was alone wants everything, until the first page says that there is more than that.
      if ((isOpen && this.#horizon.isOpen) || this.#recovery.candidates().length === 0) break
      // Whoever was asked may have come late itself.
      inVain = this.#horizon.bound === bound ? inVain + 1 : 0
    }
    return this.#state.messages(limit, before)
  }

  /** Events came that a peer sent because it saw that they were missing here; the messages among them. */
  received(events: readonly SignedEvent[], messages: Message[]): void {
    this.#missed(events)
    this.#news.brought(messages)
    if (this.#news.isGathering || messages.length === 0) return
    this.#tellRecovered(messages.length, this.#news.wasComplete === true ? 1 : 0)
  }

  /** The room was left. */
  close(reason: Error): void {
    this.#closing.abort(reason)
    this.#news.close()
    this.#endConnectWait()
    this.#cancelSecondLook()
    this.#quietLooks.close()
    this.#bridge.close()
    this.#repair.close()
  }

  async #catchUp(signal: AbortSignal): Promise<void> {
    const fresh: Message[] = []
    let whole = 0
    const gathering = this.#news.gather()
    try {
      whole = (await this.#askForMissed({ peers: 1, signal }, fresh)).whole
    } finally {
      gathering.end()
    }
    this.#tellRecovered(new Set([...gathering.messages, ...fresh]).size, whole, true)
  }

  /** What a newcomer misses is the backlog, and anybody else what came since. */
  async #askForMissed(round: Round, fresh: Message[]): Promise<Answers> {
    const isNewcomer = this.#isNewcomer
    const isBacklog = isNewcomer && round.newest === undefined
    const answers = await (isBacklog ? this.#fetchBacklog(round, fresh) : this.#ask(round, fresh))
    if (isNewcomer && this.#recovery.candidates().length === 0) this.#horizon.alone()
    return answers
  }

  /**
   * The backlog up to its limit. In a lively room the newest messages are not
   * history but what has come since the connection was made: then a newcomer asks
   * once more, for those before.
   */
  async #fetchBacklog(round: Round, fresh: Message[]): Promise<Answers> {
    const limit = this.#backlogLimit
    const answers = await this.#ask({ ...round, newest: { limit } }, fresh)
    const history = fresh.filter(({ timestamp }) => timestamp < this.#news.connectedAt).length
    if (answers.more && history < limit) {
      const newest = { limit: limit - history, before: this.#horizon.bound }
      await this.#ask({ newest, peers: 1, signal: round.signal }, fresh)
    }
    if (answers.count > 0) this.#isNewcomer = false
    return answers
  }

  #lookQuietly(): void {
    // Whoever has no answer yet is still asking.
    if (this.#isNewcomer || this.#recovery.candidates().length === 0) return
    this.#look({ peers: 1, signal: this.#closing.signal }, true).catch((thrown) =>
      this.#logger.debug('a quiet look ended early', thrown),
    )
  }

  /** Answers how many members answered. */
  async #look(round: Round, isQuiet = false): Promise<number> {
    const fresh: Message[] = []
    let whole = 0
    try {
      const answers = await this.#askForMissed(round, fresh)
      whole = answers.whole
      return answers.count
    } finally {
      // That nobody answered is no news where nothing was missed.
      if (!isQuiet || whole > 0 || fresh.length > 0) this.#tellRecovered(fresh.length, whole)
    }
  }

  /** Compares with members, one after the other at first. What is new goes into `fresh`, also when it ends early. */
  async #ask(round: Round, fresh: Message[]): Promise<Answers> {
    const { newest, peers, first, onAsk, signal } = round
    const channel = this.#channel
    if (channel === undefined) return { count: 0, whole: 0, more: false }
    const missing = this.#gaps.open()
    const ask = async (peerId: string): Promise<SyncOutcome> => {
      onAsk?.(peerId)
      const outcome = await this.#compare(channel, peerId, { newest, missing, fresh, signal })
      if (newest === undefined && !outcome.isCut) this.#foundWithout(missing, peerId, outcome.floor)
      return outcome
    }
    const answers = await this.#recovery.run(ask, { signal, peers, ...(first && { first }) })
    return {
      count: answers.length,
      whole: answers.filter(({ isCut }) => !isCut).length,
      more: answers.some(({ restBefore }) => restBefore !== undefined),
    }
  }

  /** Who named what it does not give away has it from before the time that is wanted here. */
  #foundWithout(missing: readonly EventId[], peerId: string, floor: Bound): void {
    if (this.#gaps.isOwedBy(missing, peerId) && this.#horizon.loosen()) return
    this.#gaps.without(missing, peerId, this.#keepsAll(floor))
  }

  /** Whether who keeps the timeline from there on keeps all that is wanted here. */
  #keepsAll(floor: Bound): boolean {
    const isWhole = floor.timestamp <= this.#clock.now() - RETENTION_MS + FUTURE_MS
    return isWhole || compareBounds(floor, this.#horizon.bound) <= 0
  }

  async #compare(
    channel: Channel,
    peerId: string,
    round: { newest: NewestQuestion | undefined; missing: EventId[]; fresh: Message[]; signal: AbortSignal },
  ): Promise<SyncOutcome> {
    const { newest, missing, fresh, signal } = round
    const stream = await channel.open(peerId, { signal })
    const abort = (): void => stream.abort(new Error('the comparison was given up'))
    signal.addEventListener('abort', abort, { once: true })
    const came = new Map<EventId, SignedEvent>()
    let untimely = 0
    let isEarly = false
    try {
      signal.throwIfAborted()
      const contents = this.contents()
      const session = new SyncSession({
        stream,
        clock: this.#clock,
        contents,
        salt: this.#random.bytes(SALT_BYTES),
        admitAll: async (jwts) => {
          const admitted = await this.#state.admitHistory(jwts, peerId)
          const { messages, timeline, early, rejected } = admitted
          this.#missed(admitted.fresh)
          fresh.push(...messages)
          this.#news.brought(messages)
          for (const event of timeline) came.set(event.id, event)
          untimely += admitted.untimely
          isEarly ||= early
          return { rejected }
        },
      })
      const outcome = await session.open(newest)
      if (isEarly) outcome.isCut = true
      if (newest !== undefined) {
        const isFirst = !this.#horizon.hasPage
        const events = [...came.values()]
        this.#horizon.widen(newest, outcome, { events, untimely, now: this.#clock.now() })
        const open = this.#gaps.open()
        const named = new Set(events.flatMap(({ claims }) => claims.parents))
        const ids = open.filter((id) => named.has(id) && !missing.includes(id))
        const isWhole = outcome.restBefore === undefined
        // Who wants no history is without all that there was.
        if (newest.limit === 0) this.#gaps.outside(open)
        else if (isFirst && !isWhole)
          this.#gaps.outside(this.#gaps.notNamedSince(open, this.#news.connectedAt))
        else if (!isWhole) this.#gaps.outside(ids)
        // All that the peer has: what that names was deleted there, or replaced.
        else if (newest.before === undefined) this.#gaps.without(ids, peerId, this.#keepsAll(outcome.floor))
      } else if (!outcome.isCut) {
        // Whether it took what was sent to it only what it names will tell.
        const both = contents.timeline.filter(
          (event) => !isBefore(event, outcome.floor) && !session.sent.has(event.id),
        )
        this.#onCompared(both.map(({ id }) => id))
      }
      return outcome
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /**
   * A comparison brought these. What came after the connection was made gossip should bring, too; where it did not, and
   * where that was made before, others may be without it as well.
   */
  #missed(events: readonly SignedEvent[]): void {
    const live = events.filter(({ timestamp }) => timestamp >= this.#news.connectedAt)
    this.#bridge.add(live)
    if (live.length < events.length) this.#quietLooks.start()
  }

  /** Tells at the end of a first look, and later when something came or what was said before holds no more. */
  #tellRecovered(count: number, whole: number, always = false): void {
    const isAnswered = whole > 0 || this.#recovery.candidates().length === 0
    this.#repair.later()
    this.#news.recovered({ complete: isAnswered && this.#gaps.open().length === 0, count }, always)
  }
}
