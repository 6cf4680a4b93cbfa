import type { Clock } from '../clock.ts'
import { GhostChatError } from '../errors.ts'
import { Gate } from '../gate/gate.ts'
import { admitGossip, type GossipVerdict } from '../gate/gossip.ts'
import { Rates } from '../gate/rates.ts'
import type { Verifier } from '../identity/verifier.ts'
import { ROOM_AUTHOR_BURST, ROOM_AUTHOR_PER_SECOND } from '../limits.ts'
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
  readonly #unsent = new Map<string, Message>()
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
    /** A presence event came, live: somebody is there. */
    onArrival: (event: SignedEvent) => void
  }) {
    this.#did = options.did
    this.#clock = options.clock
    const author = { burst: ROOM_AUTHOR_BURST, perSecond: ROOM_AUTHOR_PER_SECOND }
    this.#gate = new Gate({ ...options, rates: new Rates({ clock: options.clock, author }) })
    this.#listener = options.listener
    this.#visibility = options.visibility
    this.#typing = options.typing
    this.#onArrival = options.onArrival
    this.#expiry = new ExpiryTimer(this.#clock, () => this.#expire())
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
    this.#applyLive(await this.#admitOwn(own))
  }

  /** {@link admitOwn} for a message, which has a fate from now on. */
  async admitOwnMessage(own: TimelineEvent): Promise<Message> {
    const event = await this.#admitOwn(own)
    const message = new Message(event, 'queued')
    this.#messages.set(event, message)
    this.#unsent.set(event.id, message)
    this.#applyLive(event)
    return message
  }

  /**
   * Admits what another member says happened before. Answers the messages that are
   * new, to be shown together. Whoever brings more than anybody can look at is not
   * listened to either.
   */
  async admitHistory(
    jwts: readonly string[],
    from: string,
  ): Promise<{ messages: Message[]; accepted: number; rejected: boolean }> {
    const source = { peerId: from, isCarrier: true }
    const bytes = jwts.reduce((sum, { length }) => sum + length, 0)
    if (!this.#gate.affords(source, { events: jwts.length, bytes })) {
      return { messages: [], accepted: 0, rejected: true }
    }
    const answers = await Promise.all(jwts.map((jwt) => this.#gate.admit(jwt, 'history', source)))
    if (this.#isClosed) return { messages: [], accepted: 0, rejected: false }
    const messages: Message[] = []
    let accepted = 0
    for (const answer of answers) {
      if (answer.verdict !== 'accept') continue
      accepted += 1
      const { event } = answer
      if (isType(event, 'message')) messages.push(...this.#keep(event))
      else this.#applyPresence(event)
    }
    return { messages, accepted, rejected: answers.some(({ verdict }) => verdict === 'reject') }
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
    const message = this.#unsent.get(id)
    if (message === undefined) return
    this.#unsent.delete(id)
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
