import type { CircuitRelayService } from '@libp2p/circuit-relay-v2'
import type { Connection, PeerId } from '@libp2p/interface'
import { rateKeyOf } from './rate-key.ts'
import { isLoopback } from './remote-ip.ts'

/**
 * Whether a client may not reserve a place on the relay because its IP address (in IPv6
 * its /64) has enough. Everybody on this machine is exempt: a proxy that forwards no
 * addresses, or somebody trying things out.
 */
export function exceedsReservations(
  client: PeerId,
  connections: readonly Connection[],
  relay: Pick<CircuitRelayService, 'reservations'>,
  maxPerIp: number,
): boolean {
  const ips = connections
    .filter(({ remotePeer }) => remotePeer.equals(client))
    .map(({ remoteAddr }) => ipOf(remoteAddr))
  return ips.some((ip) => {
    if (ip === undefined || isLoopback(ip)) return false
    const key = rateKeyOf(ip)
    const others = [...relay.reservations].filter(
      ([peer, { addr }]) => !peer.equals(client) && rateKeyOf(ipOf(addr) ?? '') === key,
    )
    return others.length >= maxPerIp
  })
}

/** The IP address in a multiaddr. */
export function ipOf(address: Connection['remoteAddr']): string | undefined {
  return address.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6')?.value
}
