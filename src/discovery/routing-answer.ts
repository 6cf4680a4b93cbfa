import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { GhostChatError } from '../errors.ts'
import { isRecord } from '../wire/json.ts'
import { tryMultiaddr } from './node-address.ts'

/** The largest answer: 100 peers of 5 KiB. */
const ANSWER_MAX_BYTES = 512 * 1024
/** The longest line of a stream, in characters: a peer of the public IPFS network may list 30 addresses. */
const LINE_MAX_CHARACTERS = 16 * 1024
/** How many addresses of a peer are kept. */
const PEER_MAX_ADDRESSES = 8
/** The most addresses of a peer that are looked at for well-formed ones. */
const ADDRESSES_EXAMINED = 32
/** The longest address: a circuit with two WebTransport certificates has 300 characters. */
const ADDRESS_MAX_CHARACTERS = 512
/** The longest peer id: that of an ECDSA key, as a CID, has 150. */
const ID_MAX_CHARACTERS = 200

/** A peer as an endpoint describes it, cut to what is of use: the id in base58, and well-formed addresses. */
export interface RoutingRecord {
  Schema: 'peer'
  ID: string
  Addrs: string[]
}

/**
 * The records in the answer of a delegated routing endpoint, as they come. Lines
 * and entries that are none are left out.
 *
 * @throws `node-unreachable` where the answer is an error, of another type, malformed as a whole, or too long
 */
export async function* readRoutingAnswer(response: Response): AsyncGenerator<RoutingRecord> {
  // Older servers answer 404 where nothing is found (IPIP-513).
  if (response.status === 404) return
  if (!response.ok) throw unusable(`it answers ${response.status}`)
  const type = (response.headers.get('content-type') ?? '').toLowerCase()
  if (type.startsWith('application/x-ndjson')) yield* readLines(response)
  else if (type.startsWith('application/json')) yield* readList(response)
  else throw unusable(`it answers '${type.slice(0, 100)}' instead of JSON`)
}

async function* readLines(response: Response): AsyncGenerator<RoutingRecord> {
  let rest = ''
  for await (const text of readText(response)) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield* recordIn(parseJson(line))
    if (rest.length > LINE_MAX_CHARACTERS) throw unusable('a line of its answer is too long')
  }
  yield* recordIn(parseJson(rest))
}

async function* readList(response: Response): AsyncGenerator<RoutingRecord> {
  const texts: string[] = []
  for await (const text of readText(response)) texts.push(text)
  const value = parseJson(texts.join(''))
  if (!isRecord(value)) throw unusable('its answer is not JSON')
  const list = value['Providers'] ?? value['Peers']
  // Go writes an empty list as null.
  if (!Array.isArray(list)) return
  for (const entry of list) yield* recordIn(entry)
}

async function* readText(response: Response): AsyncGenerator<string> {
  const reader = response.body?.getReader()
  const decoder = new TextDecoder()
  let bytes = 0
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    bytes += read.value.byteLength
    if (bytes > ANSWER_MAX_BYTES) throw unusable(`its answer is over ${ANSWER_MAX_BYTES} bytes`)
    yield decoder.decode(read.value, { stream: true })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The record in a value of JSON, if it is one. The schema does not matter: all that exist have these fields. */
function* recordIn(value: unknown): Generator<RoutingRecord> {
  if (!isRecord(value)) return
  const id = base58Id(value['ID'])
  if (id === undefined) return
  const listed = Array.isArray(value['Addrs']) ? value['Addrs'].slice(0, ADDRESSES_EXAMINED) : []
  yield { Schema: 'peer', ID: id, Addrs: listed.filter(isAddress).slice(0, PEER_MAX_ADDRESSES) }
}

/** The spec allows two forms of a peer id; Helia's client reads the one in base58 only. */
function base58Id(id: unknown): string | undefined {
  if (typeof id !== 'string' || id.length > ID_MAX_CHARACTERS) return undefined
  if (/^(?:1|Qm)/.test(id)) return id
  try {
    return base58btc.baseEncode(CID.parse(id).multihash.bytes)
  } catch {
    return undefined
  }
}

function isAddress(address: unknown): address is string {
  if (typeof address !== 'string' || address.length > ADDRESS_MAX_CHARACTERS) return false
  return address.startsWith('/') && tryMultiaddr(address) !== undefined
}

function unusable(what: string): GhostChatError {
  return new GhostChatError('node-unreachable', what)
}
