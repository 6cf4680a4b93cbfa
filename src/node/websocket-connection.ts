import type { Logger } from '@libp2p/interface'
import { AbstractMultiaddrConnection, type SendResult } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { WebSocket } from 'ws'

/** How much may wait in a socket before its sender is told to pause. */
const BUFFER_MAX_BYTES = 4 * 1024 * 1024

type Chunks = Iterable<Uint8Array> & { byteLength: number }

/** A WebSocket a client opened, as libp2p's connection. */
export class WebSocketConnection extends AbstractMultiaddrConnection {
  readonly #socket: WebSocket

  constructor(socket: WebSocket, options: { remoteAddr: Multiaddr; log: Logger }) {
    super({ ...options, direction: 'inbound' })
    this.#socket = socket
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.onData(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      else this.abort(new Error('a text message on a binary protocol'))
    })
    socket.on('error', (error) => this.abort(error))
    socket.once('close', (code) => {
      if (code === 1006) this.onRemoteReset()
      else this.onTransportClosed()
    })
  }

  sendData(data: Chunks): SendResult {
    const chunks = [...data]
    const last = chunks.length - 1
    for (const [index, chunk] of chunks.entries()) {
      this.#socket.send(chunk, { binary: true }, index === last ? () => this.#onFlushed() : undefined)
    }
    return { sentBytes: data.byteLength, canSendMore: this.#socket.bufferedAmount < BUFFER_MAX_BYTES }
  }

  sendReset(): void {
    this.#socket.terminate()
  }

  async sendClose(): Promise<void> {
    this.#socket.close()
  }

  sendPause(): void {
    this.#socket.pause()
  }

  sendResume(): void {
    this.#socket.resume()
  }

  #onFlushed(): void {
    if (this.writableNeedsDrain && this.#socket.bufferedAmount < BUFFER_MAX_BYTES / 2) {
      this.safeDispatchEvent('drain')
    }
  }
}
