import { checkMethods, checkOptions, checkSignal } from './check.ts'
import { type Clock, systemClock } from './clock.ts'
import { parseNode } from './discovery/node-address.ts'
import { describe, GhostChatError } from './errors.ts'
import type { IdentityOption } from './identity/identity.ts'
import { consoleLogger, type Logger } from './logger.ts'
import type { Network } from './network/network.ts'
import { type Random, systemRandom } from './random.ts'
import { type IceServer, isIceServer } from './wire/node-info.ts'

/** How a space is opened. */
export interface OpenSpaceOptions {
  /**
   * The GhostNodes to use, two or more where there are: URLs
   * (`https://node.example`) or multiaddrs that end in `/p2p/<peer id>`. Default
   * none, which makes sense only together with `libp2p` or `network`.
   */
  nodes?: readonly string[]
  /** Whose DID it is. Default `'stored'`: a key of this space's own, kept for the next visit. */
  identity?: IdentityOption
  /**
   * The dapp's own libp2p node, used instead of one of our own; several spaces
   * may share it. It needs `pubsub: chatGossipsub()` among its services and, to
   * reach `nodes`, the transports `webSockets()` and `circuitRelayTransport()`. It
   * stays open when the space is closed.
   */
  libp2p?: unknown
  /** The dapp's own Helia node: its libp2p node is used as `libp2p` would be. */
  helia?: unknown
  /**
   * Connect to a few members of each room directly, where there is WebRTC: the
   * room then goes on when its nodes do not. They learn this device's IP
   * addresses. Default true. With `libp2p` its own transports decide.
   */
  direct?: boolean
  /** STUN and TURN servers for direct connections, beside those the nodes offer. Default none. With `libp2p` those of its own transport are used. */
  iceServers?: readonly IceServer[]
  /**
   * Endpoints of IPFS delegated routing (https URLs) to look for members at,
   * beside the rendezvous of the nodes. Default none.
   */
  delegatedRouting?: readonly string[]
  /**
   * Connect to private, loopback and link-local addresses that others name, as in
   * a network of one's own. Those of the nodes are allowed anyway. Default false.
   */
  allowPrivateAddresses?: boolean
  /** Gives up opening; the promise rejects with the signal's reason. */
  signal?: AbortSignal
  /** Where warnings go. Default the console. */
  logger?: Logger
  /** A network of another kind: `ghostchat/testing` has one in memory. */
  network?: Network
  /** A clock of another kind: `ghostchat/testing` has one that is set by hand. */
  clock?: Clock
  /** Randomness of another kind, for runs that can be repeated. */
  random?: Random
}

/** Options that were checked. */
export type CheckedSpaceOptions = Required<
  Omit<OpenSpaceOptions, 'libp2p' | 'helia' | 'signal' | 'network' | 'delegatedRouting'>
> & {
  libp2p: unknown
  routing: URL[]
  signal: AbortSignal | undefined
  network: Network | undefined
}

/** @throws `invalid-option`, `invalid-node` */
export function checkSpaceOptions(options: OpenSpaceOptions): CheckedSpaceOptions {
  const { nodes = [], identity = 'stored', signal, network } = checkOptions(options)
  const { clock = systemClock, random = systemRandom, logger = consoleLogger } = options
  const { direct = true, allowPrivateAddresses = false, iceServers = [], delegatedRouting = [] } = options
  checkSignal(signal)
  checkMethods('clock', clock, 'now', 'after')
  checkMethods('random', random, 'bytes', 'fraction')
  checkMethods('logger', logger, 'debug', 'warn')
  if (network !== undefined) checkMethods('network', network, 'join', 'close')
  if (!Array.isArray(nodes)) fail('nodes must be a list of texts')
  for (const node of nodes) parseNode(node)
  if (typeof direct !== 'boolean') fail('direct must be true or false')
  if (typeof allowPrivateAddresses !== 'boolean') fail('allowPrivateAddresses must be true or false')
  if (!Array.isArray(iceServers) || !iceServers.every(isIceServer)) {
    fail('iceServers must be a list of { urls: "stun:…" } or { urls: "turn:…", username, credential }')
  }
  if (!Array.isArray(delegatedRouting)) fail('delegatedRouting must be a list of https URLs')
  return {
    nodes,
    identity,
    signal,
    network,
    clock,
    random,
    logger,
    direct,
    allowPrivateAddresses,
    iceServers: [...iceServers],
    routing: delegatedRouting.map(endpointOf),
    libp2p: libp2pOf(options),
  }
}

function libp2pOf({ libp2p, helia }: OpenSpaceOptions): unknown {
  if (helia === undefined) return libp2p
  if (libp2p !== undefined) fail('give either libp2p or helia, not both')
  return libp2pIn(helia) ?? fail('helia must be a Helia node that has a libp2p node')
}

function libp2pIn(helia: unknown): unknown {
  try {
    return (helia as { libp2p?: unknown } | null)?.libp2p
  } catch (thrown) {
    // Helia makes its libp2p node when it starts, and throws until then.
    return fail(`the Helia node has no libp2p node yet: start it first (${describe(thrown)})`)
  }
}

function endpointOf(entry: unknown): URL {
  const url = typeof entry === 'string' && URL.canParse(entry) ? new URL(entry) : undefined
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url
  return fail(`delegatedRouting: '${String(entry)}' is not an http(s) URL`)
}

function fail(message: string): never {
  throw new GhostChatError('invalid-option', message)
}
