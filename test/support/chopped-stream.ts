import type { Logger } from '@libp2p/interface'
import { AbstractStream } from '@libp2p/utils'

const silent = (): void => {}
const log: Logger = Object.assign(silent, {
  error: silent,
  trace: silent,
  enabled: false,
  newScope: () => log,
})

/** How bytes travel: in pieces of these lengths, over and over, and so many under way at a time at most. */
export interface Chopping {
  pieces: readonly number[]
  windowBytes: number
}

/** The two ends of a libp2p stream on which frames arrive in pieces, several in one, and senders have to wait. */
export function choppedStreams(chopping: Chopping): [here: ChoppedStream, there: ChoppedStream] {
  const here = new ChoppedStream(chopping, 'outbound')
  const there = new ChoppedStream(chopping, 'inbound')
  here.other = there
  there.other = here
  return [here, there]
}

class ChoppedStream extends AbstractStream {
  other: ChoppedStream | undefined
  /** How many bytes went out. */
  sent = 0
  readonly #pieces: readonly number[]
  readonly #windowBytes: number
  readonly #underWay: (Uint8Array | 'end')[] = []
  #bytes = 0
  #turn = 0
  #isPumping = false

  constructor({ pieces, windowBytes }: Chopping, direction: 'inbound' | 'outbound') {
    super({ id: direction, log, direction })
    this.#pieces = pieces
    this.#windowBytes = windowBytes
  }

  sendData(data: Parameters<AbstractStream['sendData']>[0]): ReturnType<AbstractStream['sendData']> {
    const sentBytes = Math.min(data.byteLength, this.#windowBytes - this.#bytes)
    const bytes = data.slice(0, sentBytes)
    for (let at = 0; at < sentBytes; ) {
      const length = Math.max(1, this.#pieces[this.#turn++ % this.#pieces.length] ?? sentBytes)
      this.#underWay.push(bytes.subarray(at, at + length))
      at += length
    }
    this.sent += sentBytes
    this.#bytes += sentBytes
    void this.#pump()
    return { sentBytes, canSendMore: this.#bytes < this.#windowBytes }
  }

  async sendCloseWrite(): Promise<void> {
    this.#underWay.push('end')
    void this.#pump()
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return
    this.#isPumping = true
    for (let next = this.#underWay.shift(); next !== undefined; next = this.#underWay.shift()) {
      await Promise.resolve()
      if (next === 'end') this.other?.onRemoteCloseWrite()
      else {
        this.other?.onData(next)
        const isFull = this.#bytes >= this.#windowBytes
        this.#bytes -= next.byteLength
        if (isFull) this.safeDispatchEvent('drain')
      }
    }
    this.#isPumping = false
  }

  sendReset(): void {
    this.other?.onRemoteReset()
  }

  async sendCloseRead(): Promise<void> {}
  sendPause(): void {}
  sendResume(): void {}
}
