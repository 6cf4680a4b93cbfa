import { base58btc } from 'multiformats/bases/base58'
import type { Channel, ChannelHandler, FrameStream, Network } from '../network/network.ts'
import type { Random } from '../random.ts'

/** What a participant needs of the network. */
export interface Wires {
  joined(channel: MemoryChannel): void
  left(channel: MemoryChannel): void
  close(peer: MemoryPeer): void
  neighboursOf(channel: MemoryChannel): MemoryChannel[]
  publish(channel: MemoryChannel, data: Uint8Array<ArrayBuffer>): number
  open(from: MemoryChannel, peerId: string, signal: AbortSignal): Promise<FrameStream>
}

/** One participant of a network in memory. */
export class MemoryPeer implements Network {
  readonly peerId: string
  readonly channels = new Map<string, MemoryChannel>()
  /** Those it has a connection to, also one that is gone without anybody having noticed. */
  readonly links = new Set<MemoryPeer>()
  /** Gone, with or without a word. */
  isGone = false
  /** It slept for so long that its connections are gone. */
  isCutOff = false
  /** What came while it sleeps. */
  #held: (() => void)[] | undefined
  readonly #wires: Wires

  /** Whether others may count on it to pass messages on. */
  readonly relays: boolean

  constructor(wires: Wires, random: Random, relays: boolean) {
    this.#wires = wires
    this.relays = relays
    this.peerId = `12D3KooW${base58btc.encode(random.bytes(33)).slice(1, 45)}`
  }

  get isAsleep(): boolean {
    return this.#held !== undefined
  }

  join(topic: string, handler: ChannelHandler): Channel {
    const channel = new MemoryChannel(this.#wires, this, topic, handler)
    this.channels.set(topic, channel)
    this.#wires.joined(channel)
    return channel
  }

  async close(): Promise<void> {
    this.#wires.close(this)
    this.channels.clear()
  }

  /** Something comes to this peer. */
  receive(task: () => void): void {
    if (this.isGone) return
    if (this.#held === undefined) task()
    else this.#held.push(task)
  }

  /** From now on what comes waits. Answers what this sleep is known by. */
  fallAsleep(): object {
    this.#held = []
    return this.#held
  }

  isIn(sleep: object): boolean {
    return this.#held === sleep
  }

  /** Takes in what came meanwhile. */
  awake(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const task of held) this.receive(task)
  }

  /** Tells all rooms that connections were lost. */
  lost(peerIds: readonly string[]): void {
    this.receive(() => {
      for (const { handler } of [...this.channels.values()]) {
        for (const peerId of peerIds) handler.onPeerLost(peerId)
        handler.onNeighbours()
      }
    })
  }
}

/** A topic one participant is in. */
export class MemoryChannel implements Channel {
  readonly peer: MemoryPeer
  readonly topic: string
  readonly handler: ChannelHandler
  readonly #wires: Wires

  constructor(wires: Wires, peer: MemoryPeer, topic: string, handler: ChannelHandler) {
    this.#wires = wires
    this.peer = peer
    this.topic = topic
    this.handler = handler
  }

  get isLeft(): boolean {
    return this.peer.isGone || this.peer.channels.get(this.topic) !== this
  }

  neighbours(): number {
    return this.#wires.neighboursOf(this).length
  }

  async publish(data: Uint8Array<ArrayBuffer>): Promise<number> {
    return this.#wires.publish(this, data)
  }

  open(peerId: string, { signal }: { signal: AbortSignal }): Promise<FrameStream> {
    return this.#wires.open(this, peerId, signal)
  }

  /** There are no nodes. */
  async entrust(): Promise<void> {}

  leave(): void {
    if (this.isLeft) return
    this.peer.channels.delete(this.topic)
    this.#wires.left(this)
  }
}
