import { START } from '../../src/room/reconciler.ts'
import { type Bound, encodeSync, type Range, SALT_BYTES } from '../../src/wire/sync.ts'

/** A frame of these events. */
export function eventsFrame(...jwts: string[]): Uint8Array<ArrayBuffer> {
  return encodeSync({ kind: 'events', jwts })
}

/** A turn that asks nothing: the end of a comparison. `restBefore`: there are older events. */
export function lastTurn(restBefore?: Bound): Uint8Array<ArrayBuffer> {
  const timeline: Range[] = [{ upper: undefined, kind: 'same' }]
  if (restBefore !== undefined) timeline.unshift({ upper: restBefore, kind: 'rest' })
  return encodeSync({ kind: 'turn', floor: START, roster: [], timeline })
}

/** What somebody says who has nothing and wants everything. */
export function askForAll(): Uint8Array<ArrayBuffer> {
  const everything: Range[] = [{ upper: undefined, kind: 'ids', ids: [] }]
  const salt = new Uint8Array(SALT_BYTES)
  return encodeSync({ kind: 'open', salt, floor: START, roster: everything, timeline: everything })
}

/** What somebody says who wants the newest events. */
export function askForNewest(limit: number, before?: Bound): Uint8Array<ArrayBuffer> {
  const timeline: Range[] = [{ upper: before, kind: 'newest', limit }]
  if (before !== undefined) timeline.push({ upper: undefined, kind: 'same' })
  return encodeSync({ kind: 'open', salt: new Uint8Array(SALT_BYTES), floor: START, roster: [], timeline })
}
