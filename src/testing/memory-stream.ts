import type { FrameStream } from '../network/network.ts'

/** The two ends of a stream in memory. */
export function memoryStreams(): [FrameStream, FrameStream] {
  const there = new Pipe()
  const back = new Pipe()
  return [end(back, there), end(there, back)]
}

function end(incoming: Pipe, outgoing: Pipe): FrameStream {
  return {
    frames: incoming,
    send: async (frame) => outgoing.push(frame.slice()),
    close: async () => outgoing.end(),
    abort: (reason) => {
      incoming.end(reason)
      outgoing.end(reason)
    },
  }
}

/** One direction. */
class Pipe implements AsyncIterable<Uint8Array> {
  readonly #frames: Uint8Array[] = []
  #wake = (): void => {}
  #ended = false
  #error: Error | undefined

  push(frame: Uint8Array): void {
    if (this.#ended) throw this.#error ?? new Error('the stream is closed')
    this.#frames.push(frame)
    this.#wake()
  }

  end(error?: Error): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) yield frame
      else if (this.#error !== undefined) throw this.#error
      else if (this.#ended) return
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}
