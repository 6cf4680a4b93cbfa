import {
  type GhostChat,
  type JoinChatOptions,
  type Message,
  type OpenSpaceOptions,
  openSpace,
  type Space,
} from 'ghostchat'
import { ManualClock, MemoryNetwork, settle } from 'ghostchat/testing'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/logger.ts'
import type { Channel, FrameStream, Network } from '../../src/network/network.ts'
import type { LeaveReason } from '../../src/room/roster.ts'
import { decodeFrame, encodeFrame } from '../../src/wire/frame.ts'
import { type ParsedJwt, parseJwt } from '../../src/wire/jwt.ts'
import { decodeSync, type SyncFrame } from '../../src/wire/sync.ts'
import { NOW } from './authors.ts'

/** Everything a chat told, in order, in a form that is easy to compare. */
type Told =
  | ['user-joined', string]
  | ['user-left', string, LeaveReason]
  | ['user-updated', string]
  | ['message', string, string]
  | ['message-updated', string, string]
  | ['message-deleted', string, boolean]
  | ['backlog', string[]]
  | ['recovered', boolean, number]
  | ['typing', string[]]
  | ['status', string]
  | ['error', string]

/** One device of a user in a room. */
export interface Visitor {
  readonly space: Space
  readonly chat: GhostChat
  readonly did: string
  readonly network: Network
  readonly told: Told[]
  /** What was told under one name. */
  heard<K extends Told[0]>(name: K): Extract<Told, [K, ...unknown[]]>[]
  /** The texts of the messages that came live, then of those in backlogs. */
  texts(): string[]
}

export interface VisitOptions extends JoinChatOptions {
  name?: string
  room?: string
  identity?: OpenSpaceOptions['identity']
  clock?: Clock
  network?: Network
  logger?: Logger
}

/** A logger that keeps what it is told. */
export function memoryLogger(): Logger & { warnings: string[] } {
  const warnings: string[] = []
  return { warnings, debug() {}, warn: (message) => void warnings.push(message) }
}

/** A network in memory and a clock of its own, to which devices come. */
export class World {
  readonly clock = new ManualClock(NOW)
  readonly network = new MemoryNetwork()
  readonly logger = memoryLogger()
  readonly #spaces: Space[] = []

  async space(options: VisitOptions = {}): Promise<{ space: Space; network: Network }> {
    const network = options.network ?? this.network.peer()
    const space = await openSpace(options.name ?? 'dapp', {
      network,
      clock: options.clock ?? this.clock,
      identity: options.identity ?? 'ephemeral',
      logger: options.logger ?? this.logger,
    })
    this.#spaces.push(space)
    return { space, network }
  }

  /** A new device in the room; everybody has met it when this resolves. */
  async visit(options: VisitOptions = {}): Promise<Visitor> {
    // Who comes now comes later than all that was written before, and finds greeters rested.
    await this.pass(1_100)
    const { space, network } = await this.space(options)
    const visitor = await enter(space, network, options)
    await this.pass(100)
    return visitor
  }

  /** Lets time pass, after what is under way came to rest. */
  async pass(ms: number): Promise<void> {
    await settle()
    await this.clock.advance(ms)
  }

