import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Clock } from '../../clock.ts'
import { RateLimit } from '../../gate/rate-limit.ts'
import type { Random } from '../../random.ts'
import { rateKeyOf } from '../rate-key.ts'
import { remoteIpOf } from '../remote-ip.ts'
import { chooseMediaType } from './accept.ts'
import { peerFilter } from './filter.ts'
import type { PeerDirectory, PeerEntry } from './peer-directory.ts'
import { parseCid, parsePeerId } from './routing-key.ts'

/** Where delegated routing is served: the IPFS Routing V1 HTTP API. */
export const ROUTING_PATH = '/routing/v1'

/** "SHOULD be limited to 100." A stream gets no more: who asks for members of a room wants a handful. */
const RECORDS_MAX = 100
/** The most entries that are looked at for one answer, so that a filter which passes nobody stays cheap. */
const CANDIDATES_MAX = 500
/**
 * How long, in seconds, an answer may be kept: the spec's five minutes are for
 * files; a room changes faster. An empty room is asked for again soon.
 */
const MAX_AGE = { found: 30, empty: 5 }
/** How long an old answer may stand in for a new one: within it, most who were there still are. */
const STALE_SECONDS = 120
/** One address, or office, may ask 200 times at once and then 20 times a second. */
const PER_IP = { burst: 200, perSecond: 20, maxKeys: 10_000 }

/** What cannot be answered: the status and what it means, in words. */
type Refusal = { status: 400 | 422 | 501; text: string }

/**
 * Answers `GET` and `HEAD` of `/routing/v1/providers/{cid}` and
 * `/routing/v1/peers/{peer-id}` (specs.ipfs.tech, http-routing-v1). Preflights
 * and CORS headers are the caller's.
 *
 * - 200 also where nothing is found: an empty list (IPIP-513).
 * - 400 for an unknown path, and as Kubo for a CID or a peer id that is malformed.
 * - 422 for a CID that is no peer id, and for a filter that is too long.
 * - 429 with `Retry-After` beyond 200 requests at once or 20 a second from one address.
 * - 501 for other methods, and for what the API also has: IPNS and the DHT.
 */
export function routingRoutes(options: {
  directory: PeerDirectory
  clock: Clock
  random: Random
  /** Whether `X-Forwarded-For` is believed. */
  trustProxy: boolean
}): RequestListener {
  const { directory, clock, random, trustProxy } = options
  const limit = new RateLimit({ clock, ...PER_IP })
  return (request, response) => {
    const waitMs = limit.take(rateKeyOf(remoteIpOf(request, trustProxy)))
    if (waitMs > 0) {
      // A page may read a header of another origin only where it is told so.
      response.setHeader('access-control-expose-headers', 'retry-after')
      response.setHeader('retry-after', Math.ceil(waitMs / 1_000))
      sendText(response, 429, 'too many requests')
      return
    }
    const found = find(request, directory)
    if ('status' in found) {
      sendText(response, found.status, found.text)
      return
    }
    const { list, entries, filter } = found
    const records = new Map<string, object>()
    for (const entry of shuffled(random, entries, CANDIDATES_MAX)) {
      const passed = records.has(entry.peerId) ? undefined : filter(entry)
      if (passed !== undefined) records.set(entry.peerId, recordOf(passed))
      if (records.size === RECORDS_MAX) break
    }
    sendRecords(request, response, list, [...records.values()], clock.now())
  }
}

/** What a request is about, or why it cannot be answered. */
function find(
  { method, url = '' }: IncomingMessage,
  directory: PeerDirectory,
):
  | { list: string; entries: readonly PeerEntry[]; filter: (entry: PeerEntry) => PeerEntry | undefined }
  | Refusal {
  const [path = '', query = ''] = url.split(/\?(.*)/s)
  const [kind, key = '', ...rest] = path.slice(ROUTING_PATH.length + 1).split('/')
  if (kind === 'ipns' || (kind === 'dht' && key === 'closest'))
    return notImplemented('this node knows rooms only')
  if ((kind !== 'providers' && kind !== 'peers') || rest.length > 0)
    return { status: 400, text: 'unknown path' }
  if (method !== 'GET' && method !== 'HEAD') return notImplemented('only GET, HEAD and OPTIONS')
  const filter = peerFilter(new URLSearchParams(query))
  if (filter === undefined) return { status: 422, text: 'the filter is too long' }
  if (kind === 'providers') {
    const cid = parseCid(decodePart(key))
    if (cid === undefined) return { status: 400, text: 'malformed CID' }
    return { list: 'Providers', entries: directory.providers(cid), filter }
  }
  const peerId = parsePeerId(decodePart(key))
  if (peerId === 'malformed') return { status: 400, text: 'malformed peer id' }
  if (peerId === 'no-peer') return { status: 422, text: 'a CID, but not of a peer' }
  const entry = directory.peer(peerId)
  return { list: 'Peers', entries: entry === undefined ? [] : [entry], filter }
}

/** Up to `count` of the entries in random order, one at a time: most answers need few of many. */
function* shuffled(random: Random, entries: readonly PeerEntry[], count: number): Generator<PeerEntry> {
  const pool = [...entries]
  for (let at = 0; at < pool.length && at < count; at += 1) {
    const chosen = at + Math.floor(random.fraction() * (pool.length - at))
    const entry = pool[chosen]
    pool[chosen] = pool[at] as PeerEntry
    if (entry !== undefined) yield entry
  }
}

function notImplemented(text: string): Refusal {
  return { status: 501, text }
}

/** A part of a path without its percent signs; what is malformed stays, and is no key. */
function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** The id in base58: Helia's client reads no other form. */
function recordOf({ peerId, addresses, protocols = [] }: PeerEntry): object {
  return { Schema: 'peer', ID: peerId, Addrs: addresses, Protocols: protocols }
}

function sendRecords(
  request: IncomingMessage,
  response: ServerResponse,
  list: string,
  records: readonly object[],
  now: number,
): void {
  const mediaType = chooseMediaType(request.headers.accept)
  const body =
    mediaType === 'application/json'
      ? `${JSON.stringify({ [list]: records })}\n`
      : records.map((record) => `${JSON.stringify(record)}\n`).join('')
  const maxAge = records.length > 0 ? MAX_AGE.found : MAX_AGE.empty
  response.writeHead(200, {
    // Without a charset: Helia's client compares the whole value.
    'content-type': mediaType,
    'content-length': Buffer.byteLength(body),
    'cache-control': `public, max-age=${maxAge}, stale-while-revalidate=${STALE_SECONDS}, stale-if-error=${STALE_SECONDS}`,
    'last-modified': new Date(now).toUTCString(),
    vary: 'Accept',
  })
  response.end(body)
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
  response.end(`${text}\n`)
}
