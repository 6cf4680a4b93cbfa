import type { Clock } from '../clock.ts'
import type { Verifier } from '../identity/verifier.ts'
import { FUTURE_MS } from '../limits.ts'
import { toMilliseconds } from '../wire/claims.ts'
import { eventOf, isType, type SignedEvent } from '../wire/event.ts'
import { type Malformed, parseJwt } from '../wire/jwt.ts'
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
type IgnoreReason = 'duplicate' | 'reused-jti' | 'expired' | 'in-the-future' | 'not-history'

/**
 * What the gate says to an event.
 * - `accept`: it is right and new.
 * - `reject`: nobody honest passes it on. Costs whoever forwarded it.
 * - `ignore`: depends on time or on what was seen before. Costs nobody.
 */
export type Verdict =
  | { verdict: 'accept'; event: SignedEvent }
  | { verdict: 'reject'; reason: RejectReason }
  | { verdict: 'ignore'; reason: Exclude<IgnoreReason, 'duplicate'> }
  | { verdict: 'ignore'; reason: 'duplicate'; event: SignedEvent }

/**
 * The only way into a room. Every event passes here: the ones of gossip, of a
 * backlog, and a member's own.
 */
export class Gate {
  readonly topic: string
  readonly #clock: Clock
  readonly #verifier: Verifier
  readonly #seen = new SeenEvents()

  constructor(options: { topic: string; clock: Clock; verifier: Verifier }) {
    this.topic = options.topic
    this.#clock = options.clock
    this.#verifier = options.verifier
  }

  /** Looks an event over and remembers it when it is accepted. Never throws, never rejects. */
  async admit(jwt: string, origin: Origin): Promise<Verdict> {
    return this.#remember(await this.inspect(jwt, origin))
  }

  /**
   * {@link admit} for the events of one gossip message, which stand or fall
   * together: where one is rejected, none is accepted, because no honest peer
   * lets the message through.
   */
  async admitAll(jwts: readonly string[], origin: Origin): Promise<Verdict[]> {
    const verdicts = await Promise.all(jwts.map((jwt) => this.inspect(jwt, origin)))
    if (verdicts.some(({ verdict }) => verdict === 'reject')) {
      return verdicts.filter(({ verdict }) => verdict === 'reject')
    }
    return verdicts.map((verdict) => this.#remember(verdict))
  }

  /**
   * Notes that these admitted events travel on. Answers whether one of them had
   * not yet: an event may have been admitted with a message that went no further.
   */
  passOn(events: readonly SignedEvent[]): boolean {
    return events.filter((event) => this.#seen.passOn(event)).length > 0
  }

  /** What {@link admit} would say, without remembering anything. */
  async inspect(jwt: string, origin: Origin): Promise<Verdict> {
    const parsed = parseJwt(jwt)
    if (typeof parsed === 'string') return { verdict: 'reject', reason: parsed }
    const { claims, signed, signature } = parsed
    if (claims.aud !== this.topic) return { verdict: 'reject', reason: 'wrong-audience' }
    const event = eventOf(jwt, claims)
    const seen = this.#seen.find(event)
    if (seen === 'duplicate') return { verdict: 'ignore', reason: seen, event }
    const reason = seen === undefined ? this.#untimely(event, origin) : seen
    if (reason !== undefined) return { verdict: 'ignore', reason }
    if (!(await this.#verifier.verify(claims.iss, signed, signature))) {
      return { verdict: 'reject', reason: 'bad-signature' }
    }
    return { verdict: 'accept', event }
  }

  /** Only verified events are remembered: a forgery must not shut out the event it imitates. */
  #remember(verdict: Verdict): Verdict {
    if (verdict.verdict !== 'accept') return verdict
    // The same event may have been accepted while this one's signature was being verified.
    const { event } = verdict
    const seen = this.#seen.find(event)
    if (seen === 'duplicate') return { verdict: 'ignore', reason: seen, event }
    if (seen !== undefined) return { verdict: 'ignore', reason: seen }
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
