import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { identify } from '@libp2p/identify'
import type { Connection, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { systemClock } from '../../src/clock.ts'
import { type ChatLibp2p, Libp2pNetwork } from '../../src/network/libp2p-network.ts'
import type { Channel, FrameStream } from '../../src/network/network.ts'
import { systemRandom } from '../../src/random.ts'
import { START } from '../../src/room/reconciler.ts'
import { SyncServer } from '../../src/room/sync-server.ts'
import { type SyncContents, SyncSession } from '../../src/room/sync-session.ts'
import type { SignedEvent } from '../../src/wire/event.ts'
import { SALT_BYTES, SYNC_PROTOCOL } from '../../src/wire/sync.ts'
import { eventBy, messageBy, NOW, TOPIC, testAuthor, testPeerId } from './authors.ts'

/** A comparison of two devices of which one misses something, or both do. */
interface SyncCase {
  /** Where in the window what is missing lies. */
  missing: 'nothing' | 'at the end' | 'at the beginning' | 'spread'
  /** Who misses it: half and half where it is `each`. */
  by: 'opener' | 'other' | 'each'
}

/** What it cost, in bytes of both directions together. */
export interface SyncCost extends SyncCase {
  /** How many events were sent, and how long they are. */
  events: number
  eventBytes: number
  /** On the stream, from the first byte after its protocol was agreed upon to the last. */
  streamBytes: number
  /** On the stream, beyond the events. */
  overheadBytes: number
  /** On the TCP connection: with multistream-select, yamux, noise and WebSocket frames. */
  tcpBytes: number
}

const WINDOW = 1_000
const MISSING = 10
const MEMBERS = 30
/** How long after the last frame window updates and the end of the stream may take to arrive. */
const TAIL_MS = 100

const SYNC_CASES: readonly SyncCase[] = [
  { missing: 'nothing', by: 'opener' },
  ...(['at the end', 'at the beginning', 'spread'] as const).flatMap((missing) =>
    (['opener', 'other', 'each'] as const).map((by) => ({ missing, by })),
  ),
]

/** Runs comparisons of two devices with a room of 30 members and 1,000 messages, over libp2p on this machine. */
export async function measureSync(cases = SYNC_CASES): Promise<SyncCost[]> {
  const messages = Array.from({ length: WINDOW }, (_, index) =>
    messageBy(testAuthor(index % MEMBERS), `message number ${index}, about as long as people write them`, {
      at: NOW + index * 3_000,
    }),
  )
  const roster = Array.from({ length: MEMBERS }, (_, index) =>
    eventBy(testAuthor(index), 'presence', { peer: testPeerId(index), data: { name: `member ${index}` } }),
  )
  const pair = await Pair.connect()
  try {
    // The first one brings what comes once for each connection: identify.
    await pair.compare({ timeline: [], roster, floor: START }, { timeline: [], roster, floor: START })
    const costs: SyncCost[] = []
    for (const each of cases) costs.push(await cost(pair, each, messages, roster))
    return costs
  } finally {
    await pair.close()
  }
}

async function cost(
  pair: Pair,
  { missing, by }: SyncCase,
  messages: readonly SignedEvent[],
  roster: readonly SignedEvent[],
): Promise<SyncCost> {
  const absent = lying(missing, messages)
  const half = Math.ceil(absent.length / 2)
  const [ofOpener, ofOther] = {
    opener: [absent, []],
    other: [[], absent],
    each: [absent.slice(0, half), absent.slice(half)],
  }[by]
  const without = (some: readonly SignedEvent[] = []): SyncContents => ({
    timeline: messages.filter((event) => !some.includes(event)),
    roster,
    floor: START,
  })
  const { received, streamBytes, tcpBytes } = await pair.compare(without(ofOpener), without(ofOther))
  const expected = [ofOpener, ofOther].map((events = []) => events.map(({ jwt }) => jwt).sort())
  if (JSON.stringify(received.map((jwts) => jwts.sort())) !== JSON.stringify(expected)) {
    throw new Error('the comparison did not bring what was missing')
  }
  const eventBytes = received.flat().reduce((sum, { length }) => sum + length, 0)
  const overheadBytes = streamBytes - eventBytes
  return { missing, by, events: absent.length, eventBytes, streamBytes, overheadBytes, tcpBytes }
}

function lying(where: SyncCase['missing'], messages: readonly SignedEvent[]): SignedEvent[] {
  if (where === 'nothing') return []
  if (where === 'at the end') return messages.slice(-MISSING)
  if (where === 'at the beginning') return messages.slice(0, MISSING)
  return messages.filter((_, index) => index % (WINDOW / MISSING) === 42)
}

/** As much of gossipsub as a network needs that carries no gossip, so that only comparisons are on the connection. */
class QuietPubsub extends EventTarget {
  readonly topicValidators = new Map()
  subscribe(): void {}
  unsubscribe(): void {}
  getSubscribers(): [] {
    return []
  }
}

/** Two devices in a room, with a connection between them. What travels on their streams, and below, is counted. */
class Pair {
  readonly #networks: Libp2pNetwork[]
  readonly #libp2ps: ChatLibp2p[]
  readonly #channel: Channel
  readonly #socket: Socket
  readonly #counted: { bytes: number }
  #serve: (stream: FrameStream) => Promise<void>

  private constructor(options: {
    networks: Libp2pNetwork[]
    libp2ps: ChatLibp2p[]
    socket: Socket
    counted: { bytes: number }
  }) {
    this.#networks = options.networks
    this.#libp2ps = options.libp2ps
    this.#socket = options.socket
    this.#counted = options.counted
    this.#serve = async () => {}
    const [here, there] = options.networks.map((network) =>
      network.join(TOPIC, {
        onGossip: async () => 'ignore',
        onNeighbours() {},
        onWider() {},
        onPeerLost() {},
        onStream: (stream) => void this.#serve(stream),
      }),
    )
    if (here === undefined || there === undefined) throw new Error('there are two of them')
    this.#channel = here
  }

  static async connect(): Promise<Pair> {
    const counted = { bytes: 0 }
    const libp2ps = [await startPeer(), await startPeer()]
    const networks: Libp2pNetwork[] = []
    for (const libp2p of libp2ps) networks.push(await startNetwork(libp2p, counted))
    let socket: Socket | undefined
    const onSocket = (message: unknown): void => {
      socket ??= (message as { socket: Socket }).socket
    }
    subscribe('net.server.socket', onSocket)
    const [opener, other] = libp2ps
    const connection = await opener?.dial(other?.getMultiaddrs() ?? [])
    unsubscribe('net.server.socket', onSocket)
    if (socket === undefined || connection === undefined) throw new Error('there is no connection')
    countOut(connection, counted)
    return new Pair({ networks, libp2ps, socket, counted })
  }

  /** Compares as devices do; answers what each side received, and how many bytes that took. */
  async compare(
    opener: SyncContents,
    other: SyncContents,
  ): Promise<{ received: [string[], string[]]; streamBytes: number; tcpBytes: number }> {
    const received: [string[], string[]] = [[], []]
    const admitted = (side: 0 | 1) => async (jwts: string[]) => {
      received[side].push(...jwts)
      return { rejected: false }
    }
    const server = new SyncServer({ clock: systemClock, contents: () => other, admitAll: admitted(1) })
    const served = new Promise<void>((resolve) => {
      this.#serve = (stream) => server.serve(stream, 'opener').then(resolve)
    })
    const before = { stream: this.#counted.bytes, tcp: this.#tcpBytes }
    const peerId = this.#networks[1]?.peerId ?? ''
    const stream = await this.#channel.open(peerId, { signal: AbortSignal.timeout(10_000) })
    const salt = systemRandom.bytes(SALT_BYTES)
    const session = new SyncSession({
      stream,
      clock: systemClock,
      contents: opener,
      salt,
      admitAll: admitted(0),
    })
    await session.open()
    await served
    await pause(TAIL_MS)
    return {
      received,
      streamBytes: this.#counted.bytes - before.stream,
      tcpBytes: this.#tcpBytes - before.tcp,
    }
  }

  async close(): Promise<void> {
    for (const network of this.#networks) await network.close()
    for (const libp2p of this.#libp2ps) await libp2p.stop()
  }

  get #tcpBytes(): number {
    return this.#socket.bytesRead + this.#socket.bytesWritten
  }
}

async function startPeer(): Promise<ChatLibp2p> {
  const libp2p = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    // Its pings would be counted.
    connectionMonitor: { enabled: false },
    services: { identify: identify(), pubsub: () => new QuietPubsub() },
  })
  return libp2p as unknown as ChatLibp2p
}

async function startNetwork(libp2p: ChatLibp2p, counted: { bytes: number }): Promise<Libp2pNetwork> {
  const handle = libp2p.handle.bind(libp2p)
  libp2p.handle = (protocol, handler, options) =>
    handle(protocol, (stream, connection) => handler(counting(stream, counted), connection), options)
  const network = new Libp2pNetwork({
    libp2p,
    clock: systemClock,
    routesTo: () => [],
    isNode: () => false,
    onTopics() {},
    lookUp: async () => {},
    onOffence() {},
    onClose: async () => {},
  })
  await network.start()
  return network
}

function countOut(connection: Connection, counted: { bytes: number }): void {
  const newStream = connection.newStream.bind(connection)
  connection.newStream = async (protocols, options) => {
    const stream = await newStream(protocols, options)
    return protocols === SYNC_PROTOCOL ? counting(stream, counted) : stream
  }
}

/** Counts what this end of a stream sends; the other end counts what comes back. */
function counting(stream: Stream, counted: { bytes: number }): Stream {
  const send = stream.send.bind(stream)
  stream.send = (data) => {
    counted.bytes += data.byteLength
    return send(data)
  }
  return stream
}
