import type { SignedEvent } from '../wire/event.ts'
import { decodeFrame } from '../wire/frame.ts'
import { type Gate, isExcess } from './gate.ts'
import type { Source } from './rates.ts'

/**
 * What to do with a gossip message: pass it on, drop it, drop it and blame the
 * forwarder, or drop it and note that the forwarder brings too much (`excess`).
 */
export type GossipVerdict = 'accept' | 'ignore' | 'reject' | 'excess'

/**
 * Puts a gossip message through the gate.
 *
 * It is passed on when each of its events is accepted here or was accepted
 * before, and one of them has not travelled on yet. An event that is ignored for
 * another reason was not verified, so the message goes no further, but the
 * accepted events beside it count here, and may travel on with a later message.
 *
 * @param source the neighbour it came from, which pays for having it looked at; without one nobody pays
 */
export async function admitGossip(
  gate: Gate,
  data: Uint8Array,
  source?: Source,
): Promise<{ verdict: GossipVerdict; events: SignedEvent[] }> {
  const jwts = decodeFrame(data)
  if (jwts === undefined) return { verdict: 'reject', events: [] }
  const load = { events: jwts.length, bytes: data.byteLength }
  if (source !== undefined && !gate.affords(source, load)) return { verdict: 'excess', events: [] }
  const verdicts = await gate.admitAll(jwts, 'live', source)
  if (verdicts.some(({ verdict }) => verdict === 'reject')) return { verdict: 'reject', events: [] }
  const verified = verdicts.flatMap((answer) => ('event' in answer ? [answer.event] : []))
  const travelsOn = verified.length === verdicts.length && gate.passOn(verified)
  const events = verdicts.flatMap((answer) => (answer.verdict === 'accept' ? [answer.event] : []))
  if (verdicts.some(isExcess)) return { verdict: 'excess', events }
  return { verdict: travelsOn ? 'accept' : 'ignore', events }
}
