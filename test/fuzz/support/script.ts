import { encodeFrame } from '../../../src/wire/frame.ts'
import { jwtAround } from './events.ts'
import { bytesOf, textOf } from './input.ts'

/** Something that happens to a room. */
export type Step =
  /** A message of gossip, or an answer out of a backlog, came from a neighbour. */
  | { kind: 'gossip' | 'history'; jwts: string[]; frame: Uint8Array<ArrayBuffer>; from: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'lost'; peer: number }

/** How long is waited at the most: longer than a lease, and past the end of a day. */
const WAIT_MAX_SECONDS = 100_000

/**
 * What happens in an input, a line each: claims, of which a right JWT is made, or
 * a JWT as it is; after them `=` for a message of gossip or `~` for history, with a
 * digit for who brought it; `@` and seconds that pass; `-` and a digit for who is lost.
 * So a mutation changes claims and not base64.
 */
export function stepsOf(input: Uint8Array): Step[] {
  const steps: Step[] = []
  let jwts: string[] = []
  const bring = (kind: 'gossip' | 'history', from: number): void => {
    steps.push({ kind, jwts, frame: encodeFrame(jwts), from })
    jwts = []
  }
  for (const line of textOf(input).split('\n')) {
    const number = Math.abs(Math.trunc(Number(line.slice(1)))) || 0
    if (line.startsWith('=')) bring('gossip', number % 10)
    else if (line.startsWith('~')) bring('history', number % 10)
    else if (line.startsWith('@'))
      steps.push({ kind: 'wait', ms: 1_000 * Math.min(number, WAIT_MAX_SECONDS) })
    else if (line.startsWith('-')) steps.push({ kind: 'lost', peer: number % 10 })
    else if (line.startsWith('{')) jwts.push(jwtAround(bytesOf(line)))
    else if (line !== '') jwts.push(line)
  }
  if (jwts.length > 0) bring('gossip', 0)
  return steps
}
