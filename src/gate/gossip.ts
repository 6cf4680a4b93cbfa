import type { SignedEvent } from '../wire/event.ts'
import { decodeFrame } from '../wire/frame.ts'
import type { Gate } from './gate.ts'

/** What to do with a gossip message: pass it on, drop it, or drop it and blame the forwarder. */
export type GossipVerdict = 'accept' | 'ignore' | 'reject'

/**
 * Puts a gossip message through the gate.
 *
 * It is passed on when each of its events is accepted here or was accepted
 * before, and one of them has not travelled on yet. An event that is ignored for
 * another reason was not verified, so the message goes no further, but the
 * accepted events beside it count here, and may travel on with a later message.
 */
export async function admitGossip(
  gate: Gate,
  data: Uint8Array,
): Promise<{ verdict: GossipVerdict; events: SignedEvent[] }> {
  const jwts = decodeFrame(data)
  if (jwts === undefined) return { verdict: 'reject', events: [] }
  const verdicts = await gate.admitAll(jwts, 'live')
  if (verdicts.some(({ verdict }) => verdict === 'reject')) return { verdict: 'reject', events: [] }
  const verified = verdicts.flatMap((answer) => ('event' in answer ? [answer.event] : []))
  const travelsOn = verified.length === verdicts.length && gate.passOn(verified)
  const events = verdicts.flatMap((answer) => (answer.verdict === 'accept' ? [answer.event] : []))
  return { verdict: travelsOn ? 'accept' : 'ignore', events }
}
