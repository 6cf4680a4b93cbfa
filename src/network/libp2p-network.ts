import { type GossipSub, type SubscriptionChangeData, TopicValidatorResult } from '@libp2p/gossipsub'
import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { untilAborted } from '../abort.ts'
import type { Clock } from '../clock.ts'
import { GhostChatError } from '../errors.ts'
import { RateLimit } from '../gate/rate-limit.ts'
import { ASSURED_BURST, ASSURED_PER_SECOND } from '../limits.ts'
import { SYNC_PROTOCOL } from '../wire/sync.ts'
import { ExpectedNodes } from './expected-nodes.ts'
import { frameStream } from './frame-stream.ts'
import { subscribe, VALIDATION } from './gossip.ts'
import { Libp2pChannel } from './libp2p-channel.ts'
import type { Channel, ChannelHandler, FrameStream, Network } from './network.ts'
import { forgetTopic } from './score.ts'
import { Turnstile } from './turnstile.ts'
import { WillSender } from './will-sender.ts'

/** A libp2p node that has gossipsub. */
export type ChatLibp2p = Libp2p<{ pubsub: GossipSub }>

/** How long a topic stays subscribed after it was left: gossipsub refuses a graft for 10 s after an unsubscribe. */
const WARM_MS = 15_000
/** How soon to look again for a stream that gossipsub is opening; it tells nobody when it has. */
const STREAM_RETRY_MS = 20
/** How long a member may take to answer through a node after its direct connection ended. */
const PROBE_TIMEOUT_MS = 5_000
/** How long a peer that opened a stream may take to say for which topic. */
const HELLO_TIMEOUT_MS = 5_000
/**
 * How many streams we open to a peer at once, for all rooms together. A libp2p connection breaks when more than 10
 * come before the other side has finished setting it up.
 */
const STREAMS_PER_PEER = 8
/** How many streams a peer may open at once on one connection, for all rooms together; each room has limits of its own. */
const STREAMS_MAX = 256
/** All that is passed on is of one kind. */
const OTHERS = ''
const TOPIC_DECODER = new TextDecoder('utf-8', { fatal: true })

/** Rooms on a libp2p node: gossipsub for the gossip, one protocol for direct streams. */
export class Libp2pNetwork implements Network {
  readonly peerId: string
  readonly #libp2p: ChatLibp2p
  readonly #pubsub: GossipSub
  readonly #clock: Clock
  readonly #routesTo: (peerId: string) => Multiaddr[]
  readonly #isNode: (peerId: PeerId) => boolean
  readonly #wills: WillSender
  readonly #onTopics: (change: { entered?: string; left?: string }) => void
  readonly #lookUp: (topic: string) => Promise<void>
  readonly #onOffence: (peerId: string, kind: 'reject' | 'excess') => void
  readonly #onClose: () => Promise<void>
  readonly #channels = new Map<string, Libp2pChannel>()
  /** Topics that were left and are still subscribed: ends that. */
  readonly #warm = new Map<string, () => void>()
  readonly #expected: ExpectedNodes
  readonly #passage: RateLimit
  readonly #turnstile = new Turnstile(STREAMS_PER_PEER)
  #cancelRetry: (() => void) | undefined
  #closed: Promise<void> | undefined

