import { isIP } from 'node:net'
import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { checkMethods } from '../check.ts'
import { parseNode, urlOf } from '../discovery/node-address.ts'
import { describe, GhostChatError } from '../errors.ts'
import { consoleLogger, type Logger } from '../logger.ts'
import { isIceServer, isTurnUrl } from '../wire/node-info.ts'

/** How a GhostNode is run. */
export interface GhostNodeOptions {
  /** The port for HTTP and WebSockets, 0 to 65,535; 0 takes a free one. Default 8787. */
  port?: number
  /** The IP address to listen at. Default `0.0.0.0`: all of IPv4. */
  host?: string
  /** Where the node keeps its key, so that its peer id stays the same. Default: nowhere, a new peer id at each start. */
  dataDir?: string
  /** Multiaddrs to announce instead of those the node listens at, for a node behind a proxy or a NAT. */
  announce?: readonly string[]
  /**
   * Believe the last entry of `X-Forwarded-For`. Only behind a proxy that
   * writes it, or clients can choose their address. Default false.
   */
  trustProxy?: boolean
  /** The most connections at once. Default 10,000. */
  maxConnections?: number
  /** The most rooms carried at once. Default 10,000. */
  maxRooms?: number
  /** The most relay reservations at once. Default 4,096. */
  maxReservations?: number
  /** The most relay reservations for one IP address; loopback is exempt. Default 32. */
  maxReservationsPerIp?: number
  /**
   * Other GhostNodes to exchange gossip and registrations with: URLs or multiaddrs.
   * Clients of two nodes meet when one of the nodes names the other; of several,
   * each has to know each. Default none.
   */
  peers?: readonly string[]
  /** The UDP port for STUN; 0 takes a free one, `false` does without. Default: the number of the port for HTTP. */
  stunPort?: number | false
  /**
   * Further servers that clients are told of, to connect directly: `stun:host:port`,
   * or `turn:host:port?transport=udp` together with `turnSecret`. Default none.
   */
  iceServers?: readonly string[]
  /**
   * The secret shared with the TURN servers, from which credentials are made that
   * hold for an hour (coturn's `use-auth-secret`). Default none.
   */
  turnSecret?: string
  /** Where warnings go. Default the console. */
  logger?: Logger
}

/** Options that were checked. */
export type CheckedOptions = Required<
  Omit<GhostNodeOptions, 'dataDir' | 'announce' | 'stunPort' | 'turnSecret'>
> & {
  dataDir: string | undefined
  announce: Multiaddr[]
  /** `undefined`: the number of the port for HTTP. */
  stunPort: number | false | undefined
  turnSecret: string | undefined
}

const DEFAULT_PORT = 8787

/** @throws `invalid-option` */
export function checkOptions(options: GhostNodeOptions): CheckedOptions {
  if (typeof options !== 'object' || options === null) fail('options must be an object')
  const { host = '0.0.0.0', dataDir, trustProxy = false, announce = [], logger = consoleLogger } = options
  if (typeof host !== 'string' || isIP(host) === 0) fail(`host must be an IP address, not '${String(host)}'`)
  if (dataDir !== undefined && (typeof dataDir !== 'string' || dataDir === '')) fail('dataDir must be a path')
  if (typeof trustProxy !== 'boolean') fail('trustProxy must be true or false')
  if (!Array.isArray(announce) || announce.length > 32) {
    fail('announce must be a list of 32 multiaddrs at most')
  }
  checkMethods('logger', logger, 'debug', 'warn')
  const { peers = [], iceServers = [], turnSecret, stunPort } = options
  if (!Array.isArray(peers)) fail('peers must be a list of URLs or multiaddrs')
  for (const peer of peers) parseNode(peer)
  checkIceServers(iceServers, turnSecret)
  return {
    peers,
    iceServers,
    turnSecret,
    stunPort:
      stunPort === undefined || stunPort === false ? stunPort : wholeNumber('stunPort', stunPort, 0, 65_535),
    host,
    dataDir,
    trustProxy,
    logger,
    announce: announce.map(checkAnnounced),
    port: wholeNumber('port', options.port ?? DEFAULT_PORT, 0, 65_535),
    maxConnections: wholeNumber('maxConnections', options.maxConnections ?? 10_000, 1, 1_000_000),
    maxRooms: wholeNumber('maxRooms', options.maxRooms ?? 10_000, 1, 1_000_000),
    maxReservations: wholeNumber('maxReservations', options.maxReservations ?? 4_096, 0, 1_000_000),
    maxReservationsPerIp: wholeNumber(
      'maxReservationsPerIp',
      options.maxReservationsPerIp ?? 32,
      1,
      1_000_000,
    ),
  }
}

function wholeNumber(name: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  return fail(`${name} must be a whole number from ${min} to ${max}, not '${String(value)}'`)
}

function checkIceServers(iceServers: unknown, turnSecret: unknown): void {
  if (!Array.isArray(iceServers) || iceServers.length > 8) fail('iceServers must be a list of 8 URLs at most')
  for (const url of iceServers) {
    if (typeof url !== 'string' || !isIceServer({ urls: url, username: '', credential: '' })) {
      fail(
        `'${String(url)}' is not the URL of a STUN or TURN server, such as turn:turn.example:3478?transport=udp`,
      )
    }
  }
  if (turnSecret !== undefined && (typeof turnSecret !== 'string' || turnSecret === '')) {
    fail('turnSecret must be a text')
  }
  if (turnSecret === undefined && iceServers.some(isTurnUrl)) {
    fail('a TURN server needs turnSecret, the secret it shares with this node')
  }
}

/** What is announced is dialled: a machine, a port, and WebSockets. Whose it is, the node adds. */
function checkAnnounced(text: unknown): Multiaddr {
  const address = checkMultiaddr(text)
  if (urlOf(address) !== undefined) return address.decapsulateCode(CODE_P2P)
  return fail(`'${String(text)}' is not an address of WebSockets, such as /dns4/node.example/tcp/443/tls/ws`)
}

function checkMultiaddr(text: unknown): Multiaddr {
  try {
    return multiaddr(String(text))
  } catch (thrown) {
    return fail(`'${String(text)}' is not a multiaddr: ${describe(thrown)}`)
  }
}

function fail(message: string): never {
  throw new GhostChatError('invalid-option', message)
}
