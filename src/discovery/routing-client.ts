import type { DelegatedRoutingV1HttpApiClient } from '@helia/delegated-routing-v1-http-api-client'
import { peerIdFromCID, peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'
import { untilAborted } from '../abort.ts'
import { type Clock, systemClock } from '../clock.ts'
import { describe, GhostChatError } from '../errors.ts'
import { topicCid } from '../wire/topic-cid.ts'
import type { FoundPeer } from './found-peer.ts'
import { heliaOver, RoutingRequest } from './routing-request.ts'

/** How many peers are taken from one answer: what servers are asked to limit theirs to. */
const ROUTING_PEERS_MAX = 100
/** How long an endpoint may take. One that walks a DHT sends what it finds as it goes: what came by then counts. */
const TIMEOUT_MS = 10_000

/** Looks for peers at an endpoint of delegated routing: the IPFS Routing V1 HTTP API, of a GhostNode or anybody else. */
export interface RoutingClient {
  /**
   * Who is in a topic, as far as the endpoint knows; 100 at most. The addresses
   * are well-formed and nothing more: nobody has signed them.
   *
   * @throws `node-unreachable`, `space-closed`, or the signal's reason
   */
  findProviders(topic: string, options?: { signal?: AbortSignal; limit?: number }): Promise<FoundPeer[]>
  /**
   * Where a peer can be reached, or `undefined` where the endpoint does not know it.
   *
   * @throws `invalid-option`, `node-unreachable`, `space-closed`, or the signal's reason
   */
  findPeer(peerId: string, options?: { signal?: AbortSignal }): Promise<FoundPeer | undefined>
  /** Ends what is under way, with `space-closed`. */
  stop(): void
}

/**
 * A client of the endpoint at this URL, with or without `/routing/v1` at its end.
 *
 * @throws `invalid-option` unless it is an http(s) URL without user name and password
 */
export function createRoutingClient(endpoint: URL): RoutingClient {
  return new DelegatedRouting(endpoint, systemClock)
}

/** The client, with a clock of one's own. */
export class DelegatedRouting implements RoutingClient {
  readonly #base: URL
  readonly #clock: Clock
  readonly #underWay = new Set<AbortController>()
  #isStopped = false

  constructor(endpoint: URL, clock: Clock) {
    this.#base = baseOf(endpoint)
    this.#clock = clock
  }

  async findProviders(
    topic: string,
    { signal, limit = ROUTING_PEERS_MAX }: { signal?: AbortSignal; limit?: number } = {},
  ): Promise<FoundPeer[]> {
    const cid = topicCid(topic)
    const count = Math.min(limit, ROUTING_PEERS_MAX)
    return this.#find((helia) => helia.getProviders(cid), { signal, count, isWanted: () => true })
  }

  async findPeer(peerId: string, { signal }: { signal?: AbortSignal } = {}): Promise<FoundPeer | undefined> {
    const cid = cidOf(peerId)
    const wanted = peerIdOf(cid)
    // An endpoint may name anybody; only whom we asked for counts.
    const isWanted = (named: string): boolean => named === wanted
    const [found] = await this.#find((helia) => helia.getPeers(cid), { signal, count: 1, isWanted })
    return found
  }

  stop(): void {
    this.#isStopped = true
    for (const ending of this.#underWay) ending.abort(closed())
  }

  async #find(
    ask: (helia: DelegatedRoutingV1HttpApiClient) => ReturnType<DelegatedRoutingV1HttpApiClient['getPeers']>,
    options: { signal: AbortSignal | undefined; count: number; isWanted: (peerId: string) => boolean },
  ): Promise<FoundPeer[]> {
    const { signal, count, isWanted } = options
    if (this.#isStopped) throw closed()
    signal?.throwIfAborted()
    const ending = new AbortController()
    const abort = (): void => ending.abort(signal?.reason)
    signal?.addEventListener('abort', abort, { once: true })
    const late = new GhostChatError('node-unreachable', `it did not answer within ${TIMEOUT_MS / 1000} s`)
    const cancel = this.#clock.after(TIMEOUT_MS, () => ending.abort(late))
    this.#underWay.add(ending)
    const peers = new Map<string, FoundPeer>()
    const request = new RoutingRequest(ending.signal)
    try {
      const helia = await untilAborted(heliaOver(this.#base, request), ending.signal)
      for await (const { ID, Addrs } of ask(helia)) {
        const peerId = peerIdOf(ID)
        if (peerId === undefined || !isWanted(peerId) || peers.has(peerId)) continue
        peers.set(peerId, { peerId, addresses: addressesOf(peerId, Addrs) })
        if (peers.size >= count) break
      }
    } catch (thrown) {
      request.failure ??= thrown
    } finally {
      cancel()
      signal?.removeEventListener('abort', abort)
      this.#underWay.delete(ending)
    }
    signal?.throwIfAborted()
    if (this.#isStopped) throw closed()
    const failure = ending.signal.aborted ? late : request.failure
    // Ends what is still being received.
    ending.abort()
    if (failure !== undefined && peers.size === 0) throw this.#explain(failure)
    return [...peers.values()]
  }

  #explain(cause: unknown): GhostChatError {
    const message = `the routing endpoint ${this.#base.href} is of no use: ${describe(cause)}`
    return new GhostChatError('node-unreachable', message, { cause })
  }
}

function baseOf(endpoint: URL): URL {
  const base = new URL(endpoint)
  const isPlain = base.username === '' && base.password === ''
  if (!/^https?:$/.test(base.protocol) || !isPlain) {
    const what = 'must be an http(s) URL without user name and password'
    throw new GhostChatError('invalid-option', `a routing endpoint ${what}`)
  }
  base.search = ''
  base.hash = ''
  base.pathname = `${base.pathname.replace(/\/+$/, '').replace(/\/routing\/v1$/, '')}/`
  return base
}

function cidOf(peerId: string): CID {
  try {
    const cid = peerIdFromString(peerId).toCID()
    if (peerIdOf(cid) !== undefined) return cid
  } catch {
    // Answered below, as well.
  }
  throw new GhostChatError('invalid-option', `'${peerId}' is not a peer id`)
}

/** In base58. An identity multihash that holds no key may hold a URL, and libp2p takes that for a peer. */
function peerIdOf(cid: CID): string | undefined {
  try {
    const peerId = peerIdFromCID(cid)
    return peerId.type === 'url' ? undefined : peerId.toString()
  } catch {
    return undefined
  }
}

/** Without those that end at somebody else, and each once. */
function addressesOf(peerId: string, addresses: readonly Multiaddr[]): Multiaddr[] {
  const isOthers = (address: Multiaddr): boolean => {
    const last = address.getComponents().at(-1)
    return last?.name === 'p2p' && last.value !== peerId
  }
  const own = addresses.filter((address) => !isOthers(address))
  return [...new Map(own.map((address) => [address.toString(), address])).values()]
}

function closed(): GhostChatError {
  return new GhostChatError('space-closed', 'the space was closed')
}
