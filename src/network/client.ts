import type { Connection, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../clock.ts'
import type { FoundPeer } from '../discovery/found-peer.ts'
import { MeetingPoint } from '../discovery/meeting-point.ts'
import { RendezvousClient } from '../discovery/rendezvous-client.ts'
import { RoutingEndpoints } from '../discovery/routing-endpoints.ts'
import { GhostChatError } from '../errors.ts'
import { FUTURE_MS } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { Random } from '../random.ts'
import type { IceServer } from '../wire/node-info.ts'
import { AddressBook } from './address-book.ts'
import { DialPolicy } from './dial-policy.ts'
import type { Direct, WebRtc } from './direct.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { introduce } from './introduction.ts'
import { type KnownNode, KnownNodes } from './known-nodes.ts'
import { type ChatLibp2p, Libp2pNetwork } from './libp2p-network.ts'
import { MemberRoutes } from './member-routes.ts'
import { Mesh } from './mesh.ts'
import { NodeLink } from './node-links.ts'
import { createOwnLibp2p } from './own-libp2p.ts'
import type { Reservations } from './reservations.ts'

/** How long a node may take to answer a ping after the machine woke. */
const PING_TIMEOUT_MS = 5_000
/** How long registering waits for the code of WebRTC. */
const SETTLE_MS = 2_000
/** How long a backlog waits for nodes to say where its member is. */
const LOOK_UP_MS = 2_000
/** How long the end of a client on a dapp's libp2p node waits for nodes to be told. */
const LEAVE_MS = 1_000

/** What a client's network is made of. */
export interface ClientOptions {
  clock: Clock
  random: Random
  logger: Logger
  /** Servers that help to connect directly, beside those of the nodes. */
  iceServers: readonly IceServer[]
  /** Dial private addresses that others name. */
  allowPrivateAddresses: boolean
  /** Connect to members directly, by what `webRtc` loads. */
  direct: boolean
  webRtc: () => Promise<WebRtc | undefined>
}

/** Who uses a client: a space. */
export interface ClientUser {
  /** URLs or multiaddrs of nodes. */
  nodes: readonly string[]
  /** Endpoints of delegated routing to look for members at. */
  routing: readonly URL[]
  /** A node could not be reached (and is tried again then), or its clock differs from ours. */
  onFailure: (error: GhostChatError, nextAttemptAt?: number) => void
}

/** A node of a client: what is known of it, and the connection to it. */
export interface ClientNode {
  readonly known: KnownNode
  readonly link: NodeLink
  readonly meeting: MeetingPoint
  readonly users: Set<ClientUser>
}

/** What a client is made of, beside the libp2p node. */
interface ClientParts {
  known: KnownNodes
  policy: DialPolicy
  /** WebRTC and reservations; a dapp's own libp2p node has its own. */
  direct: Direct | undefined
  reservations: Reservations | undefined
  stop: () => Promise<void>
}

/**
 * Everything between a libp2p node and the rooms on it: keeps the connections to
 * the nodes, finds members there, and connects to a few of them directly.
 */
export class Client {
  readonly libp2p: ChatLibp2p
  readonly network: Libp2pNetwork
  readonly mesh: Mesh
  readonly nodes: ClientNode[] = []
  readonly direct: Direct | undefined
  readonly #reservations: Reservations | undefined
  readonly #options: ClientOptions
  readonly #known: KnownNodes
  readonly #routes: MemberRoutes
  readonly #book: AddressBook
  readonly #rendezvous: RendezvousClient
  readonly #doorkeeper: Doorkeeper
  readonly #endpoints: RoutingEndpoints<ClientUser>
  /** Whether it is known if this device can be reached directly. */
  #isSettled = true
  /** What is still taken back at nodes that nobody uses any more. */
  #left: Promise<unknown> = Promise.resolve()
  readonly #users = new Set<ClientUser>()

  private constructor(libp2p: ChatLibp2p, parts: ClientParts, options: ClientOptions) {
    const { clock, random } = options
    this.libp2p = libp2p
    this.#reservations = parts.reservations
    this.direct = parts.direct
    this.#options = options
    this.#known = parts.known
    this.#book = new AddressBook(clock)
    this.#routes = new MemberRoutes({ ...parts, book: this.#book, isSecluded: !options.direct })
    this.#rendezvous = new RendezvousClient({ libp2p, clock })
    this.#endpoints = new RoutingEndpoints({
      clock,
      onFound: (topic, found) => this.#onFound(topic, found, false),
      onFailure: (thrown) => options.logger.debug('delegated routing failed', thrown),
    })
    const isNode = (peerId: PeerId): boolean => this.#known.has(peerId)
    this.#doorkeeper = new Doorkeeper({
      ...options,
      libp2p,
      pubsub: libp2p.services.pubsub,
      isNamed: (peerId) => this.nodes.some(({ known }) => known.peerId?.toString() === peerId),
      addressOf: () => undefined,
      priceOf: () => 1,
    })
    this.network = new Libp2pNetwork({
      libp2p,
      clock,
      isNode,
      routesTo: (peerId) => this.#routesTo(peerId).relayed,
      onTopics: (change) => this.#onTopics(change),
      lookUp: async (topic) => {
        let cancel = (): void => {}
        const inTime = new Promise<void>((resolve) => {
          cancel = clock.after(LOOK_UP_MS, resolve)
        })
        await Promise.race([inTime, Promise.all(this.nodes.map(({ meeting }) => meeting.lookUp(topic)))])
        cancel()
      },
      onOffence: (peerId, kind) => this.#doorkeeper.offended(peerId, kind),
      onClose: async () => {
        this.#doorkeeper.close()
        for (const { link, meeting } of this.nodes) {
          link.close()
          meeting.disconnected()
        }
        this.mesh.close()
        libp2p.removeEventListener('self:peer:update', this.#onAddresses)
        libp2p.removeEventListener('transport:listening', this.#onAddresses)
        libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
        libp2p.removeEventListener('connection:open', this.#onConnection)
        await parts.stop()
      },
    })
    this.mesh = new Mesh({
      libp2p,
      pubsub: libp2p.services.pubsub,
      clock,
      random,
      topics: () => this.network.topics,
      candidates: (topic) => this.#book.peersIn(topic).filter((peerId) => !this.#doorkeeper.isBanned(peerId)),
      routesTo: (peerId) => this.#routesTo(peerId),
      isNode,
      onSparse: (topic) => {
        if (this.#canLink) this.#seek(topic)
      },
    })
    if (this.direct !== undefined) {
      this.direct.admits = (peerId) => !this.#doorkeeper.isBanned(peerId) && this.mesh.admits(peerId)
    }
    libp2p.addEventListener('self:peer:update', this.#onAddresses)
    // An address that was lost and is back within a second is no update to libp2p.
    libp2p.addEventListener('transport:listening', this.#onAddresses)
    libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
    libp2p.addEventListener('connection:open', this.#onConnection)
  }

  /** A client on a libp2p node of its own. */
  static async create(options: ClientOptions): Promise<Client> {
    const known = new KnownNodes(options.clock)
    const policy = policyOf(known, options)
    const iceServers = async (): Promise<IceServer[]> => [
      ...(await known.iceServers()),
      ...options.iceServers,
    ]
    const libp2p = await createOwnLibp2p({ policy, clock: options.clock, iceServers })
    const { direct, reservations } = libp2p.services
    const parts = { known, policy, direct, reservations, stop: async () => libp2p.stop() }
    const client = new Client(libp2p, parts, options)
    client.#enableDirect(direct)
    return client.#start()
  }

  /** A client on a dapp's libp2p node, which stays open. @throws `invalid-option` */
  static async adopt(libp2p: ChatLibp2p, options: ClientOptions): Promise<Client> {
    const known = new KnownNodes(options.clock)
    const none = { direct: undefined, reservations: undefined }
    const parts = { known, policy: policyOf(known, options), ...none, stop: () => client.#takenBack() }
    const client: Client = new Client(libp2p, parts, options)
    return client.#start()
  }

  /** Somebody uses it: connects to its nodes. @throws `invalid-node` */
  addUser(user: ClientUser): void {
    const nodes = user.nodes.map((entry) => this.#known.add(entry))
    this.#users.add(user)
    this.#endpoints.add(user, user.routing)
    for (const known of nodes) {
      const node = this.nodes.find((other) => other.known === known) ?? this.#connect(known)
      node.users.add(user)
    }
  }

  /** Somebody uses it no more. Answers whether that was the last one. */
  removeUser(user: ClientUser): boolean {
    this.#endpoints.remove(user)
    this.#users.delete(user)
    for (const node of [...this.nodes]) {
      node.users.delete(user)
      if (node.users.size > 0) continue
      node.link.close()
      node.meeting.disconnected()
      this.#left = Promise.all([this.#left, node.meeting.left()])
      this.nodes.splice(this.nodes.indexOf(node), 1)
      this.#known.remove(node.known)
    }
    return this.#users.size === 0
  }

  /** The connections stay, so nodes do not notice by themselves that nobody is in the rooms any more. Whoever comes back waits for this. */
  async #takenBack(): Promise<void> {
    let cancel = (): void => {}
    const inTime = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(LEAVE_MS, resolve)
    })
    await Promise.race([this.#left, inTime])
    cancel()
  }

  /** Whether direct connections may be made. */
  get isDirectWanted(): boolean {
    return this.#options.direct
  }

  /** The machine may be online again, or a page is looked at again. */
  wake(): void {
    for (const { link } of this.nodes) link.wake()
    this.mesh.wake()
  }

  /** How long a ping to a connected peer takes; nothing where the libp2p node has no such service. */
  async ping(peerId: PeerId, signal: AbortSignal): Promise<number | undefined> {
    const { ping } = this.libp2p.services as { ping?: Pinger }
    return ping?.ping(peerId, { signal })
  }

  /** Loads WebRTC. Whoever registers says whether it can be reached directly, so that waits for it, but not long. */
  #enableDirect(direct: Direct): void {
    const { clock, logger, webRtc } = this.#options
    this.#isSettled = false
    const settle = (): void => {
      if (this.#isSettled) return
      this.#isSettled = true
      this.#onAddresses()
      this.mesh.wake()
    }
    const cancel = clock.after(SETTLE_MS, settle)
    webRtc()
      .then((loaded) => loaded && direct.enable(loaded))
      .catch((thrown) => logger.warn('direct connections are not possible', thrown))
      .finally(() => {
        cancel()
        settle()
      })
  }

  async #start(): Promise<this> {
    try {
      await this.network.start()
    } catch (thrown) {
      await this.network.close()
      throw thrown
    }
    return this
  }

  #connect(known: KnownNode): ClientNode {
    const { clock, random, logger } = this.#options
    const users = new Set<ClientUser>()
    const { libp2p } = this
    const meeting = new MeetingPoint({
      requests: this.#rendezvous,
      clock,
      random,
      hasAddresses: () => this.#isSettled && libp2p.getMultiaddrs().length > 0,
      onFound: (topic, found) => this.#onFound(topic, found),
      onFailure: (thrown) => logger.debug(`meeting others at the node ${known.name} failed`, thrown),
    })
    const link = new NodeLink({
      libp2p,
      clock,
      random,
      name: known.name,
      resolve: (signal) => this.#known.locate(known, signal),
      pubsub: libp2p.services.pubsub,
      ping: (peerId) => this.ping(peerId, AbortSignal.timeout(PING_TIMEOUT_MS)),
      onConnected: (connection, described) => this.#onNode(node, connection, described),
      onLost: () => meeting.disconnected(),
      onFailure: (error, nextAttemptAt) => {
        for (const user of users) user.onFailure(error, nextAttemptAt)
      },
    })
    const node: ClientNode = { known, link, meeting, users }
    this.nodes.push(node)
    for (const topic of this.network.topics) meeting.enter(topic)
    void link.run()
    return node
  }

  #onNode({ known, meeting, users }: ClientNode, connection: Connection, described: Promise<void>): void {
    known.peerId = connection.remotePeer
    introduce(this.libp2p, connection)
    void this.#reservations?.reserveAt(connection)
    this.network.nodeConnected()
    meeting.connected(connection)
    described.then(
      () => {
        const warning = skewWarning(known)
        if (warning !== undefined) for (const user of users) user.onFailure(warning)
      },
      (thrown) => this.#options.logger.debug(`the node ${known.name} does not describe itself`, thrown),
    )
  }

  #onTopics({ entered, left }: { entered?: string; left?: string }): void {
    for (const { meeting } of this.nodes) {
      if (entered !== undefined) meeting.enter(entered)
      if (left !== undefined) meeting.leave(left)
    }
    if (left !== undefined) {
      this.#book.forget(left)
      this.#endpoints.forget(left)
    }
    if (entered !== undefined) this.#endpoints.ask(entered)
    this.mesh.wake()
  }

  #onFound(topic: string, found: readonly FoundPeer[], isSigned = true): void {
    if (!this.network.topics.includes(topic)) return
    if (this.#book.add(topic, found, isSigned)) this.mesh.wake()
  }

  #seek(topic: string): void {
    for (const { meeting } of this.nodes) meeting.seek(topic)
    this.#endpoints.ask(topic)
  }

  /** Whether this device may and can connect directly; a dapp's libp2p node shows by its transports. */
  get #canLink(): boolean {
    return this.#options.direct && this.direct?.isAvailable !== false
  }

  #routesTo(peerId: string): { relayed: Multiaddr[]; direct: Multiaddr[] } {
    const { relayed, direct } = this.#routes.to(peerId)
    return { relayed, direct: this.#canLink ? direct : [] }
  }

  readonly #onAddresses = (): void => {
    for (const { meeting } of this.nodes) meeting.addressesChanged()
  }

  readonly #onDisconnect = (): void => this.mesh.wake()

  /** Whoever was put out is not let in by coming back: its score is kept, so it is not listened to and cannot offend again. */
  readonly #onConnection = ({ detail: connection }: CustomEvent<Connection>): void => {
    if (this.#doorkeeper.isBanned(connection.remotePeer.toString())) connection.abort(new Error('misbehaves'))
  }
}

interface Pinger {
  ping(peerId: PeerId, options: { signal: AbortSignal }): Promise<number>
}

function policyOf(known: KnownNodes, { allowPrivateAddresses }: ClientOptions): DialPolicy {
  return new DialPolicy({ allowPrivate: allowPrivateAddresses, isTrusted: (host) => known.isTrusted(host) })
}

function skewWarning({ name, clockOffsetMs = 0 }: KnownNode): GhostChatError | undefined {
  if (Math.abs(clockOffsetMs) < FUTURE_MS / 2) return undefined
  const seconds = Math.abs(Math.round(clockOffsetMs / 1000))
  const direction = clockOffsetMs > 0 ? 'ahead of' : 'behind'
  const advice = 'others may not see what is sent from here: set the clock'
  return new GhostChatError(
    'clock-skew',
    `this clock is ${seconds} s ${direction} that of the node ${name}; ${advice}`,
  )
}
