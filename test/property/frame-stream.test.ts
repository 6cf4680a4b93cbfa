import fc from 'fast-check'
import { turn } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { FRAME_MAX_BYTES } from '../../src/limits.ts'
import { frameStream } from '../../src/network/frame-stream.ts'
import { choppedStreams } from '../support/chopped-stream.ts'
import { asyncProperty } from '../support/property.ts'
import { runs } from '../support/runs.ts'

const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 })
const frame = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 60 }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 100, max: 600 }).map((length) => new Uint8Array(length).fill(7)),
  },
)

describe('frames on a stream', () => {
  it('come whole and in order, in whatever pieces their bytes do, and then the end', async () => {
    const windowBytes = fc.integer({ min: 1, max: 500 })
    await fc.assert(
      asyncProperty(fc.array(frame, { maxLength: 8 }), pieces, windowBytes, async (frames, cuts, window) => {
        const [here, there] = choppedStreams({ pieces: cuts, windowBytes: window })
        const sender = frameStream(here)
        const sending = (async () => {
          for (const bytes of frames) await sender.send(new Uint8Array(bytes))
          await sender.close()
        })()
        const received: Uint8Array[] = []
        for await (const bytes of frameStream(there).frames) received.push(bytes)
        await sending
        expect(received.map((bytes) => [...bytes])).toEqual(frames.map((bytes) => [...bytes]))
      }),
      runs(200),
    )
  })

  it('end or break where the bytes are none, and hold no more than one frame meanwhile', async () => {
    const junk = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => bytes.map((byte) => byte | 0x80)),
    )
    await fc.assert(
      asyncProperty(junk, pieces, async (bytes, cuts) => {
        const [here, there] = choppedStreams({ pieces: cuts, windowBytes: FRAME_MAX_BYTES })
        const reading = (async () => {
          let length = 0
          for await (const read of frameStream(there).frames) length += read.byteLength
          return length
        })()
        if (bytes.length > 0) here.send(bytes)
        await here.close()
        const length = await reading.catch((thrown: unknown) => thrown)
        if (typeof length === 'number') expect(length).toBeLessThanOrEqual(bytes.byteLength)
        else expect(length).toBeInstanceOf(Error)
        await turn()
      }),
      runs(200),
    )
  })
})
