import type { Clock } from '../clock.ts'
import { GhostChatError } from '../errors.ts'
import { Gate } from '../gate/gate.ts'
import { admitGossip, type GossipVerdict } from '../gate/gossip.ts'
import { Rates } from '../gate/rates.ts'
import type { Verifier } from '../identity/verifier.ts'
import { ROOM_AUTHOR_BURST, ROOM_AUTHOR_PER_SECOND } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import { isType, type Position, type SignedEvent } from '../wire/event.ts'
import type { MessageEvent } from './changes.ts'
import { ExpiryTimer } from './expiry-timer.ts'
import type { RoomListener } from './listener.ts'
import type { Message, MessageStatus } from './message.ts'
import { Messages } from './messages.ts'
import { Roster, type RosterChange } from './roster.ts'
import { isTimelineEvent, Timeline } from './timeline.ts'
import type { Typing } from './typing.ts'
import type { Visibility } from './visibility.ts'

/**
 * What a device knows of a room: who is there and what was said. Both are folds
 * over the events the gate admits, and nothing else changes them.
 */
export class RoomState {
  readonly roster = new Roster()
  readonly timeline = new Timeline()
  readonly #did: string
  readonly #clock: Clock
  readonly #gate: Gate
  readonly #listener: RoomListener
  readonly #visibility: Visibility
  readonly #typing: Typing
  readonly #onMessages: (messages: readonly Message[]) => void
  readonly #onArrival: (event: SignedEvent) => void
  readonly #expiry: ExpiryTimer
  readonly #messages: Messages
  #lastArrival: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: {
    topic: string
    did: string
    clock: Clock
    verifier: Verifier
    listener: RoomListener
    visibility: Visibility
    typing: Typing
    /** New messages of others came, live: to reveal them and to tell that is up to whoever gets them. */
    onMessages: (messages: readonly Message[]) => void
    /** A message or a presence event came, live. */
    onArrival: (event: SignedEvent) => void
  }) {
    this.#did = options.did
    this.#clock = options.clock
    const author = { burst: ROOM_AUTHOR_BURST, perSecond: ROOM_AUTHOR_PER_SECOND }
    this.#gate = new Gate({ ...options, rates: new Rates({ clock: options.clock, author }) })
    this.#listener = options.listener
    this.#visibility = options.visibility
    this.#typing = options.typing
    this.#onMessages = options.onMessages
    this.#onArrival = options.onArrival
    this.#expiry = new ExpiryTimer(this.#clock, () => this.#expire())
    this.#messages = new Messages({ ...options, timeline: this.timeline, now: () => this.#clock.now() })
  }

  /** Admits a gossip message of a neighbour; the answer decides whether it travels on. */
  async admitGossip(data: Uint8Array, from: string): Promise<GossipVerdict> {
    // Verified side by side, applied in the order in which it came.
    const before = this.#lastArrival
    // A node brings what everybody writes, and so does a member where there is no node.
    const admitting = admitGossip(this.#gate, data, { peerId: from, isCarrier: true })
    // Its value is dropped: it would hold on to that of the one before, and so to all.
    this.#lastArrival = Promise.all([before, admitting]).then(() => {})
    await before
    const { verdict, events } = await admitting
    for (const event of events) this.#applyLive(event)
    return verdict
  }

  /**
   * Admits an event of our own, as strictly as anybody's.
   *
   * @throws `signing-failed` when the gate refuses it: the signer signed something else.
   */
  async admitOwn(own: SignedEvent): Promise<void> {
    await this.#admitOwn(own)
    this.#applyLive(own)
  }

  /** {@link admitOwn} for a message, which has a fate from now on. */
  async admitOwnMessage(own: MessageEvent): Promise<Message> {
    await this.#admitOwn(own)
    const message = this.#messages.expect(own)
    // Its author is told of it first, and of its fate then.
    this.#applyLive(own, (messages) => {
      for (const told of this.reveal(messages)) this.#listener.message(told)
    })
    return message
  }

  /**
   * Admits what another member says happened before. Answers the messages that are
   * new, to be shown together, and the events that belong to the timeline, new or not. `fresh`: the events that are
   * new. `untimely`: how many are over, or may be right later: from a clock that is ahead, of too many authors, or
   * where verifying failed; `early`: there is one of the latter. Whoever brings more than anybody can look at is not listened to either.
   */
  async admitHistory(
    jwts: readonly string[],
    from: string,
  ): Promise<{
    messages: Message[]
    fresh: SignedEvent[]
    timeline: SignedEvent[]
    untimely: number
    early: boolean
    rejected: boolean
  }> {
    const nothing = { messages: [], fresh: [], timeline: [], untimely: 0, early: false }
    const source = { peerId: from, isCarrier: true }
    const bytes = jwts.reduce((sum, { length }) => sum + length, 0)
    if (!this.#gate.affords(source, { events: jwts.length, bytes })) {
      return { ...nothing, rejected: true }
    }
    const messages: Message[] = []
    const fresh: SignedEvent[] = []
    const answers = await Promise.all(
      jwts.map(async (jwt) => {
        const answer = await this.#gate.admit(jwt, 'history', source)
        if (this.#isClosed || answer.verdict !== 'accept') return answer
        // At once: whoever else brings it is told that it is known, and may then ask what is here.
        const { event } = answer
        fresh.push(event)
        if (isTimelineEvent(event)) messages.push(...this.#messages.add(event))
        else this.#applyPresence(event)
        return answer
      }),
    )
    if (this.#isClosed) return { ...nothing, rejected: false }
    const timeline = answers.flatMap((answer) =>
      'event' in answer && isTimelineEvent(answer.event) ? [answer.event] : [],
    )
    const reasons = answers.map((answer) => ('reason' in answer ? answer.reason : undefined))
    const untimely = reasons.filter((reason) => reason !== undefined && reason !== 'duplicate')
    const early = untimely.some((reason) => reason !== 'expired' && reason !== 'not-history')
    const rejected = answers.some(({ verdict }) => verdict === 'reject')
    return { messages, fresh, timeline, untimely: untimely.length, early, rejected }
  }

  /** Whether an event that came as history is here still, and may travel on and did not yet. From now on it has. */
  passOn(event: SignedEvent): boolean {
    if (isTimelineEvent(event) && this.timeline.get(event.id) === undefined) return false
    return toMilliseconds(event.claims.exp) > this.#clock.now() && this.#gate.passOnLate(event)
  }

  /** How many messages there are to be shown before a place. */
  countMessages(before?: Position): number {
    return this.#messages.count(before)
  }

  /** The newest of them, oldest first. From now on the application hears of their changes. */
  messages(limit: number, before?: Position): Message[] {
    return this.#messages.newest(limit, before)
  }

  /** A message by its id, while the window has it. */
  message(id: string): Message | undefined {
    return this.#messages.get(id)
  }

  /** Those of some messages that are to be shown. From now on the application hears of their changes. */
  reveal(messages: readonly Message[]): Message[] {
    return this.#messages.reveal(messages)
  }

  /** Notes what became of an own message, whether or not the window still has it. */
  setStatus(id: string, status: MessageStatus): void {
    this.#messages.setStatus(id, status)
  }

  /** Somebody was muted or no longer is. */
  review(): void {
    if (!this.#isClosed) this.#messages.review()
  }

  /** The connection to a device was lost. */
  lose(peerId: string): void {
    if (this.#isClosed) return
    this.roster.lose(peerId, this.#clock.now())
    this.#expiry.by(this.roster.nextDeadline())
  }

  /** What is still being verified takes no effect any more. */
  close(): void {
    this.#isClosed = true
    this.#expiry.cancel()
    this.#messages.close()
  }

  async #admitOwn(own: SignedEvent): Promise<void> {
    const answer = await this.#gate.admit(own.jwt, 'live')
    if (answer.verdict === 'accept') return
    throw new GhostChatError(
      'signing-failed',
      `our own gate refuses what the signer signed: ${answer.reason}`,
    )
  }

  #applyLive(event: SignedEvent, onMessages = this.#onMessages): void {
    if (this.#isClosed) return
    if (!isTimelineEvent(event)) {
      this.#applyPresence(event, true)
      return
    }
    const news = this.#messages.add(event)
    if (isType(event, 'message', 'edit')) this.#typing.ended(event.claims.iss, event.timestamp)
    if (news.length > 0) onMessages(news)
    this.#onArrival(event)
  }

  #applyPresence(event: SignedEvent, live = false): void {
    if (isType(event, 'join', 'presence', 'leave')) {
      this.#tell(this.roster.apply(event, live))
      this.#expiry.by(toMilliseconds(event.claims.exp))
      if (live) this.#onArrival(event)
    } else if (isType(event, 'typing')) {
      this.#applyTyping(event)
    }
  }

  #applyTyping(event: SignedEvent<'typing'>): void {
    const { iss: did, exp, state } = event.claims
    if (did === this.#did || this.#visibility.isMuted(did)) return
    if (state === 'start') this.#typing.began(did, event.timestamp, toMilliseconds(exp))
    else this.#typing.ended(did, event.timestamp)
  }

  #expire(): void {
    this.#tell(this.roster.expire(this.#clock.now()))
    this.#expiry.by(this.roster.nextDeadline())
  }

  #tell(changes: RosterChange[]): void {
    for (const change of changes) {
      if (change.did === this.#did) continue
      // It was left in a listener of what came before.
      if (this.#isClosed) return
      if (change.kind === 'joined') this.#listener.joined(change.did)
      else if (change.kind === 'updated') this.#listener.updated(change.did)
      else {
        this.#typing.ended(change.did)
        this.#listener.left(change.did, change.reason)
      }
    }
  }
}
