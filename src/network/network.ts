/**
 * The port between rooms and whatever carries their bytes. A network carries
 * gossip messages to everybody in a topic and opens direct streams between two
 * of them. It knows topics and peer ids, and nothing about what it carries.
 */
export interface Network {
  /** The transport id of this device. */
  readonly peerId: string
  /** Enters a topic. One channel a topic at a time; see {@link Channel.leave}. */
  join(topic: string, handler: ChannelHandler): Channel
  /** Leaves all topics and closes all connections. Idempotent. */
  close(): Promise<void>
}

/** A topic this device is in. */
export interface Channel {
  /** How many direct neighbours are in the topic: 0 means a publish would reach nobody. */
  neighbours(): number
  /**
   * Sends `data` to everybody in the topic. Answers how many neighbours it was
   * handed to; with 0 nobody gets it. Does its work without leaving the current
   * task where the transport can: a page that closes has no other.
   */
  publish(data: Uint8Array<ArrayBuffer>): Promise<number>
  /**
   * Opens a stream to a member of the topic, directly or through a node.
   * Rejects when the peer cannot be reached or `signal` fires.
   */
  open(peerId: string, options: { signal: AbortSignal }): Promise<FrameStream>
  /**
   * Leaves a JWT with the nodes this device is connected to, for them to publish
   * when it is gone without having said so. Never rejects: where there is no
   * node there is nobody to do it.
   */
  entrust(jwt: string): Promise<void>
  /** Leaves the topic. Idempotent. */
  leave(): void
}

/** What a room does with what a network brings. None of these may throw or reject. */
export interface ChannelHandler {
  /**
   * A gossip message came from a neighbour; the answer decides whether it travels
   * on, and whether the neighbour is blamed: for what nobody honest passes on
   * (`reject`), or a little for bringing too much (`excess`).
   */
  onGossip(data: Uint8Array, from: string): Promise<'accept' | 'ignore' | 'reject' | 'excess'>
  /** {@link Channel.neighbours} changed. */
  onNeighbours(): void
  /** A neighbour came through which others may be reached that were not before. */
  onWider(): void
  /** The connection to this direct neighbour was lost; it may come back. */
  onPeerLost(peerId: string): void
  /** A member opened a stream to us. */
  onStream(stream: FrameStream, peerId: string): void
}

/** A direct stream between two devices, as whole frames. */
export interface FrameStream {
  /** The frames of the other side, in order. Ends when it closes; throws when the stream breaks. */
  readonly frames: AsyncIterable<Uint8Array>
  /** Sends a frame of at most 32 KiB. Waits while the other side is slow; rejects when the stream is broken. */
  send(frame: Uint8Array<ArrayBuffer>): Promise<void>
  /** Says that no more frames will be sent. Never rejects. */
  close(): Promise<void>
  /** Breaks the stream off. */
  abort(reason: Error): void
}
