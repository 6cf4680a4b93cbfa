import { every } from '../../src/clock.ts'
import { type Author, createAuthor } from '../../src/identity/author.ts'
import type { Identity } from '../../src/identity/identity.ts'
import type { Channel, Network } from '../../src/network/network.ts'
import { toSeconds } from '../../src/wire/claims.ts'
import { decodeFrame, encodeFrame } from '../../src/wire/frame.ts'
import { attack } from './attacks.ts'
import { DeviceClock } from './device-clock.ts'
import { Dice } from './dice.ts'
import { answerBadly } from './manners.ts'
import type { Means } from './means.ts'
import type { Attack, DeviceSpec, Malice } from './scenario.ts'
import type { Stage } from './stage.ts'

const RENEW_MS = 30_000
const SLOWEST_CLOCK_MS = 120_000
/** How much of what it heard it remembers, to use it. */
const HEARD_MAX = 300

/** A malicious device: takes part as far as it is useful to it, and speaks the wire by hand. */
export class Mallory {
  readonly spec: DeviceSpec
  readonly did: string
  readonly clock: DeviceClock
  isPresent = false
  readonly #stage: Stage
  readonly #malice: Malice
  readonly #network: Network
  readonly #author: Author
  readonly #identity: Identity
  readonly #dice: Dice
  readonly #heard: string[] = []
  #channel: Channel | undefined

  constructor(stage: Stage, spec: DeviceSpec & { malice: Malice }, identity: Identity) {
    this.#stage = stage
    this.spec = spec
    this.#malice = spec.malice
    this.#identity = identity
    this.did = identity.did
    this.clock = new DeviceClock(stage.clock, spec.offsetMs)
    this.#network = stage.network.peer({ relays: spec.malice.forwards || stage.eclipse })
    const random = stage.randomFor(`device ${spec.number}`)
    this.#dice = new Dice(random)
    this.#author = createAuthor(identity, { clock: this.clock, random })
  }

  get peerId(): string {
    return this.#network.peerId
  }

  async join(): Promise<void> {
    this.isPresent = true
    this.#channel = this.#network.join(this.#stage.topic, {
      onGossip: async (data) => {
        this.#heard.push(...(decodeFrame(data) ?? []))
        this.#heard.splice(0, this.#heard.length - HEARD_MAX)
        return this.#malice.forwards ? 'accept' : 'ignore'
      },
      onNeighbours: () => {},
      onWider: () => {},
      onPeerLost: () => {},
      onStream: (stream) => void answerBadly(stream, this.#malice.manners, this.#means()),
    })
    every(this.clock, RENEW_MS, () => void this.#show('presence'))
    await this.#show('join')
  }

  async attack(kind: Attack): Promise<void> {
    if (this.isPresent) await attack(kind, this.#means())
  }

  async leave(): Promise<void> {
    this.isPresent = false
    this.clock.stop()
    await this.#network.close()
  }

  async #show(type: 'join' | 'presence'): Promise<void> {
    // Before everything, also by the slowest clock.
    const since = toSeconds(this.#stage.clock.now() - this.#stage.elapsedMs - SLOWEST_CLOCK_MS)
    const body = { peer: this.peerId, since, data: { name: 'mallory' } }
    const { jwt } = await this.#author.write(this.#stage.topic, type, body)
    await this.#publish([jwt])
  }

  #means(): Means {
    return {
      topic: this.#stage.topic,
      identity: this.#identity,
      author: this.#author,
      clock: this.clock,
      dice: this.#dice,
      heard: this.#heard,
      publish: (jwts) => this.#publish(jwts),
      publishBytes: (data) => this.#publishBytes(data),
      open: (peerId) => this.#open(peerId),
    }
  }

  #publish(jwts: readonly string[]): Promise<void> {
    return this.#publishBytes(encodeFrame(jwts))
  }

  async #publishBytes(data: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#channel?.publish(data)
  }

  async #open(peerId: string): ReturnType<Means['open']> {
    const signal = new AbortController().signal
    return this.#channel?.open(peerId, { signal }).catch(() => undefined)
  }
}
