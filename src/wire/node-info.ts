import { isRecord } from './json.ts'

/** Where a GhostNode describes itself, below its URL. */
export const NODE_INFO_PATH = '/.well-known/ghostchat.json'

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
}

/** The largest description that is read. */
export const NODE_INFO_MAX_BYTES = 16 * 1024
const MULTIADDRS_MAX = 32

/** The description in this JSON text, or `undefined` when it is none. Claims it does not know are left alone. */
export function decodeNodeInfo(json: string): NodeInfo | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return undefined
  }
  if (!isRecord(value)) return undefined
  const { version, peerId, multiaddrs, time } = value
  if (typeof version !== 'string' || typeof peerId !== 'string' || typeof time !== 'number') return undefined
  if (!Array.isArray(multiaddrs) || multiaddrs.length > MULTIADDRS_MAX) return undefined
  if (!multiaddrs.every((address) => typeof address === 'string')) return undefined
  return { version, peerId, multiaddrs, time }
}
