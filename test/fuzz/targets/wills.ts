import { Gate } from '../../../src/gate/gate.ts'
import type { Verifier } from '../../../src/identity/verifier.ts'
import { silentLogger } from '../../../src/logger.ts'
import { Wills } from '../../../src/node/wills.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { encodeClaims } from '../../../src/wire/claims.ts'
import { parseJwt } from '../../../src/wire/jwt.ts'
import { claimsBy, NOW, TOPIC, testAuthor } from '../../support/authors.ts'
import { CLAIM_WORDS, conversation, jwtAround } from '../support/events.ts'
import { FakeLibp2p } from '../support/fake-libp2p.ts'
import { FakeStream, prefixed } from '../support/fake-stream.ts'
import { bytesOf, InputReader } from '../support/input.ts'
import { peer } from '../support/peers.ts'
import { promise, type Target } from '../target.ts'

const GRACE_MS = 10_000
const gullible: Verifier = { verify: async () => true }
const node = peer(0)
const client = peer(1)

/** What clients leave with a node for when they are gone: a line of claims each, or a stream as it is. */
export const wills: Target = {
  name: 'wills',
  async run(input) {
    const remote = (await client).peerId
    const clock = new ManualClock(NOW, { settle: async () => {} })
    const gate = new Gate({ topic: TOPIC, clock, verifier: gullible })
    const published: [topic: string, jwt: string][] = []
    const libp2p = new FakeLibp2p((await node).peerId, remote)
    const served = new Wills({
      libp2p: libp2p.asLibp2p,
      clock,
      logger: silentLogger,
      wouldAccept: async (topic, jwt) =>
        topic === TOPIC && (await gate.inspect(jwt, 'live')).verdict === 'accept',
      publish: async (topic, jwt) => void published.push([topic, jwt]),
    })
    await served.start()
    const reader = new InputReader(input)
    const pieceBytes = 1 + reader.byte()
    const isRaw = reader.below(4) === 0
    const bytes = isRaw
      ? reader.rest()
      : prefixed(linesIn(reader.rest()).map((line) => bytesOf(jwtAround(line))))
    const stream = new FakeStream()
    const serving = libp2p.open(stream)
    await stream.receive(bytes, Math.max(pieceBytes, bytes.length >> 6))
    await serving
    libp2p.dispatchEvent(new CustomEvent('peer:disconnect', { detail: remote }))
    await clock.advance(GRACE_MS)
    promise(published.length <= 1, 'a client has one will for a room')
    for (const [topic, jwt] of published) {
      const parsed = parseJwt(jwt)
      const isOwnLeave =
        typeof parsed !== 'string' &&
        parsed.claims.type === 'leave' &&
        parsed.claims.peer === remote.toString()
      promise(topic === TOPIC && isOwnLeave, 'a will is a leave of the device itself')
    }
    served.stop()
    promise(served.size === 0 && clock.pending === 0, 'nothing is left of it')
  },
  seeds: async () => {
    const own = (await client).peerId.toString()
    const leaves = [1, 2, 3].map((number) =>
      encodeClaims(claimsBy(testAuthor(number), 'leave', { peer: own }, { at: NOW - 1_000 * number })),
    )
    const others = conversation().map(encodeClaims)
    const jwts = [...leaves, ...others].map((text) => bytesOf(jwtAround(bytesOf(text))))
    return [
      Buffer.concat([Uint8Array.of(20, 0), prefixed(jwts.slice(0, 2))]),
      Buffer.concat([Uint8Array.of(255, 0), prefixed(jwts)]),
      ...[...leaves, leaves.join('\n'), others.join('\n')].map((text) =>
        Buffer.concat([Uint8Array.of(60, 1), bytesOf(text)]),
      ),
    ]
  },
  words: CLAIM_WORDS,
  maxBytes: 8 * 1024,
  runs: 150_000,
}

function linesIn(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at)
    lines.push(bytes.subarray(at, end < 0 ? undefined : end))
    at = end < 0 ? bytes.length : end + 1
  }
  return lines
}
