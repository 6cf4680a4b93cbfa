import type { GossipVerdict } from '../../src/gate/gossip.ts'
import type { Channel, FrameStream, Network } from '../../src/network/network.ts'
import { decodeFrame } from '../../src/wire/frame.ts'
import { decodeSync } from '../../src/wire/sync.ts'

/** What is heard of what a device and its network say to each other. */
export interface Ear {
  /** A gossip message came, and was judged. */
  delivered(data: Uint8Array, verdict: GossipVerdict): void
  /** A member opened a stream. */
  opened(peerId: string): void
  /** The device gives these events away, all at once or on a stream. */
  gave(jwts: readonly string[]): void
}

/** A network as it is, with an ear to it. */
export function overheard(network: Network, ear: Ear): Network {
  return {
    peerId: network.peerId,
    join: (topic, handler) => {
      const channel = network.join(topic, {
        ...handler,
        onGossip: async (data, from) => {
          const verdict = await handler.onGossip(data, from)
          ear.delivered(data, verdict)
          return verdict
        },
        onStream: (stream, peerId) => {
          ear.opened(peerId)
          handler.onStream(overheardStream(stream, ear), peerId)
        },
      })
      return overheardChannel(channel, ear)
    },
    close: () => network.close(),
  }
}

function overheardChannel(channel: Channel, ear: Ear): Channel {
  return {
    neighbours: () => channel.neighbours(),
    publish: (data) => {
      ear.gave(decodeFrame(data) ?? [])
      return channel.publish(data)
    },
    open: async (peerId, options) => overheardStream(await channel.open(peerId, options), ear),
    entrust: (jwt) => channel.entrust(jwt),
    leave: () => channel.leave(),
  }
}

function overheardStream(stream: FrameStream, ear: Ear): FrameStream {
  return {
    frames: stream.frames,
    send: (frame) => {
      const said = decodeSync(frame)
      if (said?.kind === 'events') ear.gave(said.jwts)
      return stream.send(frame)
    },
    close: () => stream.close(),
    abort: (reason) => stream.abort(reason),
  }
}
