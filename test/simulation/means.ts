import type { Clock } from '../../src/clock.ts'
import type { Author } from '../../src/identity/author.ts'
import { type Identity, sign } from '../../src/identity/identity.ts'
import type { FrameStream } from '../../src/network/network.ts'
import { toBase64url } from '../../src/wire/base64url.ts'
import { type Claims, type EventType, lifetimeMs, toSeconds } from '../../src/wire/claims.ts'
import { assembleJwt, parseJwt, signingInput } from '../../src/wire/jwt.ts'
import type { Dice } from './dice.ts'

/** What an attacker has: a key of its own, what it heard, and the network. */
export interface Means {
  readonly topic: string
  readonly identity: Identity
  readonly author: Author
  readonly clock: Clock
  readonly dice: Dice
  /** The events that came by. */
  readonly heard: readonly string[]
  publish(jwts: readonly string[]): Promise<void>
  publishBytes(data: Uint8Array<ArrayBuffer>): Promise<void>
  open(peerId: string): Promise<FrameStream | undefined>
}

/** How many events a flood has, and how far they are apart. */
const FLOOD_EVENTS = 60
const FLOOD_EVERY_MS = 50

/** What nobody said or shows: a text, or the name of a member. */
export const FORGED = 'forged'

/**
 * Somebody else's event with other contents and whatever signature is at hand.
 * With a `jti` of its own it is not taken for a second use of the first one's.
 */
export function forged(jwt: string, { dice }: Means): string {
  const parsed = parseJwt(jwt)
  if (typeof parsed === 'string') return jwt
  const { claims, signature } = parsed
  const jti = dice.chance(0.8) ? toBase64url(dice.random.bytes(16)) : claims.jti
  const changed: Record<string, unknown> = { ...claims, jti }
  if ('text' in changed) changed['text'] = FORGED
  if ('data' in changed) changed['data'] = { name: FORGED }
  const input = signingInput(changed as unknown as Claims)
  return assembleJwt(input, dice.chance(0.5) ? signature : dice.random.bytes(64))
}

/** Bytes that mean nothing; some look like a frame. */
export function garbage({ dice }: Means, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(dice.random.bytes(length))
  return dice.chance(0.5) ? bytes : bytes.map((byte) => 0x41 + (byte % 26))
}

/** A message as anybody writes one. */
export async function ownMessage({ author, topic }: Means, text: string): Promise<string> {
  const { jwt } = await author.write(topic, 'message', { text })
  return jwt
}

/** An event of its own in which everything but the signature is as it likes. */
export async function ownEvent(
  means: Means,
  type: EventType,
  body: object,
  { iat = means.clock.now(), jti = toBase64url(means.dice.random.bytes(16)) } = {},
): Promise<string> {
  const common = { iss: means.identity.did, aud: means.topic, iat: toSeconds(iat) }
  const exp = toSeconds(iat + lifetimeMs(type))
  const input = signingInput({ ...common, exp, jti, type, parents: [], ...body } as unknown as Claims)
  return assembleJwt(input, await sign(means.identity, input))
}

/** Does something for each event of a flood. */
export function repeat(means: Means, task: (index: number) => Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    let index = 0
    const next = (): void => {
      if (index === FLOOD_EVENTS) {
        resolve()
        return
      }
      index += 1
      means.clock.after(FLOOD_EVERY_MS, next)
      void task(index)
    }
    next()
  })
}
