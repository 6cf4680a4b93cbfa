import type { FrameStream } from '../network/network.ts'

/** How many bytes may be on their way or unread, until a sender waits: the window yamux begins with. */
const WINDOW_BYTES = 256 * 1024

/** Lets something arrive at the other end, now or later, in the order in which it was sent. */
export type Lane = (arrive: () => void) => void

/** How a stream in memory travels; by default at once. */
export interface StreamWay {
  there?: Lane
  back?: Lane
  /** Whether the stream breaks with this frame. */
  breaks?: () => boolean
  /** Both ends are done with it. */
  onEnd?: () => void
}

const atOnce: Lane = (arrive) => arrive()

/** Breaks a stream in the middle. Each end learns of it through a lane of its own, by default at once. */
export type BreakOff = (reason: Error, here?: Lane, there?: Lane) => void

/** The two ends of a stream in memory, and what breaks it. */
export function memoryStreams(way: StreamWay = {}): [here: FrameStream, there: FrameStream, BreakOff] {
  const { there: toThere = atOnce, back: toHere = atOnce, breaks = () => false, onEnd = () => {} } = way
  const onRead = (): void => {
    if (there.isRead && back.isRead) onEnd()
  }
  const there = new Pipe(onRead)
  const back = new Pipe(onRead)
  const learn = (incoming: Pipe, outgoing: Pipe, reason: Error): void => {
    incoming.endReading(reason)
    outgoing.endSending(reason)
  }
  const breakOff: BreakOff = (reason, atHere = atOnce, atThere = atOnce) => {
    atHere(() => learn(back, there, reason))
    atThere(() => learn(there, back, reason))
  }
  const end = (incoming: Pipe, outgoing: Pipe, lane: Lane): FrameStream => ({
    frames: incoming,
    async send(frame) {
      if (breaks()) breakOff(new Error('the stream broke'))
      outgoing.charge(frame.byteLength)
      const copy = frame.slice()
      lane(() => outgoing.arrive(copy))
      await outgoing.room()
    },
    async close() {
      if (outgoing.endSending()) lane(() => outgoing.endReading())
    },
    abort(reason) {
      learn(incoming, outgoing, reason)
      lane(() => learn(outgoing, incoming, reason))
    },
  })
  return [end(back, there, toThere), end(there, back, toHere), breakOff]
}

/** One direction, with what its sender knows of it and what its reader does. */
class Pipe implements AsyncIterable<Uint8Array> {
  readonly #frames: Uint8Array[] = []
  readonly #onRead: () => void
  #unreadBytes = 0
  /** Wakes the reader. */
  #wake = (): void => {}
  /** Wakes the senders. */
  readonly #waiting: (() => void)[] = []
  #sendingEnded: { error: Error | undefined } | undefined
  #readingEnded: { error: Error | undefined } | undefined

  constructor(onRead: () => void) {
    this.#onRead = onRead
  }

  /** No more frames will come. */
  get isRead(): boolean {
    return this.#readingEnded !== undefined
  }

  charge(bytes: number): void {
    if (this.#sendingEnded !== undefined) throw this.#sendingEnded.error ?? new Error('the stream is closed')
    this.#unreadBytes += bytes
  }

  arrive(frame: Uint8Array): void {
    if (this.#readingEnded !== undefined) return
    this.#frames.push(frame)
    this.#wake()
  }

  /** Waits until the reader has read enough; rejects when the stream breaks. */
  async room(): Promise<void> {
    while (this.#unreadBytes > WINDOW_BYTES) {
      if (this.#sendingEnded?.error !== undefined) throw this.#sendingEnded.error
      if (this.#sendingEnded !== undefined) return
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Answers whether it had not ended before. */
  endSending(error?: Error): boolean {
    if (this.#sendingEnded !== undefined) return false
    this.#sendingEnded = { error }
    this.#wakeSenders()
    return true
  }

  endReading(error?: Error): void {
    if (this.#readingEnded !== undefined) return
    this.#readingEnded = { error }
    this.#wake()
    this.#onRead()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) {
        this.#unreadBytes -= frame.byteLength
        this.#wakeSenders()
        yield frame
      } else if (this.#readingEnded?.error !== undefined) throw this.#readingEnded.error
      else if (this.#readingEnded !== undefined) return
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }

  #wakeSenders(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
