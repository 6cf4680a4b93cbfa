import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Gate, type Verdict } from '../../src/gate/gate.ts'
import { admitGossip } from '../../src/gate/gossip.ts'
import { Rates } from '../../src/gate/rates.ts'
import type { Verifier } from '../../src/identity/verifier.ts'
import { encodeFrame } from '../../src/wire/frame.ts'
import { assembleJwt, signingInput } from '../../src/wire/jwt.ts'
import { rightClaims } from '../support/arbitraries.ts'
import { TOPIC } from '../support/authors.ts'
import { HandClock } from '../support/hand-clock.ts'
import { asyncProperty } from '../support/property.ts'
import { runs } from '../support/runs.ts'

/** Says of a signature what its first byte says: that it is right, or wrong, or that the platform fails. */
const verifier: Verifier = {
  async verify(_did, _data, [first = 0]) {
    if (first === 2) throw new Error('the platform failed')
    return first === 1
  },
}

const alphabet = 'AaZz09-_.=\n é'
/** Events by anybody for this room or another, of any time, with right and wrong signatures, some of them damaged. */
const jwt = fc
  .record({
    claims: rightClaims,
    isElsewhere: fc.nat(9).map((one) => one === 0),
    signature: fc.constantFrom(1, 1, 1, 1, 0, 2),
    damage: fc.option(fc.tuple(fc.nat(), fc.nat(alphabet.length - 1)), { freq: 5, nil: undefined }),
  })
  .map(({ claims, isElsewhere, signature, damage }) => {
    const aud = isElsewhere ? `${TOPIC}2` : claims.aud
    const right = assembleJwt(signingInput({ ...claims, aud }), new Uint8Array(64).fill(signature))
    if (damage === undefined) return right
    const at = damage[0] % right.length
    return right.slice(0, at) + alphabet.charAt(damage[1]) + right.slice(at + 1)
  })
const pool = fc.array(jwt, { minLength: 1, maxLength: 6 })
const source = fc.option(fc.record({ peerId: fc.constantFrom('ada', 'bob'), isCarrier: fc.boolean() }), {
  nil: undefined,
})
const step = fc.record({
  which: fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
  origin: fc.constantFrom('live' as const, 'history' as const),
  source,
  pause: fc.constantFrom(0, 0, 500, 40_000),
  isFrame: fc.boolean(),
})

function gateOf(): { gate: Gate; clock: HandClock } {
  const clock = new HandClock()
  const rates = new Rates({ clock, author: { burst: 6, perSecond: 0.1 }, maxKeys: 20 })
  return { clock, gate: new Gate({ topic: TOPIC, clock, verifier, rates }) }
}

describe('the gate', () => {
  it('never throws, lets each event in once, and never rejects at one time what it accepts at another', async () => {
    await fc.assert(
      asyncProperty(pool, fc.array(step, { maxLength: 12 }), async (jwts, steps) => {
        const { gate, clock } = gateOf()
        const verdicts = new Map<string, Set<Verdict['verdict']>>()
        const accepted: string[] = []
        const note = (jwt: string, verdict: Verdict['verdict']): void => {
          verdicts.set(jwt, (verdicts.get(jwt) ?? new Set()).add(verdict))
        }
        for (const { which, origin, source, pause, isFrame } of steps) {
          clock.pass(pause)
          const chosen = which.map((index) => jwts[index % jwts.length] ?? '')
          if (isFrame) {
            const { verdict, events } = await admitGossip(gate, encodeFrame(chosen), source)
            accepted.push(...events.map(({ id }) => id))
            if (verdict === 'reject') expect(events).toEqual([])
            for (const event of events) note(event.jwt, 'accept')
            continue
          }
          // All at once: one may be there twice, and is verified twice then.
          const answers = await Promise.all(chosen.map((jwt) => gate.admit(jwt, origin, source)))
          for (const [index, answer] of answers.entries()) {
            const jwt = chosen[index] ?? ''
            note(jwt, answer.verdict)
            if (answer.verdict === 'accept') accepted.push(answer.event.id)
          }
        }
        expect(new Set(accepted).size).toBe(accepted.length)
        for (const given of verdicts.values()) expect(given.has('accept') && given.has('reject')).toBe(false)
      }),
      runs(300),
    )
  })

  it('answers every gossip message, whatever its bytes are, and lets in nothing of a bad one', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.tuple(pool, fc.nat(), fc.nat(255)).map(([jwts, at, byte]) => {
        const frame = encodeFrame([...new Set(jwts)])
        frame[at % frame.length] = byte
        return frame
      }),
    )
    await fc.assert(
      asyncProperty(bytes, source, async (data, from) => {
        const { verdict, events } = await admitGossip(gateOf().gate, data, from)
        expect(['accept', 'ignore', 'reject', 'excess']).toContain(verdict)
        if (verdict === 'reject') expect(events).toEqual([])
        if (verdict === 'accept') expect(events.length).toBeGreaterThan(0)
      }),
      runs(300),
    )
  })
})
