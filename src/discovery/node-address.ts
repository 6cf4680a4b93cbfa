import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { GhostChatError } from '../errors.ts'
import { decodeNodeInfo, NODE_INFO_MAX_BYTES, NODE_INFO_PATH, type NodeInfo } from '../wire/node-info.ts'

/** A node as an application names it, understood. */
export type NodeAddress = { kind: 'multiaddr'; address: Multiaddr } | { kind: 'url'; url: URL }

/**
 * Understands an entry of `nodes`: an http(s) URL, or a multiaddr that ends in
 * `/p2p/<peer id>`.
 *
 * @throws `invalid-node`
 */
export function parseNode(entry: unknown): NodeAddress {
  if (typeof entry !== 'string') {
    throw new GhostChatError('invalid-node', 'a node must be a text: an http(s) URL or a multiaddr')
  }
  if (entry.startsWith('/')) return { kind: 'multiaddr', address: parseMultiaddr(entry) }
  const url = URL.canParse(entry) ? new URL(entry) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new GhostChatError('invalid-node', `the node '${entry}' is neither an http(s) URL nor a multiaddr`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new GhostChatError('invalid-node', 'the URL of a node must have no user name and no password')
  }
  return { kind: 'url', url }
}

/**
 * Asks a node at a URL for its description, and answers where to dial it: at the
 * URL's own host and port, which were just reached (a page served over https
 * could not use most others). Only a URL with a path, which a multiaddr cannot
 * have, is dialled at the addresses the node names.
 *
 * @throws `node-unreachable` when there is no answer or it is no description
 */
export async function fetchNodeInfo(
  url: URL,
  signal: AbortSignal,
): Promise<{ info: NodeInfo; addresses: Multiaddr[] }> {
  const response = await fetch(new URL(url.pathname.replace(/\/$/, '') + NODE_INFO_PATH, url), {
    signal,
    headers: { accept: 'application/json' },
    credentials: 'omit',
    cache: 'no-store',
    redirect: 'error',
  })
  if (!response.ok)
    throw new GhostChatError('node-unreachable', `it answers ${response.status} to ${NODE_INFO_PATH}`)
  const info = decodeNodeInfo(await readLimited(response, NODE_INFO_MAX_BYTES))
  if (info === undefined)
    throw new GhostChatError('node-unreachable', 'what answers there is not a GhostNode')
  if (!isPeerId(info.peerId))
    throw new GhostChatError('node-unreachable', 'the node names a malformed peer id')
  if (url.pathname === '/') return { info, addresses: [addressOf(url)] }
  const addresses = info.multiaddrs.filter((address) => address.endsWith(`/p2p/${info.peerId}`))
  return { info, addresses: addresses.flatMap((address) => tryMultiaddr(address) ?? []) }
}

/** The WebSocket multiaddr behind a URL. Whose it is, TLS says; the peer id is learnt when it is dialled. */
export function addressOf(url: URL): Multiaddr {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const secure = url.protocol === 'https:'
  const port = url.port || (secure ? '443' : '80')
  const family = host.includes(':') ? 'ip6' : /^\d+\.\d+\.\d+\.\d+$/.test(host) ? 'ip4' : 'dns'
  return multiaddr(`/${family}/${host}/tcp/${port}${secure ? '/tls' : ''}/ws`)
}

/** The URL behind a WebSocket multiaddr: a GhostNode answers HTTP at the same port. */
export function urlOf(address: Multiaddr): URL | undefined {
  const [host, port, ...rest] = address.getComponents()
  const names = rest.map(({ name }) => name)
  if (
    host?.value === undefined ||
    port?.name !== 'tcp' ||
    !names.some((name) => name === 'ws' || name === 'wss')
  ) {
    return undefined
  }
  const scheme = names.includes('tls') || names.includes('wss') ? 'https' : 'http'
  const url = `${scheme}://${host.name === 'ip6' ? `[${host.value}]` : host.value}:${port.value}`
  return URL.canParse(url) ? new URL(url) : undefined
}

function parseMultiaddr(text: string): Multiaddr {
  const address = tryMultiaddr(text)
  if (address === undefined) {
    throw new GhostChatError('invalid-node', `the node '${text}' is not a well-formed multiaddr`)
  }
  const last = address.getComponents().at(-1)
  if (last?.name !== 'p2p' || !isPeerId(last.value)) {
    throw new GhostChatError('invalid-node', `the node '${text}' must end in /p2p/<peer id>`)
  }
  if (urlOf(address) === undefined && !/^\/(?:ip4|ip6|dns[46]?)\//.test(text)) {
    throw new GhostChatError('invalid-node', `the node '${text}' must say on which machine it is`)
  }
  return address
}

/** The multiaddr in a text, or nothing. */
export function tryMultiaddr(text: string): Multiaddr | undefined {
  try {
    return multiaddr(text)
  } catch {
    return undefined
  }
}

function isPeerId(text: string | undefined): boolean {
  try {
    peerIdFromString(text ?? '')
    return true
  } catch {
    return false
  }
}

async function readLimited(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  const reader = response.body?.getReader()
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    bytes += read.value.byteLength
    if (bytes > maxBytes) {
      await reader?.cancel()
      throw new GhostChatError('node-unreachable', `its description is over ${maxBytes} bytes`)
    }
    chunks.push(read.value)
  }
  return new Blob(chunks).text()
}
