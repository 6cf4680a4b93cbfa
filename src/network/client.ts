import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { PeerId } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Clock } from '../clock.ts'
import { fetchNodeInfo, parseNode } from '../discovery/node-address.ts'
import { GhostChatError } from '../errors.ts'
import { FUTURE_MS } from '../limits.ts'
import type { Random } from '../random.ts'
import { clientGossip } from './gossip.ts'
import { type ChatLibp2p, Libp2pNetwork } from './libp2p-network.ts'
import type { Network } from './network.ts'
import { NodeLink, type ResolveNode } from './node-links.ts'

/** What a client's network is made of. */
export interface ClientOptions {
  /** URLs or multiaddrs of nodes. */
  nodes: readonly string[]
  /** The dapp's own libp2p node, used instead of one of our own. */
  libp2p?: unknown
  clock: Clock
  random: Random
  /** A node could not be reached, or its clock differs from ours. */
  onFailure: (error: GhostChatError) => void
}

/** A network, and how to tell it that the machine may be online again. */
export interface Client {
  network: Network
  wake(): void
}

/**
 * A network that reaches its rooms through nodes.
 *
 * @throws `invalid-node`, `invalid-option` (the libp2p node lacks something)
 */
export async function openClient(options: ClientOptions): Promise<Client> {
  const { clock, random, nodes } = options
  const parsed = nodes.map((entry) => ({ name: entry, address: parseNode(entry) }))
  /** By entry of `nodes`: where it is dialled. */
  const known = new Map<string, Multiaddr[]>()
  const isNode = (address: Multiaddr): boolean => {
    const target = hostPart(address)
    return [...known.values()].flat().some((node) => hostPart(node) === target)
  }
  const own = options.libp2p === undefined ? await createOwnLibp2p(isNode) : undefined
  const libp2p = own ?? checkLibp2p(options.libp2p)
  const links = parsed.map(({ name, address }) => {
    const resolve: ResolveNode = async (signal) => {
      if (address.kind === 'multiaddr') return [address.address]
      const { info, addresses } = await fetchNodeInfo(address.url, signal)
      checkClock(info.time, name, options)
      return addresses
    }
    const onAddresses = (addresses: Multiaddr[]): void => void known.set(name, addresses)
    const isGossiping = (peerId: PeerId): boolean =>
      libp2p.services.pubsub.getPeers().some((peer) => peer.equals(peerId))
    return new NodeLink({
      isGossiping,
      libp2p,
      clock,
      random,
      name,
      resolve,
      onAddresses,
      onFailure: options.onFailure,
    })
  })
  const network = new Libp2pNetwork({
    libp2p,
    clock,
    routesTo: (peerId) =>
      [...known.values()].flat().map((node) => node.encapsulate(multiaddr(`/p2p-circuit/p2p/${peerId}`))),
    isNode: (peerId) => links.some((link) => link.peerId?.equals(peerId)),
    onClose: async () => {
      for (const link of links) link.close()
      await own?.stop()
    },
  })
  await network.start()
  for (const link of links) void link.run()
  return {
    network,
    wake: () => {
      for (const link of links) link.wake()
    },
  }
}

/**
 * The libp2p node of a client: dials its nodes and the members behind them, and
 * nothing else. No member can make it knock at an address of its choice.
 */
async function createOwnLibp2p(isNode: (address: Multiaddr) => boolean): Promise<ChatLibp2p> {
  return createLibp2p({
    addresses: { listen: ['/p2p-circuit'] },
    transports: [webSockets(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: (address) => !isNode(address) },
    // A tab that was frozen for a moment is not gone: the default of 5 s cuts it off.
    connectionMonitor: { pingInterval: 15_000, pingTimeout: { minTimeout: 15_000 } },
    services: { identify: identify(), ping: ping(), pubsub: clientGossip() },
  })
}

/** @throws `invalid-option` naming what the libp2p node lacks */
function checkLibp2p(libp2p: unknown): ChatLibp2p {
  const candidate = libp2p as Partial<ChatLibp2p> | null
  if (typeof candidate?.dial !== 'function' || candidate.services === undefined) {
    throw new GhostChatError('invalid-option', 'libp2p must be a libp2p node')
  }
  const { pubsub } = candidate.services
  if (typeof pubsub?.getSubscribers !== 'function' || pubsub.topicValidators === undefined) {
    throw new GhostChatError('invalid-option', 'the libp2p node has no service `pubsub` of @libp2p/gossipsub')
  }
  if (pubsub.globalSignaturePolicy !== 'StrictNoSign') {
    throw new GhostChatError(
      'invalid-option',
      "the service `pubsub` must have globalSignaturePolicy: 'StrictNoSign'",
    )
  }
  return candidate as ChatLibp2p
}

function checkClock(nodeTime: number, name: string, { clock, onFailure }: ClientOptions): void {
  const skewMs = clock.now() - nodeTime
  if (Math.abs(skewMs) < FUTURE_MS / 2) return
  const seconds = Math.abs(Math.round(skewMs / 1000))
  const direction = skewMs > 0 ? 'ahead of' : 'behind'
  const advice = 'others may not see what is sent from here: set the clock'
  onFailure(
    new GhostChatError(
      'clock-skew',
      `this clock is ${seconds} s ${direction} that of the node ${name}; ${advice}`,
    ),
  )
}

/** The part of an address that says which machine and port is dialled. */
function hostPart(address: Multiaddr): string {
  const text = address.toString()
  return text.slice(0, text.search(/\/p2p\/|\/p2p-circuit|$/))
}
