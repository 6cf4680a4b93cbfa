import { systemClock } from '../../src/clock.ts'
import { createAuthor } from '../../src/identity/author.ts'
import { openIdentity } from '../../src/identity/identity.ts'
import { systemRandom } from '../../src/random.ts'
import { fromBase64url, toBase64url } from '../../src/wire/base64url.ts'
import type { Bodies, EventType } from '../../src/wire/claims.ts'
import type { SignedEvent } from '../../src/wire/event.ts'

/** Somebody new who signs events for a topic. */
export async function authorOf(topic: string): Promise<TopicAuthor> {
  const identity = await openIdentity('ephemeral', 'test', () => {
    throw new Error('an ephemeral identity needs no store')
  })
  const author = createAuthor(identity, { clock: systemClock, random: systemRandom })
  return { did: author.did, write: (type, body) => author.write(topic, type, body) }
}

/** An author for one topic. */
export interface TopicAuthor {
  did: string
  write<T extends EventType>(type: T, body: Bodies[T]): Promise<SignedEvent<T>>
}

/** The same JWT with something replaced in its claims: its signature is no longer right. */
export function alter(jwt: string, from: string, to: string): string {
  const [header, payload = '', signature] = jwt.split('.')
  const claims = new TextDecoder().decode(fromBase64url(payload))
  if (!claims.includes(from)) throw new Error(`there is no ${from} in the claims`)
  return `${header}.${toBase64url(new TextEncoder().encode(claims.replace(from, to)))}.${signature}`
}
