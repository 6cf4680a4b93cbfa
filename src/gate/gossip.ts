import type { SignedEvent } from '../wire/event.ts'
import { decodeFrame } from '../wire/frame.ts'
import type { Gate, Verdict } from './gate.ts'

/** What to do with a gossip message: pass it on, drop it, or drop it and blame the forwarder. */
export type GossipVerdict = 'accept' | 'ignore' | 'reject'

/**
 * Puts a gossip message through the gate.
 *
 * It is passed on when each of its events is accepted here or was accepted
 * before. One that is ignored for another reason was not verified, so the
 * message goes no further, but the accepted events beside it count here.
 */
export async function admitGossip(
  gate: Gate,
  data: Uint8Array,
): Promise<{ verdict: GossipVerdict; events: SignedEvent[] }> {
  const jwts = decodeFrame(data)
  if (jwts === undefined) return { verdict: 'reject', events: [] }
  const verdicts = await gate.admitAll(jwts, 'live')
  const events = verdicts.flatMap((answer) => (answer.verdict === 'accept' ? [answer.event] : []))
  return { verdict: combine(verdicts), events }
}

function combine(verdicts: Verdict[]): GossipVerdict {
  if (verdicts.some(({ verdict }) => verdict === 'reject')) return 'reject'
  const passable = verdicts.every((answer) => answer.verdict === 'accept' || isDuplicate(answer))
  return passable && verdicts.some(({ verdict }) => verdict === 'accept') ? 'accept' : 'ignore'
}

function isDuplicate(answer: Verdict): boolean {
  return answer.verdict === 'ignore' && answer.reason === 'duplicate'
}
