import { Gate } from '../../../src/gate/gate.ts'
import { admitGossip } from '../../../src/gate/gossip.ts'
import { Rates, type Source } from '../../../src/gate/rates.ts'
import type { Verifier } from '../../../src/identity/verifier.ts'
import { FUTURE_MS, HUB_AUTHOR_BURST, HUB_AUTHOR_PER_SECOND, ROOM_AUTHOR_BURST } from '../../../src/limits.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { toMilliseconds } from '../../../src/wire/claims.ts'
import { decodeFrame } from '../../../src/wire/frame.ts'
import { parseJwt } from '../../../src/wire/jwt.ts'
import { NOW, TOPIC, testPeerId } from '../../support/authors.ts'
import { CLAIM_WORDS, scripts } from '../support/events.ts'
import { type Step, stepsOf } from '../support/script.ts'
import { promise, type Target } from '../target.ts'

const gullible: Verifier = { verify: async () => true }

function gateAt(clock: ManualClock): Gate {
  const author = { burst: HUB_AUTHOR_BURST, perSecond: HUB_AUTHOR_PER_SECOND }
  return new Gate({ topic: TOPIC, clock, verifier: gullible, rates: new Rates({ clock, author }) })
}

/** It has seen all inputs before this one. */
const veteran = gateAt(new ManualClock(NOW))

/** The gate, with a verifier that takes every signature for right: so what comes behind it is reached. */
export const gate: Target = {
  name: 'gate',
  async run(input) {
    const steps = stepsOf(input)
    const clock = new ManualClock(NOW, { settle: async () => {} })
    const fresh = gateAt(clock)
    const admitted = new Set<string>()
    for (const step of steps) {
      if (step.kind === 'wait') await clock.advance(step.ms)
      else if (step.kind === 'gossip') {
        await admitOnce(fresh, step, clock.now(), admitted)
        await admitGossip(veteran, step.frame, sourceOf(step))
      } else if (step.kind === 'history') {
        for (const jwt of step.jwts) {
          const { verdict } = await fresh.admit(jwt, 'history', sourceOf(step))
          promise(
            verdict !== 'reject' || (await fresh.inspect(jwt, 'live')).verdict === 'reject',
            'wrong is wrong',
          )
        }
      }
    }
  },
  seeds: scripts,
  words: CLAIM_WORDS,
  maxBytes: 4_096,
  runs: 200_000,
}

/** Nobody pays for what number 0 brings. */
function sourceOf({ from }: { from: number }): Source | undefined {
  return from === 0 ? undefined : { peerId: testPeerId(from), isCarrier: from > 5 }
}

async function admitOnce(
  gate: Gate,
  step: Extract<Step, { frame: Uint8Array }>,
  now: number,
  admitted: Set<string>,
): Promise<void> {
  const source = sourceOf(step)
  const looks = (): ReturnType<typeof admitGossip> => admitGossip(gate, step.frame, source)
  const first = looks()
  // Either the second time begins while the first one is being verified, or it comes later.
  const together = step.from % 2 === 1 ? looks() : undefined
  const { verdict, events } = await first
  promise(['accept', 'ignore', 'reject', 'excess'].includes(verdict), 'there are four verdicts')
  promise(verdict !== 'reject' || events.length === 0, 'nothing of what is rejected counts')
  promise(events.length <= ROOM_AUTHOR_BURST, 'a rate bounds what one message brings')
  for (const { id, jwt, claims, timestamp } of events) {
    promise(!admitted.has(id), 'an event is admitted once')
    admitted.add(id)
    promise(claims.aud === TOPIC, 'an event counts in its own room')
    promise(toMilliseconds(claims.exp) > now && timestamp <= now + FUTURE_MS, 'an event counts in its time')
    promise(typeof parseJwt(jwt) !== 'string', 'what is admitted is in the one form')
  }
  if (verdict === 'accept') promise(decodeFrame(step.frame) !== undefined, 'what travels on is a frame')
  const again = await (together ?? looks())
  promise(again.events.length === 0, 'nothing counts a second time')
  promise(again.verdict !== 'accept', 'nothing travels on a second time')
  if (source === undefined) {
    promise((verdict === 'reject') === (again.verdict === 'reject'), 'what is rejected is rejected each time')
  }
}