  async close(): Promise<void> {
    await Promise.all(this.#spaces.map((space) => space.close()))
  }
}

/** Joins a room and listens to everything. */
export async function enter(space: Space, network: Network, options: VisitOptions = {}): Promise<Visitor> {
  const { room = 'lobby', presence, backlogLimit, filters, signal } = options
  const chat = await space.joinChat(room, {
    ...(presence && { presence }),
    ...(backlogLimit !== undefined && { backlogLimit }),
    ...(filters && { filters }),
    ...(signal && { signal }),
  })
  const told = listen(chat)
  return {
    space,
    chat,
    network,
    told,
    did: space.did,
    heard: (name) => heard(told, name),
    texts: () => [
      ...heard(told, 'message').map(([, , text]) => text),
      ...heard(told, 'backlog').flatMap(([, texts]) => texts),
    ],
  }
}

function heard<K extends Told[0]>(told: Told[], name: K): Extract<Told, [K, ...unknown[]]>[] {
  return told.filter((entry): entry is Extract<Told, [K, ...unknown[]]> => entry[0] === name)
}

function listen(chat: GhostChat): Told[] {
  const told: Told[] = []
  chat.on('user-joined', (did) => told.push(['user-joined', did]))
  chat.on('user-left', (did, { reason }) => told.push(['user-left', did, reason]))
  chat.on('user-updated', (did) => told.push(['user-updated', did]))
  chat.on('message', (did, message) => told.push(['message', did, message.text]))
  chat.on('message-updated', (_did, message) => told.push(['message-updated', message.text, message.status]))
  chat.on('message-deleted', (_did, { id, isDeleted }) => told.push(['message-deleted', id, isDeleted]))
  chat.on('backlog', (messages) => told.push(['backlog', textsOf(messages)]))
  chat.on('recovered', ({ complete, count }) => told.push(['recovered', complete, count]))
  chat.on('typing', (dids) => told.push(['typing', dids]))
  chat.on('status', ({ current }) => told.push(['status', current]))
  chat.on('error', (error) => told.push(['error', error.code]))
  return told
}

export function textsOf(messages: readonly Message[]): string[] {
  return messages.map(({ text }) => text)
}

/** Waits until `check` holds: real turns of the event loop, no time of the manual clock. */
export async function until(check: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !check(); turn += 1) await settle()
  if (!check()) throw new Error(`it never came true: ${check.toString()}`)
}

/** Whether a promise settles without the help of time. */
export async function settles(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  const done = (): void => {
    settled = true
  }
  promise.then(done, done)
  for (let turn = 0; turn < 5 && !settled; turn += 1) await settle()
  return settled
}

/** The code of the GhostChatError that `act` ends with, or what it ended with instead. */
export async function codeOf(act: () => unknown): Promise<unknown> {
  try {
    await act()
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown ? thrown.code : thrown
  }
  return 'nothing was thrown'
}

/** What a JWT says, for tests that look at what was sent. */
export function claimsIn(jwt: string): ParsedJwt['claims'] {
  const parsed = parseJwt(jwt)
  if (typeof parsed === 'string') throw new Error(`not an event: ${parsed}`)
  return parsed.claims
}

/** Somebody in a topic who speaks the wire by hand: a witness, or an attacker. */
export class RawPeer {
  readonly network: Network
  readonly channel: Channel
  /** Every JWT that was sent to the topic. */
  readonly jwts: string[] = []
  readonly streams: FrameStream[] = []

  constructor(network: MemoryNetwork, topic: string, serve: (stream: FrameStream) => void = () => {}) {
    this.network = network.peer()
    this.channel = this.network.join(topic, {
      onGossip: async (data) => {
        this.jwts.push(...(decodeFrame(data) ?? []))
        return 'accept'
      },
      onNeighbours: () => {},
      onWider: () => {},
      onPeerLost: () => {},
      onStream: (stream) => {
        this.streams.push(stream)
        serve(stream)
      },
    })
  }

  get peerId(): string {
    return this.network.peerId
  }

  /** The types of the events an author sent. */
  typesBy(did: string): string[] {
    return this.jwts.map(claimsIn).flatMap(({ iss, type }) => (iss === did ? [type] : []))
  }

  async publish(...jwts: string[]): Promise<void> {
    await this.channel.publish(encodeFrame(jwts))
    await settle()
    await settle()
  }

  /** Opens a comparison with a peer, and ends its part with that; all frames of the answer. */
  async ask(peerId: string, opening: Uint8Array<ArrayBuffer>): Promise<(SyncFrame | undefined)[]> {
    const stream = await this.channel.open(peerId, { signal: new AbortController().signal })
    await stream.send(opening)
    await stream.close()
    const answers: (SyncFrame | undefined)[] = []
    for await (const frame of stream.frames) answers.push(decodeSync(frame))
    return answers
  }
}

/** Answers a comparison by hand: with these frames, whatever was asked. */
export function answering(...frames: Uint8Array<ArrayBuffer>[]): (stream: FrameStream) => void {
  return (stream) => {
    void (async () => {
      for (const frame of frames) await stream.send(frame)
      await stream.close()
    })().catch(() => {})
  }
}

/** The backlog of somebody who may be alone: time has to pass until that is sure. */
export async function backlogOf(
  world: World,
  { chat }: Visitor,
  options?: Parameters<GhostChat['requestBacklog']>[0],
): Promise<Message[]> {
  const asking = chat.requestBacklog(options)
  await settle()
  await world.pass(10_000)
  return asking
}
