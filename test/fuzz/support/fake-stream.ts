import { type Stream, StreamMessageEvent } from '@libp2p/interface'

type Chunk = Uint8Array | { subarray(): Uint8Array }

/**
 * A libp2p stream as far as its users look at it, without an event loop: what it
 * receives and when is the caller's to say.
 */
export class FakeStream extends EventTarget {
  readonly sent: Uint8Array[] = []
  readonly log = Object.assign((): void => {}, { error: (): void => {}, trace: (): void => {} })
  status = 'open'
  remoteWriteStatus = 'writable'
  readonly readBufferLength = 0
  /** Why it was broken off. */
  reason: Error | undefined

  /** The same, for those who want it with everything a stream has. */
  get asStream(): Stream {
    return this as unknown as Stream
  }

  send(data: Chunk): boolean {
    if (this.status !== 'open') throw new Error('the stream is closed')
    this.sent.push(data.subarray().slice())
    return true
  }

  push(): void {}

  async closeRead(): Promise<void> {}

  async close(): Promise<void> {
    this.status = 'closed'
  }

  abort(reason: Error): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.status = 'aborted'
    this.remoteWriteStatus = 'closed'
    this.dispatchEvent(Object.assign(new Event('close'), { error: reason }))
  }

  /** The other side sends all this in pieces, and nothing more. */
  async receive(bytes: Uint8Array, pieceBytes: number): Promise<void> {
    for (let at = 0; at < bytes.length && this.reason === undefined; at += pieceBytes) {
      this.dispatchEvent(new StreamMessageEvent(bytes.slice(at, at + pieceBytes)))
      await breath()
    }
    await breath()
    this.remoteWriteStatus = 'closed'
    this.dispatchEvent(new Event('remoteCloseWrite'))
  }
}

/** Lets what waits for a promise go on for a while. */
async function breath(): Promise<void> {
  for (let turns = 0; turns < 8; turns += 1) await Promise.resolve()
}

/** Each after its length, as they go over a stream. */
export function prefixed(frames: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(frames.flatMap((frame) => [varint(frame.length), frame]))
}

function varint(length: number): Uint8Array {
  const bytes: number[] = []
  let rest = length
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128)
  return Uint8Array.from([...bytes, rest])
}
