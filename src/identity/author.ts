import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import { toBase64url } from '../wire/base64url.ts'
import { type Bodies, type Claims, type EventType, lifetimeMs, toSeconds } from '../wire/claims.ts'
import { eventOf, type SignedEvent } from '../wire/event.ts'
import type { EventId } from '../wire/event-id.ts'
import { assembleJwt, signingInput } from '../wire/jwt.ts'
import { type Identity, sign } from './identity.ts'

/** Makes the signed events of one identity in one room. */
export interface Author {
  readonly did: string
  /**
   * A signed event of now. No two events of one author in a room share a time
   * and none goes back, whatever the clock does.
   *
   * @throws `signing-failed`
   */
  write<T extends EventType>(type: T, body: Bodies[T], parents: EventId[]): Promise<SignedEvent<T>>
}

export function createAuthor(
  identity: Identity,
  topic: string,
  environment: { clock: Clock; random: Random },
): Author {
  const { clock, random } = environment
  let last = 0
  return {
    did: identity.did,
    async write(type, body, parents) {
      last = Math.max(Math.round(clock.now()), last + 1)
      const claims = {
        iss: identity.did,
        aud: topic,
        iat: toSeconds(last),
        exp: toSeconds(last + lifetimeMs(type)),
        jti: toBase64url(random.bytes(16)),
        type,
        parents,
        ...body,
      } as unknown as Claims
      const input = signingInput(claims)
      const jwt = assembleJwt(input, await sign(identity, input))
      return eventOf(jwt, claims) as SignedEvent<typeof type>
    },
  }
}
