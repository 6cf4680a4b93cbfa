import type { Clock } from '../../src/clock.ts'
import type { Author } from '../../src/identity/author.ts'
import { type Identity, sign } from '../../src/identity/identity.ts'
import type { FrameStream } from '../../src/network/network.ts'
import { sample } from '../../src/random.ts'
import { toBase64url } from '../../src/wire/base64url.ts'
import { type Claims, type EventType, lifetimeMs, toSeconds } from '../../src/wire/claims.ts'
import { assembleJwt, parseJwt, signingInput } from '../../src/wire/jwt.ts'
import type { Dice } from './dice.ts'
import type { Attack } from './scenario.ts'

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

const FLOOD_EVENTS = 60
const FLOOD_EVERY_MS = 50
const FUTURE_MS = [59_000, 61_000, 300_000, 86_400_000]

/** Does it. */
export async function attack(kind: Attack, means: Means): Promise<void> {
  const { dice, heard } = means
  switch (kind) {
    case 'forge':
      for (const jwt of sample(dice.random, heard, 3)) await means.publish([forged(jwt, means)])
      return
    case 'replay':
      // Alone, in another order, and beside something that is right and new.
      for (const jwt of sample(dice.random, heard, 5)) await means.publish([jwt])
      await means.publish([...new Set(sample(dice.random, heard, 10))])
      await means.publish([
        ...new Set([await ownMessage(means, 'beside old ones'), ...sample(dice.random, heard, 5)]),
      ])
      return
    case 'flood':
      return repeat(means, async (index) => means.publish([await ownMessage(means, `flood ${index}`)]))
    case 'flood-invalid':
      return repeat(means, async (index) => {
        const jwt = await ownMessage(means, `invalid ${index}`)
        await means.publish([forged(jwt, means)])
      })
    case 'garbage-gossip':
      for (const length of [0, 1, 100, 40_000]) await means.publishBytes(garbage(means, length))
      return
    case 'garbage-streams':
      for (const peerId of sample(dice.random, peersIn(heard), 5)) await babble(peerId, means)
      return
    case 'future':
      for (const aheadMs of FUTURE_MS) {
        const iat = means.clock.now() + aheadMs
        await means.publish([
          await ownEvent(means, 'message', { text: `from the future, ${aheadMs}` }, { iat }),
        ])
      }
      return
    case 'equivocate':
      return equivocate(means)
    case 'pose-as-peer':
      for (const peer of sample(dice.random, peersIn(heard), 3)) {
        const since = toSeconds(means.clock.now() - 1_000)
        await means.publish([await ownEvent(means, 'join', { peer, since, data: { name: 'it is me' } })])
        await means.publish([await ownEvent(means, 'leave', { peer })])
      }
  }
}

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

/** The devices that announced themselves. */
function peersIn(heard: readonly string[]): string[] {
  const peers = new Set<string>()
  for (const jwt of heard) {
    const parsed = parseJwt(jwt)
    if (typeof parsed !== 'string' && 'peer' in parsed.claims) peers.add(parsed.claims.peer)
  }
  return [...peers]
}

async function ownMessage({ author, topic }: Means, text: string): Promise<string> {
  const { jwt } = await author.write(topic, 'message', { text })
  return jwt
}

/** An event of its own in which everything but the signature is as it likes. */
async function ownEvent(
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

/** Says two things under one name: whoever hears one first ignores the other. */
async function equivocate(means: Means): Promise<void> {
  const jti = toBase64url(means.dice.random.bytes(16))
  const both = await Promise.all(
    ['one thing', 'another thing'].map((text) => ownEvent(means, 'message', { text }, { jti })),
  )
  const [one, other] = both
  if (one === undefined || other === undefined) return
  await means.publish([one])
  await means.publish([other])
}

async function babble(peerId: string, means: Means): Promise<void> {
  const stream = await means.open(peerId)
  if (stream === undefined) return
  try {
    for (let frame = means.dice.whole(1, 5); frame > 0; frame -= 1) {
      await stream.send(garbage(means, means.dice.whole(0, 2_000)))
    }
    const end = means.dice.weighted({ close: 2, abort: 1, nothing: 1 })
    if (end === 'close') await stream.close()
    if (end === 'abort') stream.abort(new Error('never mind'))
  } catch {
    // The other side has broken it off.
  }
}

function repeat(means: Means, task: (index: number) => Promise<void>): Promise<void> {
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
