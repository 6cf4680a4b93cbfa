import { createAuthor } from '../../src/identity/author.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { silentLogger } from '../../src/logger.ts'
import type { Network } from '../../src/network/network.ts'
import type { RoomListener } from '../../src/room/listener.ts'
import type { Message } from '../../src/room/message.ts'
import { Room } from '../../src/room/room.ts'
import type { MemoryPeer } from '../../src/testing/memory-peer.ts'
import { Audience, contentOf } from './audience.ts'
import { Changing } from './changing.ts'
import { DeviceClock } from './device-clock.ts'
import { Dice } from './dice.ts'
import { type Ear, overheard } from './overheard.ts'
import { type DeviceSpec, hasGoodClock } from './scenario.ts'
import { slowVerifier } from './slow-verifier.ts'
import type { Stage } from './stage.ts'

/** An honest device: a room, and a record of what it told. */
export class Device {
  readonly spec: DeviceSpec
  readonly did: string
  readonly room: Room
  readonly clock: DeviceClock
  /** The messages it told, by id. */
  readonly told = new Map<string, Message>()
  readonly audience = new Audience()
  readonly changing: Changing
  /** Those it sent. */
  readonly sent: Message[] = []
  state: 'coming' | 'present' | 'asleep' | 'gone' = 'coming'
  /** When it last came or woke up, in time of the stage. */
  presentSinceMs = 0
  readonly #stage: Stage
  readonly #network: Network

  constructor(stage: Stage, spec: DeviceSpec, identity: Identity) {
    this.#stage = stage
    this.spec = spec
    this.did = identity.did
    this.clock = new DeviceClock(stage.clock, spec.offsetMs)
    // Whose clock is wrong ignores what others accept, and passes none of it on.
    this.#network = stage.network.peer({ relays: stage.eclipse || hasGoodClock(spec) })
    const random = stage.randomFor(`device ${spec.number}`)
    this.room = new Room({
      topic: stage.topic,
      author: createAuthor(identity, { clock: this.clock, random }),
      network: overheard(this.#network, this.#ear()),
      verifier: slowVerifier(stage.keys, { clock: this.clock, random, maxMs: spec.slowMs }),
      clock: this.clock,
      random,
      logger: silentLogger,
      presence: { name: `device ${spec.number}` },
      backlogLimit: 100,
      listener: this.#listener(),
    })
    this.changing = new Changing(stage, this, new Dice(stage.randomFor(`changes of device ${spec.number}`)))
  }

  get peerId(): string {
    return this.#network.peerId
  }

  /** Its connections. */
  neighbours(): string[] {
    return [...(this.#network as MemoryPeer).links].map(({ peerId }) => peerId)
  }

  async join(): Promise<void> {
    await this.room.open()
    this.state = 'present'
    this.presentSinceMs = this.#stage.elapsedMs
  }

  async send(text: string): Promise<void> {
    this.sent.push(await this.room.writer.send(text))
  }

  /** Asks for all there is, and shows it. */
  async lookBack(): Promise<void> {
    const messages = await this.room.requestBacklog({ limit: 1_000 })
    for (const message of messages) this.#stage.judge.handed(this, message)
  }

  async leave(): Promise<void> {
    this.state = 'gone'
    await this.room.close()
    await this.#network.close()
    this.clock.stop()
  }

  crash(): void {
    this.state = 'gone'
    this.clock.stop()
    this.#stage.network.crash(this.peerId)
  }

  sleep(): void {
    this.state = 'asleep'
    this.clock.sleep()
    this.#stage.network.sleep(this.peerId)
  }

  wake(): void {
    if (this.state !== 'asleep') return
    this.state = 'present'
    this.presentSinceMs = this.#stage.elapsedMs
    this.clock.wake()
    this.#stage.network.wake(this.peerId)
  }

  /** Whether another device is on its list; by its DID, for anybody may claim to be at a peer. */
  lists(other: Device): boolean {
    return this.room.state.roster.member(other.did)?.devices.includes(other.peerId) === true
  }

  /** The ids of its history, messages and changes, in its order. */
  history(): string[] {
    return this.room.state.timeline.slice(Number.POSITIVE_INFINITY).events.map(({ id }) => id)
  }

  #ear(): Ear {
    const { trace, judge } = this.#stage
    return {
      delivered: (data, verdict) => judge.delivered(this, data, verdict),
      opened: (peerId) => trace.note(this.spec.number, 'stream', peerId),
      gave: (jwts) => judge.gave(this, jwts),
    }
  }

  #listener(): RoomListener {
    const { trace, judge } = this.#stage
    const { number } = this.spec
    const note = (...parts: (string | number)[]): void => trace.note(this.#stage.elapsedMs, number, ...parts)
    return {
      joined: (did) => {
        note('joined', did)
        judge.joined(this, did)
      },
      left: (did, reason) => {
        note('left', did, reason)
        judge.left(this, did)
      },
      updated: (did) => {
        note('updated', did)
        judge.shown(this, did)
      },
      message: (message) => {
        note('message', message.id)
        judge.told(this, message)
      },
      messageDeleted: (message) => {
        note('message-deleted', message.id)
        judge.deleted(this, message)
      },
      messageUpdated: (message) => {
        note('message-updated', message.id, message.status, contentOf(message))
        judge.updated(this, message)
      },
      backlog: (messages) => {
        note('backlog', ...messages.map(({ id }) => id))
        for (const message of messages) judge.told(this, message)
      },
      recovered: ({ complete, count }) => note('recovered', String(complete), count),
      typing: (dids) => note('typing', ...dids),
      status: ({ current }) => note('status', current),
      failed: (error) => judge.failed(this, error),
    }
  }
}