  constructor(options: {
    libp2p: ChatLibp2p
    clock: Clock
    /** Addresses at which a member may be reached: through the nodes. */
    routesTo: (peerId: string) => Multiaddr[]
    /** Whether a peer is one of the nodes. */
    isNode: (peerId: PeerId) => boolean
    /** A topic was entered or left. */
    onTopics: (change: { entered?: string; left?: string }) => void
    /** Looks for the members of a topic again. Never rejects. */
    lookUp: (topic: string) => Promise<void>
    /** A neighbour brought something that nobody honest passes on, or too much. */
    onOffence: (peerId: string, kind: 'reject' | 'excess') => void
    /** Closes what was opened for this network. */
    onClose: () => Promise<void>
  }) {
    this.#libp2p = options.libp2p
    this.#pubsub = options.libp2p.services.pubsub
    this.#clock = options.clock
    this.#routesTo = options.routesTo
    this.#isNode = options.isNode
    this.#onTopics = options.onTopics
    this.#wills = new WillSender(options)
    this.#lookUp = options.lookUp
    this.#expected = new ExpectedNodes({
      pubsub: this.#pubsub,
      clock: this.#clock,
      onDisappointed: (topic, peerId) => {
        const channel = this.#channels.get(topic)
        if (channel?.disconnected(peerId)) channel.lost(peerId)
      },
    })
    this.#passage = new RateLimit({
      clock: this.#clock,
      burst: ASSURED_BURST.messages,
      perSecond: ASSURED_PER_SECOND.messages,
      maxKeys: 1,
    })
    this.#onOffence = options.onOffence
    this.#onClose = options.onClose
    this.peerId = this.#libp2p.peerId.toString()
  }

  /**
   * Begins to listen to the libp2p node.
   *
   * @throws `invalid-option` when another space listens to it already
   */
  async start(): Promise<void> {
    const onStream = (stream: Stream, connection: Connection): Promise<void> =>
      this.#onStream(frameStream(stream), connection.remotePeer.toString())
    try {
      await this.#libp2p.handle(SYNC_PROTOCOL, onStream, {
        runOnLimitedConnection: true,
        maxInboundStreams: STREAMS_MAX,
      })
    } catch (cause) {
      const message = 'the libp2p node is in use by another space; give each space a node of its own'
      throw new GhostChatError('invalid-option', message, { cause })
    }
    this.#pubsub.addEventListener('subscription-change', this.#onSubscriptionChange)
    this.#libp2p.addEventListener('peer:disconnect', this.#onDisconnect)
  }

  /** The topics this device is in. */
  get topics(): string[] {
    return [...this.#channels.keys()]
  }

  /** @throws `invalid-option` when somebody is in the topic already, or the libp2p node was stopped */
  join(topic: string, handler: ChannelHandler, onLeft = (): void => {}): Channel {
    if (this.#channels.has(topic)) {
      const message = 'the room is open already in another space on the same libp2p node'
      throw new GhostChatError('invalid-option', message)
    }
    this.#warm.get(topic)?.()
    this.#warm.delete(topic)
    this.#pubsub.topicValidators.set(topic, async (peer, { data }) => {
      const verdict = await handler.onGossip(data, peer.toString())
      if (verdict === 'reject' || verdict === 'excess') this.#onOffence(peer.toString(), verdict)
      return VALIDATION[verdict === 'accept' && !this.#mayTravel(peer) ? 'ignore' : verdict]
    })
    try {
      subscribe(this.#pubsub, topic, this.#hasNode())
    } catch (cause) {
      throw new GhostChatError('invalid-option', 'the libp2p node is not running', { cause })
    }
    const channel = new Libp2pChannel({
      topic,
      handler,
      pubsub: this.#pubsub,
      open: (peerId, topicName, signal) => this.#openStream(peerId, topicName, signal),
      entrust: (jwt) => this.#wills.send(jwt),
      isNode: (peerId) => this.#nodeConnections().some(({ remotePeer }) => remotePeer.toString() === peerId),
      onLeave: () => {
        onLeft()
        this.#leave(channel)
      },
    })
    this.#channels.set(topic, channel)
    this.#onTopics({ entered: topic })
    if (this.#refresh(channel)) this.#retrySoon()
    return channel
  }

  /**
   * Whether what a peer brought may travel on. A node charges us for what we pass on to it, whoever wrote it, so it gets as
   * much as it assures to everybody: more, and others could have it put us out. What is kept back it hears of
   * by what names it, and by comparisons.
   */
  #mayTravel(from: PeerId): boolean {
    const isForNode = this.#nodeConnections().some(({ remotePeer }) => !remotePeer.equals(from))
    return !isForNode || this.#passage.take(OTHERS) === 0
  }

  /** A node was connected. */
  nodeConnected(): void {
    this.#retrySoon()
  }

  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  #leave(channel: Libp2pChannel): void {
    const { topic } = channel
    if (this.#channels.get(topic) !== channel) return
    this.#channels.delete(topic)
    this.#onTopics({ left: topic })
    this.#pubsub.topicValidators.set(topic, () => TopicValidatorResult.Ignore)
    const cancel = this.#clock.after(WARM_MS, () => {
      this.#warm.delete(topic)
      this.#unsubscribe(topic)
    })
    this.#warm.set(topic, cancel)
  }

  #unsubscribe(topic: string): void {
    this.#pubsub.topicValidators.delete(topic)
    try {
      this.#pubsub.unsubscribe(topic)
    } catch {
      // The dapp has stopped its libp2p node: nobody is subscribed to anything any more.
    }
    forgetTopic(this.#pubsub, topic)
  }

  async #shutDown(): Promise<void> {
    this.#cancelRetry?.()
    this.#expected.close()
    for (const channel of [...this.#channels.values()]) channel.leave()
    for (const [topic, cancel] of this.#warm) {
      cancel()
      this.#unsubscribe(topic)
    }
    this.#warm.clear()
    this.#pubsub.removeEventListener('subscription-change', this.#onSubscriptionChange)
    this.#libp2p.removeEventListener('peer:disconnect', this.#onDisconnect)
    try {
      await this.#libp2p.unhandle(SYNC_PROTOCOL)
    } finally {
      await this.#onClose()
    }
  }

  readonly #onSubscriptionChange = ({ detail }: CustomEvent<SubscriptionChangeData>): void => {
    const topics = detail.subscriptions.map(({ topic }) => topic)
    // A hub names all its rooms, and members name theirs: only our own rooms at nodes matter.
    if (this.#isNode(detail.peerId))
      this.#expected.heard(
        detail.peerId,
        topics.filter((topic) => this.#channels.has(topic)),
      )
    for (const topic of new Set(topics)) {
      const channel = this.#channels.get(topic)
      if (channel !== undefined && this.#refresh(channel)) this.#retrySoon()
    }
  }

  /** Gossipsub forgets the peer in a listener of its own, which may run after this one. */
  readonly #onDisconnect = ({ detail: peerId }: CustomEvent<PeerId>): void => {
    this.#expected.gone(peerId)
    queueMicrotask(() => {
      const channels = [...this.#channels.values()]
      const losers = channels.filter((channel) => channel.disconnected(peerId.toString()))
      // A node has our wills before it takes part in our rooms.
      if (this.#isNode(peerId)) for (const channel of channels) channel.lost(peerId.toString())
      else if (losers.length > 0) void this.#probe(peerId.toString(), losers)
    })
  }

  /**
   * A direct connection ended. That may be all there was of it: only who cannot be
   * reached through a node either is lost. Without a node nobody can tell, and the
   * lease decides. Never rejects.
   */
  async #probe(peerId: string, losers: Libp2pChannel[]): Promise<void> {
    if (!this.#hasNode()) return
    try {
      await this.#connectionTo(peerId, AbortSignal.timeout(PROBE_TIMEOUT_MS))
    } catch {
      if (!this.#hasNode()) return
      for (const channel of losers) channel.lost(peerId)
    }
  }

  #hasNode(): boolean {
    return this.#nodeConnections().length > 0
  }

  #nodeConnections(): Connection[] {
    return this.#libp2p.getConnections().filter(({ remotePeer }) => this.#isNode(remotePeer))
  }

  /** Looks at who can be sent to. Answers whether somebody will be whom a stream is being opened to. */
  #refresh(channel: Libp2pChannel): boolean {
    const isEarly = this.#nodeConnections().map(
      ({ remotePeer }) => !this.#expected.expect(channel.topic, remotePeer),
    )
    return channel.refresh() || isEarly.includes(true)
  }

  #retrySoon(): void {
    this.#cancelRetry ??= this.#clock.after(STREAM_RETRY_MS, () => {
      this.#cancelRetry = undefined
      const again = [...this.#channels.values()].map((channel) => this.#refresh(channel))
      if (again.includes(true)) this.#retrySoon()
    })
  }

  async #openStream(peerId: string, topic: string, signal: AbortSignal): Promise<FrameStream> {
    const leave = await this.#turnstile.enter(peerId, signal)
    try {
      const connection = await this.#connectionTo(peerId, signal, topic)
      const options = { signal, runOnLimitedConnection: true }
      const stream = frameStream(await connection.newStream(SYNC_PROTOCOL, options))
      await stream.send(new TextEncoder().encode(topic))
      return {
        ...stream,
        close: () => stream.close().finally(leave),
        abort: (reason) => {
          stream.abort(reason)
          leave()
        },
      }
    } catch (thrown) {
      leave()
      throw thrown
    }
  }

  /** A member that is not at our nodes may be at another: where, discovery knows by its topic. */
  async #connectionTo(peerId: string, signal: AbortSignal, topic?: string): Promise<Connection> {
    const find = (): Connection | undefined => {
      const open = this.#libp2p
        .getConnections()
        .filter(({ remotePeer, status }) => status === 'open' && remotePeer.toString() === peerId)
      // One through a node is closed as soon as it has served to make the direct one.
      return open.find(({ limits }) => limits === undefined) ?? open[0]
    }
    const known = find()
    if (known !== undefined) return known
    const routes = this.#routesTo(peerId)
    try {
      return await this.#libp2p.dial(routes, { signal })
    } catch (thrown) {
      // Where both sides dial at once, libp2p gives one connection up and rejects whoever waits for it.
      const other = find()
      if (other !== undefined) return other
      if (topic === undefined) throw thrown
      await untilAborted(this.#lookUp(topic), signal)
      const further = this.#routesTo(peerId).filter((route) => !routes.some((tried) => tried.equals(route)))
      if (further.length === 0) throw thrown
      return this.#libp2p.dial(further, { signal })
    }
  }

  /** Reads for which topic the stream is, and hands it to that room. */
  async #onStream(stream: FrameStream, peerId: string): Promise<void> {
    const cancel = this.#clock.after(HELLO_TIMEOUT_MS, () => stream.abort(new Error('no topic was named')))
    try {
      const hello = await stream.frames[Symbol.asyncIterator]().next()
      const topic = hello.done ? '' : TOPIC_DECODER.decode(hello.value)
      const channel = this.#channels.get(topic)
      if (channel === undefined) throw new Error('not in this topic')
      channel.handler.onStream(stream, peerId)
    } catch (thrown) {
      stream.abort(thrown instanceof Error ? thrown : new Error(String(thrown)))
    } finally {
      cancel()
    }
  }
}
