import { type Clock, steady } from '../clock.ts'
import { describe, GhostChatError } from '../errors.ts'
import { Pace } from '../gate/pace.ts'
import type { Author } from '../identity/author.ts'
import type { Verifier } from '../identity/verifier.ts'
import { RESEND_MAX_MS, RESEND_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { Channel, Network } from '../network/network.ts'
import { once } from '../once.ts'
import type { Random } from '../random.ts'
import { isType, type SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'
import { encodeFrame } from '../wire/frame.ts'
import type { JsonObject } from '../wire/json.ts'
import { ACKNOWLEDGERS, Acknowledger } from './acknowledger.ts'
import { CatchUp } from './catch-up.ts'
import type { RoomListener } from './listener.ts'
import type { Message } from './message.ts'
import { Outbox } from './outbox.ts'
import { Presence } from './presence.ts'
import { Recovery } from './recovery.ts'
import { RoomStatusMachine } from './room-status.ts'
import { RoomState } from './state.ts'
import { SyncServer } from './sync-server.ts'
import { isTimelineEvent } from './timeline.ts'
import { Typing } from './typing.ts'
import { Visibility } from './visibility.ts'
import { Writer } from './writer.ts'

/** What a room is made of. */
export interface RoomOptions {
  topic: string
  author: Author
  network: Network
  verifier: Verifier
  clock: Clock
  random: Random
  logger: Logger
  /** What the own device shows of its user. */
  presence: JsonObject
  /** How many messages to ask for whenever a connection is made, 0 to 100. */
  backlogLimit: number
  listener: RoomListener
}

/**
 * When the members that lost a node say that they are still there: before its wills are published, after 10 s, and
 * not before a page that is closing is closed. Firefox ends its WebSockets first, and what it then says over a direct
 * connection would come after its leave.
 */
const REASSERT_AFTER_MS = 3_000
const REASSERT_WITHIN_MS = 3_000
/** A neighbour that comes this soon after another is no news of its own. */
const JUST_NOW_MS = 500
/** How long after a neighbour came back the next one that does is greeted later, together with those after it. */
const BACK_PAUSE_MS = 3_000

/** One room from the inside: what is done to it by its owner, its network and time. */
export class Room {
  readonly topic: string
  readonly state: RoomState
  readonly presence: Presence
  readonly typing: Typing
  readonly visibility: Visibility
  readonly status: RoomStatusMachine
  readonly writer: Writer
  readonly #options: RoomOptions
  readonly #author: Author
  readonly #outbox: Outbox
  readonly #recovery: Recovery
  readonly #catchUp: CatchUp
  readonly #server: SyncServer
  readonly #acknowledger: Acknowledger
  /** Ends the wait before what nobody acknowledged is sent again. */
  #cancelResend: (() => void) | undefined
  #resendPauseMs = RESEND_MS
  #channel: Channel | undefined
  #neighbours = 0
  readonly #pauses: Clock
  /** When this device last joined again because it reached somebody, and because somebody came back. */
  #reachedAt = Number.NEGATIVE_INFINITY
  #backAt = Number.NEGATIVE_INFINITY
  /** Whoever took the last messages may be gone with them: they are sent again beside the next presence. */
  #isToRepeat = false
  /** A neighbour's connection was lost, and no neighbour has come since. */
  #hasLost = false

  constructor(options: RoomOptions) {
    const { topic, author, network, clock, random, logger, listener } = options
    this.#options = options
    this.#pauses = steady(clock)
    this.topic = topic
    this.#author = author
    this.status = new RoomStatusMachine((status) => listener.status(status))
    this.visibility = new Visibility((thrown) =>
      this.#fail('listener-failed', 'a message filter threw', thrown),
    )
    this.typing = new Typing({
      clock,
      send: (state) => this.#sendTyping(state),
      onChange: (dids) => listener.typing(dids),
    })
    this.state = new RoomState({
      ...options,
      did: author.did,
      visibility: this.visibility,
      typing: this.typing,
      onMessages: (messages) => this.#catchUp.heard(messages),
      onArrival: (event) => this.#onArrival(event),
    })
    this.presence = new Presence({
      clock,
      peerId: network.peerId,
      data: options.presence,
      write: (type, body) =>
        author.write(topic, type, body, type === 'leave' ? {} : { parents: this.#catchUp.heads() }),
      publish: (event) => this.#publishPresence(event),
      entrust: ({ jwt }) => void this.#channel?.entrust(jwt),
      onFailure: (thrown) => this.#fail('signing-failed', 'unable to renew the presence', thrown),
    })
    const pace = new Pace(clock)
    this.#outbox = new Outbox({
      publish: (frame) => this.#publish(frame),
      onFate: (event, fate) => {
        this.state.setStatus(event.id, fate)
        if (fate === 'sent') this.#resendLater()
      },
      isOutdone: (event) => isTimelineEvent(event) && this.state.timeline.isOutdone(event),
      clock,
      hasNeighbours: () => (this.#channel?.neighbours() ?? 0) > 0,
      pace: (events) => pace.take(events),
      isAlone: () => this.#recovery.candidates().length === 0,
    })
    this.writer = new Writer({
      ...options,
      state: this.state,
      outbox: this.#outbox,
      typing: this.typing,
      heads: () => this.#catchUp.heads(),
      assertOpen: () => this.assertOpen(),
    })
    this.#recovery = new Recovery({ clock, random, logger, candidates: () => this.#otherPeers() })
    this.#catchUp = new CatchUp({
      ...options,
      state: this.state,
      recovery: this.#recovery,
      onCompared: (ids) => this.#outbox.acknowledge(ids),
    })
    this.#acknowledger = new Acknowledger({
      clock,
      isTurn: ({ id, claims }) =>
        claims.iss !== author.did && this.presence.isAmong(ACKNOWLEDGERS, id, this.#peersBut(claims.iss)),
      acknowledge: () => this.presence.renew(),
    })
    this.#server = new SyncServer({
      clock,
      contents: () => this.#catchUp.contents(),
      admitAll: async (jwts, peerId) => {
        const { fresh, messages, rejected } = await this.state.admitHistory(jwts, peerId)
        this.#catchUp.received(fresh, messages)
        return { rejected }
      },
    })
  }

  /**
   * Enters the room. The channel is joined last and nothing is awaited after it,
   * so that whoever awaits this can listen before anything comes.
   *
   * @throws `signing-failed`
   */
  async open(): Promise<void> {
    await this.presence.join()
    this.assertOpen()
    const channel = this.#options.network.join(this.topic, {
      onGossip: (data, from) => this.state.admitGossip(data, from),
      onNeighbours: () => this.#onNeighbours(),
      onWider: () => this.#onWider(),
      onPeerLost: (peerId) => this.#onPeerLost(peerId),
      onStream: (stream, peerId) => void this.#server.serve(stream, peerId),
    })
    this.#channel = channel
    this.#catchUp.open(channel)
    this.#onNeighbours()
  }

  /** The newest messages before a place, after asking other members for them. */
  async requestBacklog(options: Parameters<CatchUp['request']>[0]): Promise<Message[]> {
    this.assertOpen()
    return this.#catchUp.request(options)
  }

  /** Leaves: says so, and ends everything. Never rejects. */
  readonly close = once(() => this.#shutDown())

  async #shutDown(): Promise<void> {
    this.status.close()
    this.typing.close()
    this.#catchUp.close(chatLeft())
    this.#acknowledger.close()
    this.#cancelResend?.()
    this.#outbox.close()
    this.state.close()
    await this.presence.close().catch((thrown) => this.#options.logger.debug('no leave was sent', thrown))
    this.#channel?.leave()
    this.#server.close()
  }

  /** The page is going away, maybe for good: says that this device left, without waiting for anything. */
  pause(): void {
    this.presence.leave().catch((thrown) => this.#options.logger.debug('no leave was sent', thrown))
  }

  /** The page is back after {@link pause}. */
  resume(): void {
    if (!this.#isClosed) this.#join()
  }

  /** @throws `chat-left` */
  assertOpen(): void {
    if (this.#isClosed) throw chatLeft()
  }

  get #isClosed(): boolean {
    return this.status.status.current === 'closed'
  }

  /** Whoever was lost and is back has missed us, and we it. */
  #onNeighbours(): void {
    const before = this.#neighbours
    this.#neighbours = this.#channel?.neighbours() ?? 0
    const isConnected = this.status.neighbours(this.#neighbours)
    const isBack = this.#hasLost && this.#neighbours > before
    // A listener may have left the chat.
    if (this.#isClosed || (!isConnected && !isBack)) return
    this.#hasLost = false
    void this.#outbox.flush()
    if (!isConnected && this.#pauses.now() - this.#backAt < BACK_PAUSE_MS) {
      // A neighbour that comes and goes is not worth a join each time.
      this.presence.reassert(BACK_PAUSE_MS)
      this.#catchUp.lookAgain()
      return
    }
    if (isBack) {
      this.#reachedAt = this.#pauses.now()
      this.#backAt = this.#pauses.now()
    }
    this.#catchUp.connected()
    this.#join()
  }

  /** Whoever is behind another node has not heard of us, nor we of them. */
  #onWider(): void {
    if (this.#isClosed || this.#pauses.now() - this.#reachedAt < JUST_NOW_MS) return
    this.#reachedAt = this.#pauses.now()
    this.#catchUp.lookAgain()
    this.#join()
  }

  #onPeerLost(peerId: string): void {
    if (this.#isClosed) return
    this.#hasLost = true
    this.#isToRepeat = true
    this.state.lose(peerId)
    if ((this.#channel?.neighbours() ?? 0) === 0) return
    // Others are still there. A node that lost us would publish our will, unless it hears of us; and what was on its
    // way through whoever is gone may not have arrived.
    this.presence.reassert(REASSERT_AFTER_MS + this.#options.random.fraction() * REASSERT_WITHIN_MS)
    this.#catchUp.lookAgain()
  }

  #join(): void {
    this.presence
      .join()
      .catch((thrown) => this.#fail('signing-failed', 'unable to announce the presence', thrown))
  }

  #onArrival(event: SignedEvent): void {
    const { iss } = event.claims
    const devices = isType(event, 'join', 'presence', 'leave')
      ? [event.claims.peer]
      : (this.state.roster.member(iss)?.devices ?? [])
    this.#catchUp.arrived(event, devices)
    this.#acknowledger.arrived(event)
    if (!devices.includes(this.#options.network.peerId) || iss !== this.#author.did) this.#named(event)
    if (isType(event, 'join', 'presence', 'leave')) this.#onPresence(event)
  }

  #onPresence(event: SignedEvent<'join' | 'presence' | 'leave'>): void {
    const { peer, iss } = event.claims
    if (peer === this.#options.network.peerId) {
      // A node took us for gone, and published our will.
      if (isType(event, 'leave') && iss === this.#author.did) this.presence.reassert()
      return
    }
    this.#recovery.notify()
    if (!isType(event, 'join')) return
    this.presence.greet(
      event.id,
      this.state.roster.peers().filter((other) => other !== peer),
    )
  }

  /** Whoever names an event has it, and what that one names. */
  #named(event: SignedEvent): void {
    const unacknowledged = this.#outbox.unacknowledged
    const [oldest] = unacknowledged.values()
    if (oldest === undefined) return
    const ancestors = this.state.timeline.ancestors(event.claims.parents, oldest.timestamp)
    this.#outbox.acknowledge([...unacknowledged.keys()].filter((id) => ancestors.has(id as EventId)))
  }

  /** Sends again what nobody acknowledged, as long as there is any, less and less often. */
  #resendLater(): void {
    this.#cancelResend ??= this.#options.clock.after(this.#resendPauseMs, () => {
      this.#cancelResend = undefined
      if (this.#outbox.unacknowledged.size === 0) {
        this.#resendPauseMs = RESEND_MS
        return
      }
      this.#resendPauseMs = Math.min(RESEND_MAX_MS, 2 * this.#resendPauseMs)
      this.#resendLater()
      // Nobody is there who could have it.
      if (this.#recovery.candidates().length === 0) return
      this.#isToRepeat = true
      this.presence.reassert()
    })
  }

  /** The devices online, without those of one author. */
  #peersBut(did: string): string[] {
    const devices = this.state.roster.member(did)?.devices ?? []
    return this.state.roster.peers().filter((peer) => !devices.includes(peer))
  }

  #otherPeers(): string[] {
    return this.state.roster.peers().filter((peer) => peer !== this.#options.network.peerId)
  }

  async #publishPresence(event: SignedEvent): Promise<void> {
    // A leave is not admitted here: the own user is in the list until the chat is closed,
    // and a page that closes has no time for a verification.
    if (!isType(event, 'leave')) {
      await this.state.admitOwn(event)
      // The leave, which is not verified, may have overtaken it.
      if (this.#isClosed) return
    }
    const isRepeating = this.#isToRepeat && !isType(event, 'leave')
    const again = isRepeating ? this.#outbox.again(event) : []
    const frames = again.length > 0 ? again : [encodeFrame([event.jwt])]
    for (const frame of frames) {
      if ((await this.#publish(frame)) === 0) continue
      this.#isToRepeat &&= !isRepeating
    }
  }

  #sendTyping(state: 'start' | 'stop'): void {
    if (this.status.status.current !== 'connected') return
    this.#author
      .write(this.topic, 'typing', { state })
      .then((event) => this.#publish(encodeFrame([event.jwt])))
      .catch((thrown) => this.#fail('signing-failed', 'unable to say that the user types', thrown))
  }

  async #publish(frame: Uint8Array<ArrayBuffer>): Promise<number> {
    const channel = this.#channel
    return channel === undefined || channel.neighbours() === 0 ? 0 : channel.publish(frame)
  }

  #fail(code: GhostChatError['code'], message: string, thrown: unknown): void {
    const error =
      thrown instanceof GhostChatError
        ? thrown
        : new GhostChatError(code, `${message}: ${describe(thrown)}`, { cause: thrown })
    this.#options.listener.failed(error)
  }
}

function chatLeft(): GhostChatError {
  return new GhostChatError('chat-left', 'the chat was left')
}
