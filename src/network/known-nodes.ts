import type { PeerId } from '@libp2p/interface'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../clock.ts'
import {
  addressOf,
  fetchNodeInfo,
  type NodeAddress,
  parseNode,
  tryMultiaddr,
  urlOf,
} from '../discovery/node-address.ts'
import type { IceServer, NodeInfo } from '../wire/node-info.ts'
import { hostPart } from './dial-policy.ts'
import type { Location } from './node-links.ts'

/** How many addresses of peers of a node are believed. */
const PEERS_MAX = 16
/** TURN credentials are short-lived: a description that is older is fetched again before it is used for them. */
const INFO_MAX_AGE_MS = 10 * 60_000
const REFRESH_TIMEOUT_MS = 5_000

/** A node the application named, and what it said about itself. */
export interface KnownNode {
  /** What the application calls it. */
  readonly name: string
  readonly address: NodeAddress
  /** Where it is dialled. */
  addresses: Multiaddr[]
  info?: NodeInfo
  /** When the description came. */
  infoAt?: number
  /** How long it took. */
  infoMs?: number
  /** Our clock less the node's, in milliseconds: as much of it as is certain. */
  clockOffsetMs?: number
  /** Its peer id, once it was reached. */
  peerId?: PeerId
}

/** The nodes of a client: where they are, what they offer, and what they vouch for. */
export class KnownNodes {
  readonly #clock: Clock
  readonly #nodes: KnownNode[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get all(): readonly KnownNode[] {
    return this.#nodes
  }

  /** Adds an entry of `nodes`; answers the one there is already under this name. @throws `invalid-node` */
  add(entry: string): KnownNode {
    const known = this.#nodes.find(({ name }) => name === entry)
    if (known !== undefined) return known
    const node: KnownNode = { name: entry, address: parseNode(entry), addresses: [] }
    this.#nodes.push(node)
    return node
  }

  remove(node: KnownNode): void {
    this.#nodes.splice(this.#nodes.indexOf(node), 1)
  }

  has(peerId: PeerId): boolean {
    return this.#nodes.some((node) => node.peerId?.equals(peerId))
  }

  /**
   * Where a node is dialled: at the host and port of its URL, or at its multiaddr.
   * What it says of itself comes on the side, so that the dial need not wait for
   * it. Only for a URL with a path, which a multiaddr cannot have, it must.
   *
   * @throws `node-unreachable`
   */
  async locate(node: KnownNode, signal: AbortSignal): Promise<Location> {
    const { address } = node
    const url = address.kind === 'url' ? address.url : urlOf(address.address)
    const asked = url === undefined ? Promise.resolve([]) : this.#fetch(node, url, signal)
    const described = asked.then(() => {})
    // It may have failed long before somebody looks at it.
    described.catch(() => {})
    if (address.kind === 'multiaddr') node.addresses = [address.address]
    else node.addresses = address.url.pathname === '/' ? [addressOf(address.url)] : await asked
    return { addresses: node.addresses, described }
  }

  /** Whether this machine and port is a node's, or one a node exchanges gossip with. */
  isTrusted(host: string): boolean {
    return this.#nodes.some(
      ({ addresses, info }) =>
        addresses.some((address) => hostPart(address) === host) ||
        (info?.peers ?? []).slice(0, PEERS_MAX).some((peer) => {
          const address = tryMultiaddr(peer)
          return address !== undefined && host !== '' && hostPart(address) === host
        }),
    )
  }

  /** The addresses of a member that has a reservation at our nodes: all of them, since it does not say at which. */
  routesTo(peerId: string): Multiaddr[] {
    return this.#nodes.flatMap(({ addresses, peerId: nodeId }) =>
      addresses.map((address) => {
        const relay =
          hasPeerId(address) || nodeId === undefined ? address : address.encapsulate(`/p2p/${nodeId}`)
        return relay.encapsulate(multiaddr(`/p2p-circuit/p2p/${peerId}`))
      }),
    )
  }

  /** What the nodes offer for direct connections: STUN of their own, and the servers they name. Never rejects. */
  async iceServers(): Promise<IceServer[]> {
    await Promise.allSettled(
      this.#nodes.map(async (node) => {
        const url = node.address.kind === 'url' ? node.address.url : urlOf(node.address.address)
        const isFresh = this.#clock.now() - (node.infoAt ?? Number.NEGATIVE_INFINITY) < INFO_MAX_AGE_MS
        const isNeeded = node.info?.iceServers.some(({ credential }) => credential !== undefined)
        if (url !== undefined && !isFresh && isNeeded) {
          await this.#fetch(node, url, AbortSignal.timeout(REFRESH_TIMEOUT_MS))
        }
      }),
    )
    return this.#nodes.flatMap(({ addresses, info }) => {
      const host = addresses.map(hostOf).find((found) => found !== undefined)
      const stun =
        info?.stunPort !== undefined && host !== undefined ? [{ urls: `stun:${host}:${info.stunPort}` }] : []
      return [...stun, ...(info?.iceServers ?? [])]
    })
  }

  async #fetch(node: KnownNode, url: URL, signal: AbortSignal): Promise<Multiaddr[]> {
    const askedAt = this.#clock.now()
    const { info, addresses } = await fetchNodeInfo(url, signal)
    const now = this.#clock.now()
    node.info = info
    node.infoAt = now
    node.infoMs = now - askedAt
    // Somewhere between question and answer the node looked at its clock. A slow answer is no wrong clock.
    node.clockOffsetMs = Math.max(0, askedAt - info.time) + Math.min(0, now - info.time)
    return addresses
  }
}

function hasPeerId(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'p2p')
}

/** The host of an address as a URL writes it. */
function hostOf(address: Multiaddr): string | undefined {
  const [host] = address.getComponents()
  if (host?.value === undefined) return undefined
  return host.name === 'ip6' ? `[${host.value}]` : host.value
}
