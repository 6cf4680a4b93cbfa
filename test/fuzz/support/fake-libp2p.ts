import type { Connection, Libp2p, PeerId, StreamHandler } from '@libp2p/interface'
import type { FakeStream } from './fake-stream.ts'

/** A libp2p node as far as what serves streams on it looks at it: one peer is connected. */
export class FakeLibp2p extends EventTarget {
  readonly peerId: PeerId
  readonly #remote: PeerId
  #handler: StreamHandler | undefined

  constructor(own: PeerId, remote: PeerId) {
    super()
    this.peerId = own
    this.#remote = remote
  }

  get asLibp2p(): Libp2p {
    return this as unknown as Libp2p
  }

  async handle(_protocol: string, handler: StreamHandler): Promise<void> {
    this.#handler = handler
  }

  async unhandle(): Promise<void> {}

  getConnections(): Connection[] {
    return [this.connection]
  }

  get connection(): Connection {
    return { id: 'connection', remotePeer: this.#remote, newStream: async () => {} } as unknown as Connection
  }

  /** The peer opens a stream. */
  async open(stream: FakeStream): Promise<void> {
    await this.#handler?.(stream.asStream, this.connection)
  }
}
