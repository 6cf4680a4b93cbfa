import { isRecord } from './json.ts'

/** Where a GhostNode describes itself, below its URL. */
export const NODE_INFO_PATH = '/.well-known/ghostchat.json'

/** A server that helps two devices connect directly: STUN or TURN, in the terms of WebRTC's `RTCIceServer`. */
export interface IceServer {
  /** `stun:host:port`, `turn:host:port?transport=udp`, `turns:…` */
  urls: string | string[]
  username?: string
  credential?: string
}

/** What a GhostNode says about itself. */
export interface NodeInfo {
  /** The version of the `ghostchat` package the node runs. */
  version: string
  /** The libp2p peer id of the node. */
  peerId: string
  /** Where it listens: multiaddrs, the peer id included. */
  multiaddrs: string[]
  /** Its clock, in milliseconds since the Unix epoch. */
  time: number
  /** The UDP port at which it answers STUN, on the host of its URL. */
  stunPort?: number
  /** Further servers for direct connections; credentials in it are short-lived. */
  iceServers: IceServer[]
  /** Where the nodes listen it exchanges gossip with: multiaddrs, peer ids included. */
  peers: string[]
}

/** The largest description that is read. */
export const NODE_INFO_MAX_BYTES = 16 * 1024
const MULTIADDRS_MAX = 32
const ICE_SERVERS_MAX = 8
/** RFC 7064 and 7065, as browsers take them: a query for TURN only, a port from 1 to 65,535. */
const ICE_URL =
  /^(?:stuns?:|turns?:)(?:\[[\da-f:.]{2,45}\]|[a-z\d](?:[a-z\d.-]{0,252}[a-z\d])?)(?::([1-9]\d{0,4}))?(?:\?transport=(?:udp|tcp))?$/i
const VERSION = /^[\x20-\x7e]{1,64}$/
/** The last moment a Date knows. */
const TIME_MAX = 8.64e15

/** The description in this JSON text, or `undefined` when it is none. Claims it does not know are left alone. */
export function decodeNodeInfo(json: string): NodeInfo | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  const { version, peerId, multiaddrs, time, stunPort, iceServers = [], peers = [] } = value
  if (typeof version !== 'string' || !VERSION.test(version) || typeof peerId !== 'string') return undefined
  if (typeof time !== 'number' || Math.abs(time) > TIME_MAX) return undefined
  if (!isTexts(multiaddrs) || !isTexts(peers) || !Array.isArray(iceServers)) return undefined
  if (stunPort !== undefined && !isPort(stunPort)) return undefined
  return {
    version,
    peerId,
    multiaddrs: multiaddrs.slice(0, MULTIADDRS_MAX),
    time,
    // One that WebRTC would not take keeps nobody from the others.
    iceServers: iceServers.filter(isIceServer).slice(0, ICE_SERVERS_MAX),
    peers: peers.slice(0, MULTIADDRS_MAX),
    ...(stunPort !== undefined && { stunPort }),
  }
}

/** Whether a URL is of TURN, which needs credentials. Schemes may be written in capitals. */
export function isTurnUrl(url: unknown): boolean {
  return /^turns?:/i.test(String(url))
}

/** Whether this is a well-formed entry of `iceServers`: WebRTC throws at any other. */
export function isIceServer(value: unknown): value is IceServer {
  if (!isRecord(value)) return false
  const { urls, username, credential } = value
  const list = [urls].flat()
  if (list.length === 0 || list.length > ICE_SERVERS_MAX) return false
  if (!list.every(isIceUrl)) return false
  if (list.some(isTurnUrl)) return typeof username === 'string' && typeof credential === 'string'
  return [username, credential].every((part) => part === undefined || typeof part === 'string')
}

function isIceUrl(url: unknown): boolean {
  const [, port] = (typeof url === 'string' && ICE_URL.exec(url)) || []
  if (typeof url !== 'string' || !ICE_URL.test(url) || Number(port ?? 1) > 65_535) return false
  return isTurnUrl(url) || !url.includes('?')
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string')
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) <= 65_535
}
