import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Clock } from '../clock.ts'
import { WILL_PROTOCOL } from '../wire/will.ts'
import { frameStream } from './frame-stream.ts'

/** How long wills are gathered before they are sent: those of many rooms come at once. */
const GATHER_MS = 20
/** How long a node may take to accept them. */
const TIMEOUT_MS = 10_000

/** Leaves wills with the nodes a device is connected to. */
export class WillSender {
  readonly #libp2p: Libp2p
  readonly #clock: Clock
  readonly #isNode: (peerId: PeerId) => boolean
  #gathered: Uint8Array<ArrayBuffer>[] = []
  #sending: Promise<void> | undefined

  constructor(options: { libp2p: Libp2p; clock: Clock; isNode: (peerId: PeerId) => boolean }) {
    this.#libp2p = options.libp2p
    this.#clock = options.clock
    this.#isNode = options.isNode
  }

  /** Sends a will, with others of the same moment. Never rejects. */
  send(jwt: string): Promise<void> {
    this.#gathered.push(new TextEncoder().encode(jwt))
    this.#sending ??= new Promise((resolve) => {
      this.#clock.after(GATHER_MS, () => resolve(this.#flush()))
    })
    return this.#sending
  }

  /** One stream a node: once in 30 s is too seldom to keep it. */
  async #flush(): Promise<void> {
    const wills = this.#gathered
    this.#gathered = []
    this.#sending = undefined
    const nodes = this.#libp2p.getConnections().filter(({ remotePeer }) => this.#isNode(remotePeer))
    await Promise.allSettled(
      nodes.map(async (connection) => {
        const signal = AbortSignal.timeout(TIMEOUT_MS)
        const stream = frameStream(await connection.newStream(WILL_PROTOCOL, { signal }))
        for (const will of wills) await stream.send(will)
        await stream.close()
      }),
    )
  }
}
