import type { Multiaddr } from '@multiformats/multiaddr'
import type { AddressBook } from './address-book.ts'
import { type DialPolicy, hostPart } from './dial-policy.ts'
import type { KnownNodes } from './known-nodes.ts'

/** The ways to members: through our nodes, and where discovery found them, as far as we may go there. */
export class MemberRoutes {
  readonly #book: AddressBook
  readonly #known: KnownNodes
  readonly #policy: DialPolicy
  readonly #isSecluded: boolean

  constructor(options: {
    book: AddressBook
    known: KnownNodes
    policy: DialPolicy
    /** No direct connections are wanted: then our nodes see this device, and those they vouch for, and nobody else. */
    isSecluded: boolean
  }) {
    this.#book = options.book
    this.#known = options.known
    this.#policy = options.policy
    this.#isSecluded = options.isSecluded
  }

  /** The addresses of a member behind a relay, and those at which it takes direct connections. */
  to(peerId: string): { relayed: Multiaddr[]; direct: Multiaddr[] } {
    const found = this.#book.addressesOf(peerId).filter((address) => this.#isOpen(address))
    return {
      relayed: unique([
        ...this.#known.routesTo(peerId),
        ...found.filter((address) => has(address, 'p2p-circuit') && !has(address, 'webrtc')),
      ]),
      direct: found.filter((address) => has(address, 'webrtc')),
    }
  }

  #isOpen(address: Multiaddr): boolean {
    return this.#isSecluded ? this.#known.isTrusted(hostPart(address)) : this.#policy.permits(address)
  }
}

function has(address: Multiaddr, part: string): boolean {
  return address.getComponents().some(({ name }) => name === part)
}

function unique(addresses: Multiaddr[]): Multiaddr[] {
  return [...new Map(addresses.map((address) => [address.toString(), address])).values()]
}
