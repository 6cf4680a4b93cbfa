import type { Connection, PeerId } from '@libp2p/interface'
import { rateKeyOf } from './rate-key.ts'
import { isLoopback } from './remote-ip.ts'

/**
 * How many clients of one IP address (in IPv6 of a /64) may reserve a place on the relay. Everybody on this machine is
 * exempt: a proxy that forwards no addresses, or somebody trying things out.
 *
 * It keeps count: to look through all reservations for each that is asked for would take 10 ms where there are 4,000, and
 * anybody may ask again and again.
 */
export class ReservationLimits {
  readonly #maxPerIp: number
  /** By address: who was let in. */
  readonly #clients = new Map<string, Set<string>>()
  /** By peer id of a client that was let in. */
  readonly #addresses = new Map<string, string[]>()

  constructor(maxPerIp: number) {
    this.#maxPerIp = maxPerIp
  }

  /** Whether a client with these connections may reserve a place; if so, it has one until {@link left}. */
  admits(client: PeerId, connections: readonly Connection[]): boolean {
    const id = client.toString()
    const ips = connections.flatMap(({ remoteAddr }) => ipOf(remoteAddr) ?? [])
    const addresses = ips.filter((ip) => !isLoopback(ip)).map(rateKeyOf)
    if (addresses.some((address) => this.#isFull(address, id))) return false
    this.left(client)
    if (addresses.length > 0) this.#addresses.set(id, addresses)
    for (const address of addresses) {
      this.#clients.set(address, (this.#clients.get(address) ?? new Set<string>()).add(id))
    }
    return true
  }

  /** A client is gone, and its reservation with it. */
  left(client: PeerId): void {
    const id = client.toString()
    for (const address of this.#addresses.get(id) ?? []) {
      const clients = this.#clients.get(address)
      clients?.delete(id)
      if (clients?.size === 0) this.#clients.delete(address)
    }
    this.#addresses.delete(id)
  }

  #isFull(address: string, client: string): boolean {
    const clients = this.#clients.get(address) ?? new Set()
    return !clients.has(client) && clients.size >= this.#maxPerIp
  }
}

/** The IP address in a multiaddr. */
export function ipOf(address: Connection['remoteAddr']): string | undefined {
  return address.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6')?.value
}
