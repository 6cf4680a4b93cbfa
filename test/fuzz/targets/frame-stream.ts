import { FRAME_MAX_BYTES } from '../../../src/limits.ts'
import { frameStream } from '../../../src/network/frame-stream.ts'
import { syncFrames } from '../support/comparison.ts'
import { FakeStream, prefixed } from '../support/fake-stream.ts'
import { areEqual, bytesOf, InputReader } from '../support/input.ts'
import { promise, type Target } from '../target.ts'

/** A length takes so many bytes at the most: those of 32,768. */
const LENGTH_MAX_BYTES = 3

/** Frames out of a stream whose pieces end anywhere. */
export const frameStreamTarget: Target = {
  name: 'frame-stream',
  async run(input) {
    const reader = new InputReader(input)
    const pieceBytes = 1 + reader.byte() ** 2
    const bytes = reader.rest()
    const stream = new FakeStream()
    const frames: Uint8Array[] = []
    let failed = false
    const read = async (): Promise<void> => {
      for await (const frame of frameStream(stream.asStream).frames) frames.push(frame.slice())
    }
    const reading = read().catch(() => {
      failed = true
    })
    await stream.receive(bytes, Math.max(pieceBytes, bytes.length >> 6))
    await reading
    const right = framesIn(bytes)
    promise(failed === right.isBroken, 'what is no frame breaks the stream, and nothing else')
    promise(
      frames.length === right.frames.length && frames.every((frame, at) => isSame(frame, right.frames[at])),
      'frames come as they were sent',
    )
  },
  seeds: async () => {
    const frames = await syncFrames()
    const streams = [
      ...frames.slice(0, 6).map((frame) => prefixed([frame])),
      prefixed(frames.slice(0, 4)),
      prefixed([new Uint8Array(), bytesOf('x'), new Uint8Array(), new Uint8Array(200)]),
      Uint8Array.of(0x80, 0x80, 0x02),
      Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x01),
      Uint8Array.of(0x81, 0x80, 0x00, 65, 0x01),
    ]
    return streams.flatMap((bytes, at) =>
      [1, 0, 15].map((piece) => Buffer.concat([Uint8Array.of((piece + at) % 20), bytes])),
    )
  },
  maxBytes: FRAME_MAX_BYTES + 64,
  runs: 200_000,
  leavesThread: true,
}

/** The frames in these bytes, read in the simplest way there is. A frame that is not whole is none. */
function framesIn(bytes: Uint8Array): { frames: Uint8Array[]; isBroken: boolean } {
  const frames: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    let length = 0
    let digits = 0
    let byte = 0x80
    while (byte >= 0x80) {
      byte = bytes[at + digits] ?? -1
      if (byte === -1) return { frames, isBroken: false }
      length += (byte & 0x7f) * 128 ** digits
      digits += 1
      if (digits > LENGTH_MAX_BYTES) return { frames, isBroken: true }
    }
    if (length > FRAME_MAX_BYTES) return { frames, isBroken: true }
    at += digits
    if (at + length > bytes.length) return { frames, isBroken: false }
    frames.push(bytes.subarray(at, at + length))
    at += length
  }
  return { frames, isBroken: false }
}

function isSame(frame: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && areEqual(frame, other)
}
