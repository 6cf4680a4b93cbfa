import type { Clock } from '../clock.ts'
import type { Verifier } from '../identity/verifier.ts'
import { FUTURE_MS } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import { eventOf, isType, type SignedEvent } from '../wire/event.ts'
import { type Malformed, parseJwt } from '../wire/jwt.ts'
import type { Load, Rates, Source } from './rates.ts'
import { SeenEvents } from './seen.ts'

/**
 * How an event came: with the stream of new ones, or as part of what was before.
 * There is no other limit to its age than its own `exp`, which the lifetime of
 * its type bounds: 90 s for presence, a day for a message.
 */
export type Origin = 'live' | 'history'

/** Why every honest peer refuses an event. */
type RejectReason = Malformed | 'wrong-audience' | 'bad-signature'

/** Why this peer, now, has no use for an event. */
type IgnoreReason =
  | 'duplicate'
  | 'expired'
  | 'in-the-future'
  | 'not-history'
  /** The platform failed, and nobody knows whether the signature is right. */
  | 'not-verified'
  | ExcessReason

/** Why this peer, now, has no place for an event: its source, or its author, is over a rate. */
type ExcessReason = 'too-many-authors' | 'over-rate'

/**
 * What the gate says to an event.
 * - `accept`: it is right and new.
 * - `reject`: nobody honest passes it on. Costs whoever forwarded it.
 * - `ignore`: depends on time, on what was seen before or on a rate. Costs nobody,
 *   but for a small debit of whoever brings too much ({@link isExcess}).
 */
export type Verdict =
  | { verdict: 'accept'; event: SignedEvent }
  | { verdict: 'reject'; reason: RejectReason }
  | { verdict: 'ignore'; reason: Exclude<IgnoreReason, 'duplicate'> }
  | { verdict: 'ignore'; reason: 'duplicate'; event: SignedEvent }

/** Whether an event found no place because somebody is over a rate. */
export function isExcess(answer: Verdict): boolean {
  return (
    answer.verdict === 'ignore' && (answer.reason === 'over-rate' || answer.reason === 'too-many-authors')
  )
}

/**
 * The only way into a room. Every event passes here: the ones of gossip, of a
 * backlog, and a member's own.
 */
export class Gate {
  readonly topic: string
  readonly #clock: Clock
  readonly #verifier: Verifier
  readonly #rates: Rates | undefined
  readonly #seen: SeenEvents

  /**
   * @param options.rates whom to charge; without them, and for events that have no source, nobody is
   * @param options.seen where to remember events, for several gates together; by default each has its own memory
   */
  constructor(options: {
    topic: string
    clock: Clock
    verifier: Verifier
    rates?: Rates | undefined
    seen?: SeenEvents
  }) {
    this.topic = options.topic
    this.#clock = options.clock
    this.#verifier = options.verifier
    this.#rates = options.rates
    this.#seen = options.seen ?? new SeenEvents()
  }

  /**
   * Before anything of it is looked at: whether a source can pay for having this
   * looked at. What it cannot pay for is dropped as it is.
   */
  affords(source: Source, load: Load): boolean {
    return this.#rates?.bring(source, this.topic, load) ?? true
  }

  /**
   * Looks an event over and remembers it when it is accepted. Never throws, never rejects.
   *
   * @param source who brought it; nobody is charged for an event without one, such as our own. Authors are charged
   *   for live events only: what they wrote in a day comes all at once as history.
   */
  async admit(jwt: string, origin: Origin, source?: Source): Promise<Verdict> {
    return this.#remember(await this.inspect(jwt, origin, source), origin === 'live' ? source : undefined)
  }

  /**
   * {@link admit} for the events of one gossip message, which stand or fall
   * together: where one is rejected, none is accepted, because no honest peer
   * lets the message through.
   */
  async admitAll(jwts: readonly string[], origin: Origin, source?: Source): Promise<Verdict[]> {
    const verdicts = await Promise.all(jwts.map((jwt) => this.inspect(jwt, origin, source)))
    if (verdicts.some(({ verdict }) => verdict === 'reject')) {
      return verdicts.filter(({ verdict }) => verdict === 'reject')
    }
    return verdicts.map((verdict) => this.#remember(verdict, origin === 'live' ? source : undefined))
  }

  /**
   * Notes that these admitted events travel on. Answers whether one of them had
   * not yet: an event may have been admitted with a message that went no further.
   */
  passOn(events: readonly SignedEvent[]): boolean {
    return events.filter((event) => this.#seen.passOn(event)).length > 0
  }

  /**
   * {@link passOn} for an event that came as history and travels on as news: its author is charged as for one that
   * came live, or somebody could have others pass on more than it may write.
   */
  passOnLate(event: SignedEvent): boolean {
    return (this.#rates?.write(event.claims.iss, this.topic) ?? true) && this.#seen.passOn(event)
  }

  /** What {@link admit} would say, without remembering anything. */
  async inspect(jwt: string, origin: Origin, source?: Source): Promise<Verdict> {
    const parsed = parseJwt(jwt)
    if (typeof parsed === 'string') return { verdict: 'reject', reason: parsed }
    const { claims, signed, signature } = parsed
    if (claims.aud !== this.topic) return { verdict: 'reject', reason: 'wrong-audience' }
    const event = eventOf(jwt, claims)
    if (this.#seen.has(event)) return { verdict: 'ignore', reason: 'duplicate', event }
    const reason = this.#untimely(event, origin)
    if (reason !== undefined) return { verdict: 'ignore', reason }
    if (source !== undefined && this.#rates?.introduce(source, claims.iss) === false) {
      return { verdict: 'ignore', reason: 'too-many-authors' }
    }
    let isSigned: boolean
    try {
      isSigned = await this.#verifier.verify(claims.iss, signed, signature)
    } catch {
      return { verdict: 'ignore', reason: 'not-verified' }
    }
    return isSigned ? { verdict: 'accept', event } : { verdict: 'reject', reason: 'bad-signature' }
  }

  /** Only verified events are remembered: a forgery must not shut out the event it imitates. */
  #remember(verdict: Verdict, source: Source | undefined): Verdict {
    if (verdict.verdict !== 'accept') return verdict
    // The same event may have been accepted while this one's signature was being verified.
    const { event } = verdict
    if (this.#seen.has(event)) return { verdict: 'ignore', reason: 'duplicate', event }
    // Not remembered: it may come again when there is a place for it.
    if (source !== undefined && this.#rates?.write(event.claims.iss, this.topic) === false) {
      return { verdict: 'ignore', reason: 'over-rate' }
    }
    this.#seen.add(event, this.#clock.now())
    return verdict
  }

  #untimely(event: SignedEvent, origin: Origin): Exclude<IgnoreReason, 'duplicate'> | undefined {
    const now = this.#clock.now()
    if (toMilliseconds(event.claims.exp) <= now) return 'expired'
    if (event.timestamp > now + FUTURE_MS) return 'in-the-future'
    if (origin === 'history' && isType(event, 'typing')) return 'not-history'
    return undefined
  }
}
