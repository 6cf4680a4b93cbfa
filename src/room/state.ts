import type { Clock } from '../clock.ts'
import { GhostChatError } from '../errors.ts'
import { Gate } from '../gate/gate.ts'
import { admitGossip, type GossipVerdict } from '../gate/gossip.ts'
import type { Verifier } from '../identity/verifier.ts'
import { type EventType, toMilliseconds } from '../wire/claims.ts'
import { isType, type Position, type SignedEvent } from '../wire/event.ts'
import { ExpiryTimer } from './expiry-timer.ts'
import type { RoomListener } from './listener.ts'
import { Message, type MessageStatus } from './message.ts'
import { Roster, type RosterChange } from './roster.ts'
import { Timeline, type TimelineEvent } from './timeline.ts'
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
  readonly #onArrival: (event: SignedEvent) => void
  readonly #expiry: ExpiryTimer
  /** By id: the own messages whose fate is open. */
  readonly #open = new Map<string, Message>()
  #lastArrival: Promise<void> = Promise.resolve()
  #isClosed = false
  /** One object a message, for as long as the timeline has the event. */
  readonly #messages = new WeakMap<TimelineEvent, Message>()

  constructor(options: {
    topic: string
    did: string
    clock: Clock
    verifier: Verifier
    listener: RoomListener
    visibility: Visibility
    typing: Typing
    /** A message or a presence event came, live. */
    onArrival: (event: SignedEvent) => void
  }) {
    this.#did = options.did
    this.#clock = options.clock
    this.#gate = new Gate(options)
    this.#listener = options.listener
    this.#visibility = options.visibility
    this.#typing = options.typing
    this.#onArrival = options.onArrival
    this.#expiry = new ExpiryTimer(this.#clock, () => this.#expire())
  }

  /** Admits a gossip message; the answer decides whether it travels on. */
  async admitGossip(data: Uint8Array): Promise<GossipVerdict> {
    // Verified side by side, applied in the order in which it came.
    const before = this.#lastArrival
    const admitting = admitGossip(this.#gate, data)
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
    this.#applyLive(await this.#admitOwn(own))
  }

  /** {@link admitOwn} for a message, which has a fate from now on. */
  async admitOwnMessage(own: TimelineEvent): Promise<Message> {
    const event = await this.#admitOwn(own)
    const message = new Message(event, 'queued')
    this.#messages.set(event, message)
    this.#open.set(event.id, message)
    this.#applyLive(event)
    return message
  }

  /**
   * Admits what another member says happened before. Answers the messages that are
   * new, to be shown together, and how many of the events belong to the timeline,
   * new or not. `early`: one is from a clock that is ahead, and may be right later.
   */
  async admitHistory(
    jwts: readonly string[],
  ): Promise<{ messages: Message[]; timeline: number; early: boolean; rejected: boolean }> {
    const answers = await Promise.all(jwts.map((jwt) => this.#gate.admit(jwt, 'history')))
    if (this.#isClosed) return { messages: [], timeline: 0, early: false, rejected: false }
    const messages: Message[] = []
    let timeline = 0
    for (const answer of answers) {
      if (!('event' in answer)) continue
      const { event, verdict } = answer
      if (isType(event, 'message')) timeline += 1
      if (verdict !== 'accept') continue
      if (isType(event, 'message')) messages.push(...this.#keep(event))
      else this.#applyPresence(event)
    }
    const early = answers.some((answer) => 'reason' in answer && answer.reason === 'in-the-future')
    return { messages, timeline, early, rejected: answers.some(({ verdict }) => verdict === 'reject') }
  }

  /** The newest visible messages before a place, oldest first. */
  messages(limit: number, before?: Position): Message[] {
    this.timeline.prune(this.#clock.now())
    const { events } = this.timeline.slice(Number.POSITIVE_INFINITY, before)
    const visible = events.map((event) => this.#messageOf(event)).filter((message) => this.shows(message))
    return visible.slice(Math.max(0, visible.length - limit))
  }

  /** A message by its id, while the window has it. */
  message(id: string): Message | undefined {
    this.timeline.prune(this.#clock.now())
    const event = this.timeline.get(id)
    return event && this.#messageOf(event)
  }

  shows(message: Message): boolean {
    return this.#visibility.shows(message)
  }

  /** Notes what became of an own message, whether or not the window still has it. */
  setStatus(id: string, status: MessageStatus): void {
    const message = this.#open.get(id)
    if (message === undefined) return
    if (status === 'acknowledged' || status === 'failed') this.#open.delete(id)
    Message.setStatus(message, status)
    this.#listener.messageUpdated(message)
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
  }

  async #admitOwn<T extends EventType>(own: SignedEvent<T>): Promise<SignedEvent<T>> {
    const answer = await this.#gate.admit(own.jwt, 'live')
    if (answer.verdict === 'accept') return own
    throw new GhostChatError(
      'signing-failed',
      `our own gate refuses what the signer signed: ${answer.reason}`,
    )
  }

  #applyLive(event: SignedEvent): void {
    if (this.#isClosed) return
    if (!isType(event, 'message')) {
      this.#applyPresence(event, true)
      return
    }
    const kept = this.#keep(event)
    this.#typing.ended(event.claims.iss, event.timestamp)
    for (const message of kept) if (this.shows(message)) this.#listener.message(message)
    this.#onArrival(event)
  }

  #applyPresence(event: SignedEvent, live = false): void {
    if (isType(event, 'join', 'presence', 'leave')) {
      this.#tell(this.roster.apply(event))
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

  /** Puts a message into the timeline. Answers it unless the window has no place for it. */
  #keep(event: TimelineEvent): Message[] {
    return this.timeline.add(event, this.#clock.now()) ? [this.#messageOf(event)] : []
  }

  #messageOf(event: TimelineEvent): Message {
    const known = this.#messages.get(event)
    if (known !== undefined) return known
    const message = new Message(event, 'sent')
    this.#messages.set(event, message)
    return message
  }

  #expire(): void {
    this.#tell(this.roster.expire(this.#clock.now()))
    this.#expiry.by(this.roster.nextDeadline())
  }

  #tell(changes: RosterChange[]): void {
    for (const change of changes) {
      if (change.did === this.#did) continue
      if (change.kind === 'joined') this.#listener.joined(change.did)
      else if (change.kind === 'updated') this.#listener.updated(change.did)
      else {
        this.#typing.ended(change.did)
        this.#listener.left(change.did, change.reason)
      }
    }
  }
}
