import { isGlobalUnicast, isLinkLocal, isLoopback, isPrivate } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'

/**
 * Where a device lets others send it. An address comes from members and from
 * routing endpoints, so anybody could make it knock at machines of its own
 * network: those are refused, except where the application named them itself.
 */
export class DialPolicy {
  readonly #allowPrivate: boolean
  readonly #isTrusted: (host: string) => boolean

  constructor(options: {
    /** Dial private, loopback and link-local addresses too: for a network of one's own. */
    allowPrivate: boolean
    /** Whether the application, or a node it named, named this machine and port. */
    isTrusted: (host: string) => boolean
  }) {
    this.#allowPrivate = options.allowPrivate
    this.#isTrusted = options.isTrusted
  }

  permits(address: Multiaddr): boolean {
    return this.#allowPrivate || this.#isTrusted(hostPart(address)) || isPublic(address)
  }
}

/** The part of an address that says which machine and port is dialled. */
export function hostPart(address: Multiaddr): string {
  const text = address.toString()
  return text.slice(0, text.search(/\/p2p\/|\/p2p-circuit|$/))
}

/** What names a machine. `sni` is where a WebSocket over TLS goes, whatever stands before it. */
const HOSTS = ['ip4', 'ip6', 'dns', 'dns4', 'dns6', 'sni']

/**
 * A name of the public DNS: labels of letters, digits and hyphens, the last of
 * which begins with a letter. Anything else a URL may read as a number, which is an
 * address, or as a user before a host.
 */
const PUBLIC_NAME =
  /^(?=.{1,254}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\.?$/i

/** Names that mean this machine or one beside it, whatever a resolver says. */
const LOCAL_NAME =
  /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|private|corp|home|lan|home\.arpa)\.?$/i

/** Whether each machine that is named before a relay is a public one. `dnsaddr` is refused: it asks strangers. */
function isPublic(address: Multiaddr): boolean {
  const components = address.getComponents()
  const end = components.findIndex(({ name }) => name === 'p2p' || name === 'p2p-circuit')
  const named = components.slice(0, end < 0 ? undefined : end).filter(({ name }) => HOSTS.includes(name))
  const [first] = components
  return first !== undefined && HOSTS.includes(first.name) && named.every(isPublicHost)
}

function isPublicHost({ name, value = '' }: { name: string; value?: string }): boolean {
  if (name !== 'ip4' && name !== 'ip6') return PUBLIC_NAME.test(value) && !LOCAL_NAME.test(value)
  const host = multiaddr(`/${name}/${value}/tcp/1`)
  if (isPrivate(host) || isLoopback(host) || isLinkLocal(host)) return false
  if (name === 'ip4') return Number(value.split('.')[0]) < 224
  // 6to4 (2002::/16) and Teredo (2001::/32) hide an IPv4 address that may be a private one.
  return isGlobalUnicast(host) && !/^2002:|^2001:(?:0{1,4}:|:)/i.test(value)
}
