import type { Clock } from '../clock.ts'
import { GhostChatError } from '../errors.ts'
import { EVENT_MAX_BYTES, FUTURE_MS } from '../limits.ts'
import type { Random } from '../random.ts'
import { toBase64url } from '../wire/base64url.ts'
import { type Bodies, type Claims, type EventType, lifetimeMs, toSeconds } from '../wire/claims.ts'
import { eventOf, type SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'
import { assembleJwt, signingInput } from '../wire/jwt.ts'
import { type Identity, sign } from './identity.ts'

/** Makes the signed events of one identity. */
export interface Author {
  readonly did: string
  /**
   * A signed event for a topic, of now. No two events of one author share a time
   * and none goes back, unless the clock is set back by more than 30 s: others
   * would ignore events that far in the future; or `behind` asks for more.
   *
   * @param options.after the event is later than this (milliseconds), provided
   * that is at most 5 s ahead of the clock: an answer sorts behind what it answers
   * although its author's clock is a little slow
   * @param options.behind the event is later than this, however far ahead that is: a change counts only behind
   * what it changes, and whoever admitted that admits the change as well. Later events are not pulled along
   * @throws `signing-failed`, `message-too-long` (the text is short enough, but its JSON is not)
   */
  write<T extends EventType>(
    topic: string,
    type: T,
    body: Bodies[T],
    options?: { parents?: EventId[]; after?: number; behind?: number },
  ): Promise<SignedEvent<T>>
}

/** How far an author lets others' clocks pull its own forward. */
const PULL_MAX_MS = 5_000
/** A dot and 64 bytes in base64url. */
const SIGNATURE_LENGTH = 87

export function createAuthor(identity: Identity, environment: { clock: Clock; random: Random }): Author {
  const { clock, random } = environment
  let last = 0
  return {
    did: identity.did,
    async write(topic, type, body, { parents = [], after = 0, behind = 0 } = {}) {
      const now = Math.round(clock.now())
      // The clock was set back, by more than a correction of a few seconds.
      if (last > now + FUTURE_MS / 2) last = 0
      last = Math.max(now, last + 1, after <= now + PULL_MAX_MS ? after + 1 : 0)
      const at = Math.max(last, behind + 1)
      if (at <= now + PULL_MAX_MS) last = at
      const claims = {
        iss: identity.did,
        aud: topic,
        iat: toSeconds(at),
        exp: toSeconds(at + lifetimeMs(type)),
        jti: toBase64url(random.bytes(16)),
        type,
        parents,
        ...body,
      } as unknown as Claims
      const input = signingInput(claims)
      if (input.length + SIGNATURE_LENGTH > EVENT_MAX_BYTES) {
        throw new GhostChatError(
          'message-too-long',
          `the text is too long as JSON, which escapes control characters`,
        )
      }
      const jwt = assembleJwt(input, await sign(identity, input))
      return eventOf(jwt, claims) as SignedEvent<typeof type>
    },
  }
}
