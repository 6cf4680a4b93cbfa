import type { Libp2p, PeerId } from '@libp2p/interface'
import { type Clock, steady } from '../../clock.ts'
import { RendezvousClient, RendezvousError } from '../../discovery/rendezvous-client.ts'
import { describe } from '../../errors.ts'
import { RateLimit } from '../../gate/rate-limit.ts'
import type { Logger } from '../../logger.ts'
import { Turnstile } from '../../network/turnstile.ts'
import { rateKeyOf } from '../rate-key.ts'
import type { Asker } from './asker.ts'
import type { Registry } from './registry.ts'

/** How long what a node said of a namespace is good: then it is asked again, when somebody wants to know. */
const GOOD_FOR_MS = 1_000
/** How long what was learnt from another node is kept. Whoever it names may be gone by then; nobody tells us. */
const KEEP_SECONDS = 60
/** How long the answer to a client waits for the other nodes. */
const WAIT_MS = 1_000
/** How many registrations of one namespace are asked for. */
const LIMIT = 200
/** How many namespaces are remembered. */
const NAMESPACES_MAX = 10_000
/** How many questions one node is asked at once: it takes 16 streams of a peer. */
const PER_NODE = 12
/** How long a node that did not answer is not asked. */
const PAUSE_MS = 30_000
/**
 * How many namespaces are asked for on behalf of one client, which comes back to 200 rooms, and of one address. A node that was
 * not told of this one answers it 400 at once and 20 a second, as any client: there is something left for others.
 */
export const CLIENT_PACE = { burst: 200, perSecond: 2 }
export const ADDRESS_PACE = { burst: 300, perSecond: 10 }
/** So many clients' paces are remembered: as many as a node has by default. */
const PACE_MAX_KEYS = 10_000
/** How many namespaces are asked for at once; a client whose question is beyond gets what is known. */
const UNDER_WAY_MAX = 64

/**
 * What other nodes know of who is registered: asked for when a client wants to
 * know, and kept for a minute. It is one hop: nodes ask each other for what was
 * registered with them, never for what they heard.
 */
export class Federation {
  readonly #client: RendezvousClient
  readonly #registry: Registry
  readonly #nodes: () => readonly PeerId[]
  readonly #isNamed: (peerId: PeerId) => boolean
  readonly #addressOf: (peerId: string) => string | undefined
  readonly #byClient: RateLimit
  readonly #byAddress: RateLimit
  readonly #clock: Clock
  readonly #logger: Logger
  /** By namespace, the one asked for longest ago first: until when it need not be asked for. */
  readonly #goodUntil = new Map<string, number>()
  /** By namespace. */
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #turnstile = new Turnstile(PER_NODE)
  /** By peer id of a node that did not answer: until when it is left alone. */
  readonly #silentUntil = new Map<string, number>()
  readonly #closing = new AbortController()

  constructor(options: {
    libp2p: Libp2p
    registry: Registry
    /** The nodes that are connected. */
    nodes: () => readonly PeerId[]
    /** Whether a node is one this one was told of. */
    isNamed: (peerId: PeerId) => boolean
    /** Where a node is, in a form that is the same for all who share an address. */
    addressOf: (peerId: string) => string | undefined
    clock: Clock
    logger: Logger
  }) {
    this.#client = new RendezvousClient(options)
    this.#registry = options.registry
    this.#nodes = options.nodes
    this.#isNamed = options.isNamed
    this.#addressOf = options.addressOf
    const { clock } = options
    this.#byClient = new RateLimit({ clock, ...CLIENT_PACE, maxKeys: PACE_MAX_KEYS })
    this.#byAddress = new RateLimit({ clock, ...ADDRESS_PACE, maxKeys: PACE_MAX_KEYS })
    this.#clock = steady(clock)
    this.#logger = options.logger
  }

  /** Whether whoever asks is a node. */
  isNode(peerId: string): boolean {
    return this.#nodes().some((node) => node.toString() === peerId)
  }

  /**
   * Asks the other nodes on behalf of a client, unless they were asked just now or it has had too much asked. Resolves when
   * they have answered, after 1 s at the latest.
   */
  async refresh(namespace: string, asker: Asker): Promise<void> {
    const now = this.#clock.now()
    if (this.#nodes().length === 0 || (this.#goodUntil.get(namespace) ?? 0) > now) return
    const known = this.#underWay.get(namespace)
    if (known === undefined && (this.#underWay.size >= UNDER_WAY_MAX || !this.#mayAsk(asker))) return
    const asking = known ?? this.#ask(namespace)
    this.#underWay.set(namespace, asking)
    await asking
  }

  stop(): void {
    this.#closing.abort(new Error('the node stops'))
  }

  #mayAsk({ peerId, ip }: Asker): boolean {
    return this.#byClient.take(peerId) === 0 && this.#byAddress.take(rateKeyOf(ip)) === 0
  }

  /** Never rejects. */
  async #ask(namespace: string): Promise<void> {
    const timeout = new AbortController()
    const cancel = this.#clock.after(WAIT_MS, () => timeout.abort(new Error('no answer in 1 s')))
    const signal = AbortSignal.any([this.#closing.signal, timeout.signal])
    await Promise.all(this.#answering().map((node) => this.#askNode(node, namespace, signal)))
    cancel()
    this.#underWay.delete(namespace)
    this.#goodUntil.delete(namespace)
    this.#goodUntil.set(namespace, this.#clock.now() + GOOD_FOR_MS)
    for (const oldest of this.#goodUntil.keys()) {
      if (this.#goodUntil.size <= NAMESPACES_MAX) break
      this.#goodUntil.delete(oldest)
    }
  }

  /** The nodes that have not kept anybody waiting lately. */
  #answering(): PeerId[] {
    const now = this.#clock.now()
    for (const [node, until] of this.#silentUntil) if (until <= now) this.#silentUntil.delete(node)
    return this.#nodes().filter((node) => !this.#silentUntil.has(node.toString()))
  }

  async #askNode(node: PeerId, namespace: string, signal: AbortSignal): Promise<void> {
    let leave = (): void => {}
    try {
      leave = await this.#turnstile.enter(node.toString(), signal)
      if ((this.#silentUntil.get(node.toString()) ?? 0) > this.#clock.now()) return
      const { peers } = await this.#client.discover(node, { namespace, limit: LIMIT, signal })
      for (const { peerId, addresses, ttlSeconds, record } of peers) {
        if (!record.isPlain || addresses.length === 0) continue
        this.#registry.register({
          ...record,
          namespace,
          peerId,
          addresses: addresses.map((address) => address.toString()),
          ttlSeconds: Math.min(ttlSeconds || KEEP_SECONDS, KEEP_SECONDS),
          origin: node.toString(),
          ip: this.#isNamed(node) ? undefined : this.#addressOf(node.toString()),
        })
      }
    } catch (thrown) {
      // Whoever refuses is there; what it refuses to one it may grant to the next.
      const isSilent = !(thrown instanceof RendezvousError) || thrown.status === undefined
      if (isSilent) this.#silentUntil.set(node.toString(), this.#clock.now() + PAUSE_MS)
      this.#logger.debug(`the node ${node.toString()} did not say who is registered`, describe(thrown))
    } finally {
      leave()
    }
  }
}
