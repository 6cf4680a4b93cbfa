import type { FrameStream } from '../../../src/network/network.ts'
import { START } from '../../../src/room/reconciler.ts'
import { SyncServer } from '../../../src/room/sync-server.ts'
import { type NewestQuestion, type SyncContents, SyncSession } from '../../../src/room/sync-session.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { memoryStreams } from '../../../src/testing/memory-stream.ts'
import { encodeClaims } from '../../../src/wire/claims.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { eventOf } from '../../../src/wire/event.ts'
import { SALT_BYTES } from '../../../src/wire/sync.ts'
import { claimsBy, NOW, testAuthor, testPeerId } from '../../support/authors.ts'
import { askForAll, askForNewest, lastTurn } from '../../support/sync.ts'
import { jwtAround } from './events.ts'
import { bytesOf } from './input.ts'

/** The salt of every comparison here, so that hashes are the same each time. */
export const SALT = new Uint8Array(SALT_BYTES).fill(5)

/** Messages of two authors, some at the same time. Always the same. */
function someMessages(count: number, from = 0): SignedEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index
    const jti = `${String(number).padStart(21, 'A')}A`
    const options = { at: NOW - 1_000 * (number >> 1), jti }
    const claims = claimsBy(testAuthor(number % 3), 'message', { text: `${number}` }, options)
    return eventOf(jwtAround(bytesOf(encodeClaims(claims))), claims)
  })
}

/** The presence of some devices. Always the same. */
function somePresence(count: number, from = 0): SignedEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index
    const jti = `${String(number).padStart(21, 'B')}A`
    const claims = claimsBy(testAuthor(number), 'join', { peer: testPeerId(number), data: {} }, { jti })
    return eventOf(jwtAround(bytesOf(encodeClaims(claims))), claims)
  })
}

export const FEW: SyncContents = { roster: somePresence(3), timeline: someMessages(20), floor: START }
/** More than one range can list, so that there are hashes of ranges. */
export const MANY: SyncContents = { roster: somePresence(20), timeline: someMessages(90), floor: START }
export const LATE: SyncContents = { ...MANY, floor: { timestamp: NOW - 30_000, prefix: '' } }

/** What two honest devices say to each other, side by side: [of the one that opens, of the other]. */
async function recorded(
  here: SyncContents,
  there: SyncContents,
  question?: NewestQuestion,
): Promise<[opener: Uint8Array[], server: Uint8Array[]]> {
  const clock = new ManualClock(NOW)
  const [near, far] = memoryStreams()
  const said: [Uint8Array[], Uint8Array[]] = [[], []]
  const admitAll = async (): Promise<{ rejected: boolean }> => ({ rejected: false })
  const server = new SyncServer({ clock, contents: () => there, admitAll })
  const served = server.serve(noted(far, said[1]), testPeerId(1))
  await new SyncSession({ stream: noted(near, said[0]), clock, contents: here, salt: SALT, admitAll }).open(
    question,
  )
  await served
  return said
}

function noted(stream: FrameStream, frames: Uint8Array[]): FrameStream {
  return {
    ...stream,
    frames: stream.frames,
    send: (frame) => {
      frames.push(frame.slice())
      return stream.send(frame)
    },
  }
}

/** Comparisons of devices that have different things. */
export async function recordings(): Promise<[opener: Uint8Array[], server: Uint8Array[]][]> {
  const others = { roster: somePresence(20, 10), timeline: someMessages(85, 12), floor: START }
  return [
    await recorded({ roster: [], timeline: [], floor: START }, FEW),
    await recorded(FEW, { ...FEW, timeline: FEW.timeline.slice(3) }),
    await recorded({ ...FEW, timeline: FEW.timeline.slice(5) }, FEW, { limit: 4 }),
    await recorded(FEW, MANY, { limit: 10, before: { timestamp: NOW - 5_000, prefix: 'bafkreia' } }),
    await recorded(MANY, others),
    await recorded(others, LATE),
    await recorded(LATE, MANY),
    await recorded(MANY, MANY),
  ]
}

/** Frames that are right. */
export async function syncFrames(): Promise<Uint8Array[]> {
  const frames = (await recordings()).flat(2)
  return [
    ...frames,
    askForAll(),
    askForNewest(10),
    lastTurn({ timestamp: NOW, prefix: 'bafkrei' }),
    Uint8Array.of(3),
  ]
}
