import type { GossipSub } from '@libp2p/gossipsub'
import type { IdentifyResult, Libp2p, PeerId } from '@libp2p/interface'
import type { Ping } from '@libp2p/ping'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import { KnownNodes } from '../network/known-nodes.ts'
import { type LinkPace, NodeLink } from '../network/node-links.ts'
import type { Random } from '../random.ts'
import { Seats } from './seats.ts'

/** What a node speaks that clients do not: so nodes know each other, whoever dialled. */
export const NODE_PROTOCOL = '/ghostchat/node/1.0.0'
/**
 * How many peers that call themselves nodes are taken for some, and how many of one address: each of them is asked for each
 * room that a client looks for.
 */
const NODES_MAX = 64
const NODES_PER_ADDRESS = 16
/** Whose address is not known: they count as one. */
const NOWHERE = ''
/**
 * Nodes are few, and whole rooms depend on what is between them: after a cut they have
 * found each other again, and compared what was said, within 10 s.
 */
const PACE: LinkPace = { pauseMaxMs: 2_000, checkMs: 5_000, isPinging: true }
const PING_TIMEOUT_MS = 5_000
/** How many addresses of nodes clients are told of. */
const ADDRESSES_MAX = 16

/**
 * The other nodes this one exchanges gossip with: those it was told of, which it
 * keeps a connection to, and those that were told of it.
 */
export class NodePeers {
  readonly #libp2p: Libp2p
  readonly #onChange: (peerId: PeerId) => void
  readonly #addressOf: (peerId: string) => string | undefined
  readonly #known: KnownNodes
  readonly #links: NodeLink[]
  /** By peer id: the nodes that are connected. */
  readonly #connected = new Map<string, PeerId>()
  /** By peer id: those of them that nobody named. */
  readonly #unnamed = new Seats<string>({
    max: NODES_MAX,
    maxPerAddress: NODES_PER_ADDRESS,
    onUnseated: (peerId) => this.#delete(peerId),
  })

  constructor(options: {
    libp2p: Libp2p
    pubsub: GossipSub
    ping: Ping
    clock: Clock
    random: Random
    logger: Logger
    /** URLs or multiaddrs of nodes. */
    peers: readonly string[]
    /** Where a peer comes from, in a form that is the same for all who share an address; nothing where that says nothing. */
    addressOf: (peerId: string) => string | undefined
    /** Somebody turned out to be a node, or a node is gone. */
    onChange: (peerId: PeerId) => void
  }) {
    const { clock, logger } = options
    this.#libp2p = options.libp2p
    this.#onChange = options.onChange
    this.#addressOf = options.addressOf
    this.#known = new KnownNodes(clock)
    this.#links = options.peers.map((entry) => {
      const node = this.#known.add(entry)
      return new NodeLink({
        ...options,
        name: entry,
        resolve: (signal) => this.#known.locate(node, signal),
        ping: (peerId) => options.ping.ping(peerId, { signal: AbortSignal.timeout(PING_TIMEOUT_MS) }),
        pace: PACE,
        onConnected: ({ remotePeer }) => {
          node.peerId = remotePeer
          this.#reached(remotePeer, true)
        },
        onLost: () => {},
        onFailure: ({ message }) => logger.warn(message),
      })
    })
  }

  async start(): Promise<void> {
    this.#libp2p.addEventListener('peer:identify', this.#onIdentify)
    this.#libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
    // Nothing is said over it yet: that it is there is what matters.
    await this.#libp2p.handle(NODE_PROTOCOL, (stream) => stream.abort(new Error('nothing is said here')))
    for (const link of this.#links) void link.run()
  }

  stop(): void {
    this.#libp2p.removeEventListener('peer:identify', this.#onIdentify)
    this.#libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
    for (const link of this.#links) link.close()
  }

  /** Whether a connected peer is a node. */
  has(peerId: PeerId): boolean {
    return this.#connected.has(peerId.toString())
  }

  /** Whether a peer is a node this one was told of. */
  isNamed(peerId: PeerId): boolean {
    return this.#known.has(peerId)
  }

  /** The nodes that are connected. */
  get connected(): PeerId[] {
    return [...this.#connected.values()]
  }

  /** Where the nodes it was told of were reached: not what they say of themselves, since clients trust it. */
  get addresses(): string[] {
    return this.#known.all
      .filter(({ peerId }) => peerId !== undefined)
      .flatMap(({ addresses }) => addresses.map((address) => address.toString()))
      .slice(0, ADDRESSES_MAX)
  }

  #reached(peerId: PeerId, isNamed: boolean): void {
    // Somebody who has gone meanwhile: nobody would take it out again.
    if (this.#libp2p.getConnections(peerId).length > 0) this.#add(peerId, isNamed)
  }

  #add(peerId: PeerId, isNamed: boolean): void {
    const id = peerId.toString()
    // Whoever was unnamed until now keeps its place whoever else comes.
    if (isNamed) this.#unnamed.leave(id)
    if (this.has(peerId)) return
    if (!isNamed && !this.#unnamed.take(id, this.#addressOf(id) ?? NOWHERE)) return
    this.#connected.set(id, peerId)
    this.#onChange(peerId)
  }

  #delete(id: string): void {
    const peerId = this.#connected.get(id)
    if (peerId === undefined) return
    this.#connected.delete(id)
    this.#onChange(peerId)
  }

  readonly #onIdentify = ({ detail: { peerId, protocols } }: CustomEvent<IdentifyResult>): void => {
    if (protocols.includes(NODE_PROTOCOL)) this.#reached(peerId, this.isNamed(peerId))
  }

  readonly #onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
    const id = detail.toString()
    this.#unnamed.leave(id)
    this.#delete(id)
  }
}
