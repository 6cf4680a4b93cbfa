import { type Clock, every, steady } from '../clock.ts'
import { GhostChatError } from '../errors.ts'
import { GREETERS, GREETING_PAUSE_MS, RENEW_MS } from '../limits.ts'
import { type Bodies, isPresenceData, toSeconds } from '../wire/claims.ts'
import type { SignedEvent } from '../wire/event.ts'
import type { JsonObject } from '../wire/json.ts'

type PresenceType = 'join' | 'presence' | 'leave'

/** The own device's presence: announced, renewed, and taken back. */
export class Presence {
  readonly #clock: Clock
  /** For the pauses between renewals. */
  readonly #pauses: Clock
  readonly #peerId: string
  readonly #write: <T extends PresenceType>(type: T, body: Bodies[T]) => Promise<SignedEvent<T>>
  readonly #publish: (event: SignedEvent<PresenceType>) => Promise<void>
  readonly #entrust: (leave: SignedEvent<'leave'>) => void
  readonly #onFailure: (thrown: unknown) => void
  #data: JsonObject
  /** When the device began to show this data, in seconds. */
  #since: number
  #leave: SignedEvent<'leave'> | undefined
  /** How many announcements were begun, and with which of them the leave was signed. */
  #announcements = 0
  #leaveOf = 0
  #stopRenewing = (): void => {}
  #reassertedAt = Number.NEGATIVE_INFINITY
  /** When it renews next, while the timer below is set. */
  #reassertAt = 0
  #cancelReassertion: (() => void) | undefined
  /** The presence was taken back, until the next {@link join}. */
  #away = false
  #isClosed = false

  constructor(options: {
    clock: Clock
    peerId: string
    data: JsonObject
    write: <T extends PresenceType>(type: T, body: Bodies[T]) => Promise<SignedEvent<T>>
    publish: (event: SignedEvent<PresenceType>) => Promise<void>
    /** Leaves the leave with the nodes, in case this device is gone before it can say so. */
    entrust: (leave: SignedEvent<'leave'>) => void
    onFailure: (thrown: unknown) => void
  }) {
    this.#clock = options.clock
    this.#pauses = steady(options.clock)
    this.#peerId = options.peerId
    this.#write = options.write
    this.#publish = options.publish
    this.#entrust = options.entrust
    this.#onFailure = options.onFailure
    this.#data = clonePresence(options.data)
    this.#since = toSeconds(this.#clock.now())
  }

  /** Says that this device is there, as a newcomer, and goes on saying so every 30 s. */
  async join(): Promise<void> {
    this.#away = this.#isClosed
    await this.#announce('join')
  }

  /** Shows something else of the user, or what it showed before where it cannot be signed. @throws `invalid-presence`, `signing-failed` */
  async update(data: JsonObject): Promise<void> {
    const [before, since] = [this.#data, this.#since]
    const next = clonePresence(data)
    this.#data = next
    this.#since = toSeconds(this.#clock.now())
    try {
      await this.#announce('presence')
    } catch (thrown) {
      if (this.#data === next) [this.#data, this.#since] = [before, since]
      throw thrown
    }
  }

  /**
   * Greets a newcomer, who knows nobody yet, by renewing early. Only a few do:
   * those whose peer ids a hash of the newcomer's event ranks first. Newcomers
   * that come together are greeted together.
   */
  greet(joinId: string, peers: readonly string[]): void {
    if (this.isAmong(GREETERS, joinId, peers)) this.reassert()
  }

  /** Whether this device is one of the `count` that a hash of an event ranks first among these and itself. */
  isAmong(count: number, eventId: string, peers: readonly string[]): boolean {
    const ownRank = rank(eventId, this.#peerId)
    let ahead = 0
    for (const peer of peers) {
      if (peer !== this.#peerId && rank(eventId, peer) < ownRank) ahead += 1
      if (ahead >= count) return false
    }
    return true
  }

  /** Renews now. A newcomer that comes right after is greeted all the same. */
  renew(): void {
    this.#announce('presence').catch(this.#onFailure)
  }

  /** Renews after a delay, by default at once; never sooner than a second after it last did so. */
  reassert(delayMs = 0): void {
    const now = this.#pauses.now()
    const pauseMs = Math.max(delayMs, this.#reassertedAt + GREETING_PAUSE_MS - now)
    const isSooner = this.#cancelReassertion === undefined || now + pauseMs < this.#reassertAt
    if (this.#away || !isSooner) return
    this.#cancelReassertion?.()
    this.#reassertAt = now + pauseMs
    this.#cancelReassertion = this.#clock.after(pauseMs, () => {
      this.#cancelReassertion = undefined
      this.#reassertedAt = this.#pauses.now()
      this.renew()
    })
  }

  /**
   * Takes the presence back. The event was signed with the last announcement, so
   * nothing has to be waited for: a page that closes has no time to.
   */
  async leave(): Promise<void> {
    this.#away = true
    this.#stopRenewing()
    this.#cancelReassertion?.()
    this.#cancelReassertion = undefined
    if (this.#leave !== undefined) await this.#publish(this.#leave)
  }

  /** {@link leave} for good. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.leave()
  }

  async #announce(type: 'join' | 'presence'): Promise<void> {
    if (this.#away) return
    this.#announcements += 1
    const number = this.#announcements
    this.#stopRenewing()
    this.#stopRenewing = every(this.#clock, RENEW_MS, () => {
      this.#announce('presence').catch(this.#onFailure)
    })
    // The clock may have been set back since.
    this.#since = Math.min(this.#since, toSeconds(this.#clock.now()))
    const event = await this.#write(type, { peer: this.#peerId, since: this.#since, data: this.#data })
    const leave = await this.#write('leave', { peer: this.#peerId })
    // Signatures may overtake each other, and the clock may have been set back since the last one.
    if (number > this.#leaveOf) {
      this.#leaveOf = number
      this.#leave = leave
    }
    if (this.#away) return
    await this.#publish(event)
    this.#entrust(leave)
  }
}

function clonePresence(data: JsonObject): JsonObject {
  if (!isPresenceData(data)) {
    throw new GhostChatError(
      'invalid-presence',
      'presence must be a plain JSON object of at most 1,024 bytes, nested 8 deep at most',
    )
  }
  return JSON.parse(JSON.stringify(data)) as JsonObject
}

/** FNV-1a: any even spread will do, nothing secret depends on it. */
function rank(eventId: string, peer: string): number {
  let hash = 0x811c9dc5
  for (const character of eventId + peer) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0
  }
  return hash
}
