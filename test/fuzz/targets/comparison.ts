import {
  FRAME_MAX_BYTES,
  SYNC_MAX_BYTES,
  SYNC_MAX_DEVICES,
  SYNC_TURNS_MAX,
  WINDOW_MAX_EVENTS,
} from '../../../src/limits.ts'
import type { FrameStream } from '../../../src/network/network.ts'
import { SyncServer } from '../../../src/room/sync-server.ts'
import { type SyncContents, SyncSession } from '../../../src/room/sync-session.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { memoryStreams } from '../../../src/testing/memory-stream.ts'
import { decodeSync, encodeSync, type Range } from '../../../src/wire/sync.ts'
import { NOW, testPeerId } from '../../support/authors.ts'
import { FEW, LATE, MANY, recordings, SALT } from '../support/comparison.ts'
import { InputReader, inputOf } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

const CONTENTS = [FEW, MANY, LATE]
const SERVER = 0
const QUESTIONS = [undefined, { limit: 5 }, { limit: 7, before: { timestamp: NOW - 8_000, prefix: '' } }]

/** A whole comparison, opened by us or by a peer that says whatever it wants to. */
export const comparison: Target = {
  name: 'comparison',
  async run(input) {
    const reader = new InputReader(input)
    const role = reader.below(1 + QUESTIONS.length)
    const contents = CONTENTS[reader.below(CONTENTS.length)] ?? FEW
    const clock = new ManualClock(NOW, { settle: async () => {} })
    const [ours, theirs] = memoryStreams()
    let admitted = 0
    const admitAll = async (jwts: string[]): Promise<{ rejected: boolean }> => {
      admitted += jwts.length
      return { rejected: jwts.includes('forged') }
    }
    const running =
      role === SERVER
        ? new SyncServer({ clock, contents: () => contents, admitAll }).serve(ours, testPeerId(1))
        : new SyncSession({ stream: ours, clock, contents, salt: SALT, admitAll }).open(QUESTIONS[role - 1])
    const ended = running.then(
      () => {},
      (thrown: unknown) => {
        promise(role !== SERVER, `a server never rejects: ${thrown}`)
        promise(thrown instanceof Error, 'what goes wrong is an error')
      },
    )
    const heard = collect(theirs)
    for (const frame of reader.pieces()) await theirs.send(frame.slice()).catch(() => {})
    await theirs.close()
    await ended
    promise(clock.pending === 0, 'nothing is waited for any more')
    promise(admitted <= WINDOW_MAX_EVENTS + SYNC_MAX_DEVICES, 'a peer cannot send without end')
    check(await heard, contents)
  },
  seeds: async () => {
    const insisting = Array.from({ length: SYNC_TURNS_MAX }, () => neverSettled('turn'))
    const honest = (await recordings()).flatMap(([opener, server]) =>
      CONTENTS.flatMap((_, contents) => [
        inputOf([SERVER, contents], opener),
        ...QUESTIONS.map((__, question) => inputOf([1 + question, contents], server)),
      ]),
    )
    return [inputOf([SERVER, 1], [neverSettled('open'), ...insisting]), inputOf([1, 1], insisting), ...honest]
  },
  words: ['forged', 'eyJ', '\n'],
  maxBytes: 2 * FRAME_MAX_BYTES,
  runs: 200_000,
}

/** A turn that has to be answered, however often it comes. */
function neverSettled(kind: 'open' | 'turn'): Uint8Array {
  const timeline: Range[] = [{ upper: undefined, kind: 'fingerprint', fingerprint: '12345678' }]
  const turn = { floor: FEW.floor, roster: [], timeline }
  return kind === 'open' ? encodeSync({ kind, salt: SALT, ...turn }) : encodeSync({ kind, ...turn })
}

async function collect(stream: FrameStream): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  try {
    for await (const frame of stream.frames) frames.push(frame)
  } catch {
    // It was broken off.
  }
  return frames
}

/** What we say is right whatever is said to us. */
function check(frames: readonly Uint8Array[], { roster, timeline }: SyncContents): void {
  const own = new Set([...roster, ...timeline].map(({ jwt }) => jwt))
  const devices = new Set(roster.map(({ jwt }) => jwt))
  let turns = 0
  let bytes = 0
  let presences = 0
  for (const frame of frames) {
    promise(frame.length <= FRAME_MAX_BYTES, 'a frame is 32 KiB at the most')
    const said = decodeSync(frame)
    promise(said !== undefined, 'what we say can be read')
    if (said.kind !== 'events') turns += 1
    else {
      for (const jwt of said.jwts) {
        promise(own.has(jwt), 'what we send is what we have')
        if (devices.has(jwt)) presences += 1
        else bytes += jwt.length
      }
    }
  }
  // Every other one is ours.
  promise(turns <= SYNC_TURNS_MAX / 2 + 1, 'a comparison has an end')
  promise(bytes <= SYNC_MAX_BYTES && presences <= SYNC_MAX_DEVICES, 'what is sent is bounded')
}
