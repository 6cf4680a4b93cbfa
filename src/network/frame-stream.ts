import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { FRAME_MAX_BYTES } from '../limits.ts'
import { decodeLength } from '../wire/length-prefix.ts'
import { inTurns } from './in-turns.ts'
import type { FrameStream } from './network.ts'

/** A libp2p stream as frames: each is preceded by its length as an unsigned varint. */
export function frameStream(stream: Stream): FrameStream {
  const prefixed = lpStream(stream, { maxDataLength: FRAME_MAX_BYTES, lengthDecoder: decodeLength })
  async function* read(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const frame = await prefixed.read().catch((thrown: unknown) => {
        if (thrown instanceof Error && thrown.name === 'UnexpectedEOFError') return undefined
        throw thrown
      })
      if (frame === undefined) return
      yield frame.subarray()
    }
  }
  return {
    frames: { [Symbol.asyncIterator]: () => inTurns(read()) },
    send: (frame) => prefixed.write(frame),
    close: () => stream.close().catch(() => {}),
    abort: (reason) => stream.abort(reason),
  }
}
