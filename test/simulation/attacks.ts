import { sample } from '../../src/random.ts'
import { toBase64url } from '../../src/wire/base64url.ts'
import { toSeconds } from '../../src/wire/claims.ts'
import { parseJwt } from '../../src/wire/jwt.ts'
import { forged, garbage, type Means, ownEvent, ownMessage, repeat } from './means.ts'
import type { Attack } from './scenario.ts'
import { tamper } from './tampering.ts'

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
      return
    default:
      return tamper(kind, means)
  }
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
