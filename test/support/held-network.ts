import type { Channel, ChannelHandler, Network } from '../../src/network/network.ts'

/** A network whose publishes can be held, whose neighbours can be made up, and whose handler can be called by a test. */
export class HeldNetwork implements Network {
  readonly #inner: Network
  handler!: ChannelHandler
  /** What becomes of a publish; nothing where it is as without this. */
  onPublish: (data: Uint8Array) => Promise<number | undefined> = async () => undefined
  /** How many there are; nothing where that is as without this. */
  neighbours: number | undefined
  /** What gossip brings is lost. */
  isDeaf = false

  constructor(inner: Network) {
    this.#inner = inner
  }

  get peerId(): string {
    return this.#inner.peerId
  }

  join(topic: string, handler: ChannelHandler): Channel {
    this.handler = handler
    const channel = this.#inner.join(topic, {
      ...handler,
      onGossip: async (data, from) => (this.isDeaf ? 'ignore' : handler.onGossip(data, from)),
    })
    return {
      neighbours: () => this.neighbours ?? channel.neighbours(),
      publish: async (data) => (await this.onPublish(data)) ?? channel.publish(data),
      open: (peer, options) => channel.open(peer, options),
      entrust: (jwt) => channel.entrust(jwt),
      leave: () => channel.leave(),
    }
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
