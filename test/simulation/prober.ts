import type { Channel, Network } from '../../src/network/network.ts'
import type { SignedEvent } from '../../src/wire/event.ts'
import { type Bound, decodeSync } from '../../src/wire/sync.ts'
import { askForAll } from '../support/sync.ts'
import type { Device } from './device.ts'
import type { Stage } from './stage.ts'

/** What a device gave to somebody who asked for everything. */
export interface Served {
  /** What it had when it was asked. */
  had: readonly SignedEvent[]
  jwts: readonly string[]
  /** What it keeps begins here, it says. */
  floor: Bound
}

/** Somebody who was never there, has nothing, and asks a device for all it has. */
export class Prober {
  readonly #network: Network
  readonly #channel: Channel

  constructor(stage: Stage) {
    this.#network = stage.network.peer({ relays: false })
    this.#channel = this.#network.join(stage.topic, {
      onGossip: async () => 'ignore',
      onNeighbours: () => {},
      onWider: () => {},
      onPeerLost: () => {},
      onStream: (stream) => stream.abort(new Error('there is nothing here')),
    })
  }

  /** The events a device gives away, or `undefined` where it does not answer to the end. */
  async ask({ peerId, room }: Device): Promise<Served | undefined> {
    const had = room.state.timeline.slice(Number.POSITIVE_INFINITY).events
    const jwts: string[] = []
    let floor: Bound | undefined
    try {
      const stream = await this.#channel.open(peerId, { signal: new AbortController().signal })
      await stream.send(askForAll())
      for await (const frame of stream.frames) {
        const said = decodeSync(frame)
        if (said?.kind === 'events') jwts.push(...said.jwts)
        else if (said?.kind === 'turn') floor = said.floor
        else return undefined
      }
      await stream.close()
      return floor && { had, jwts, floor }
    } catch {
      return undefined
    }
  }

  close(): Promise<void> {
    return this.#network.close()
  }
}
