import { isGlobalUnicast, isLinkLocal, isLoopback, isPrivate } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'

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

/** Names that mean this machine or one beside it, whatever a resolver says. */
const LOCAL_NAME = /^(?:localhost|[^.]+|.+\.(?:localhost|local|internal|lan|home\.arpa))\.?$/i

function isPublic(address: Multiaddr): boolean {
  const [host] = address.getComponents()
  if (host?.name.startsWith('dns')) return !LOCAL_NAME.test(host.value ?? '')
  if (host?.name === 'ip4') return !isPrivate(address) && !isLoopback(address) && !isLinkLocal(address)
  // 6to4 (2002::/16) hides an IPv4 address that may be a private one.
  return (
    host?.name === 'ip6' &&
    isGlobalUnicast(address) &&
    !isPrivate(address) &&
    !/^2002:/.test(host.value ?? '')
  )
}
