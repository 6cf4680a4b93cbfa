import { registry } from '@multiformats/multiaddr'
import type { PeerEntry } from './peer-directory.ts'

/** A name of a protocol is this long at most (IPIP-484). */
const NAME_MAX_CHARACTERS = 63
/** The registry has 40 protocols; nobody needs to name more. */
const NAMES_MAX = 40

/** Applies to an entry what a request asks for: the entry with the addresses that pass, or `undefined`. */
export type PeerFilter = (entry: PeerEntry) => PeerEntry | undefined

/**
 * The filter that a query asks for (IPIP-484): `filter-protocols` passes who
 * serves one of the protocols, `filter-addrs` passes addresses in which one of
 * the names and none of the names after a `!` occurs. `unknown` is who has none.
 * Of a parameter that is repeated, the first counts, as in Kubo. Answers
 * `undefined` where a filter is too long.
 */
export function peerFilter(query: URLSearchParams): PeerFilter | undefined {
  const protocols = namesIn(query.get('filter-protocols'))
  const addresses = namesIn(query.get('filter-addrs'))
  if (protocols === undefined || addresses === undefined) return undefined
  const refused = new Set(addresses.filter((name) => name.startsWith('!')).map((name) => name.slice(1)))
  const wanted = new Set(addresses.filter((name) => !name.startsWith('!')))
  return (entry) => {
    if (protocols.length > 0 && !serves(entry, protocols)) return undefined
    if (addresses.length === 0) return entry
    if (entry.addresses.length === 0) return wanted.has('unknown') ? entry : undefined
    const passed = entry.addresses.filter((address) => {
      const names = protocolNames(address)
      return (
        !names.some((name) => refused.has(name)) &&
        (wanted.size === 0 || names.some((name) => wanted.has(name)))
      )
    })
    return passed.length === 0 ? undefined : { ...entry, addresses: passed }
  }
}

function namesIn(list: string | null): string[] | undefined {
  const names = (list ?? '')
    .toLowerCase()
    .split(',')
    .filter((name) => name !== '')
  const areShort = names.every((name) => name.replace('!', '').length <= NAME_MAX_CHARACTERS)
  return names.length <= NAMES_MAX && areShort ? names : undefined
}

function serves({ protocols = [] }: PeerEntry, wanted: readonly string[]): boolean {
  if (protocols.length === 0) return wanted.includes('unknown')
  return protocols.some((protocol) => wanted.includes(protocol.toLowerCase()))
}

/** The names in a multiaddr, without the values: a host may be called `ws`. Parsing it whole would take ten times as long. */
function protocolNames(address: string): string[] {
  const parts = address.toLowerCase().split('/')
  const names: string[] = []
  for (let at = 1; at < parts.length; at += 1) {
    const name = parts[at] ?? ''
    names.push(name)
    if (hasValue(name)) at += 1
  }
  return names
}

function hasValue(name: string): boolean {
  try {
    return (registry.getProtocol(name).size ?? 0) !== 0
  } catch {
    return false
  }
}
