import type { Connection, Libp2p, Topology } from '@libp2p/interface'

/** What a GhostNode speaks, and those wait for who have to know: gossipsub, and the relay client. */
const SPOKEN_BY_NODES = ['/meshsub/1.2.0', '/libp2p/circuit/relay/0.2.0/hop']

/** libp2p's registrar, which says who waits for peers with a protocol. */
interface Registrar {
  getTopologies(protocol: string): Topology[]
}

/** The name under which {@link introductions} is a service. */
export type IntroductionServices = { introductions: Registrar }

/** A service that gives {@link introduce} what it needs. */
export function introductions({ registrar }: { registrar: Registrar }): Registrar {
  return { getTopologies: (protocol) => registrar.getTopologies(protocol) }
}

/**
 * Tells gossipsub and the relay client that a connection is to a node, which they
 * would otherwise learn from identify two round trips later. The application
 * named the node, so what it speaks is known. Where a libp2p node has no such
 * service, identify tells them.
 */
export function introduce(libp2p: Libp2p, connection: Connection): void {
  const { introductions: registrar } = libp2p.services as Partial<IntroductionServices>
  for (const topology of SPOKEN_BY_NODES.flatMap((protocol) => registrar?.getTopologies(protocol) ?? [])) {
    if (topology.filter?.has(connection.remotePeer) === true) continue
    topology.filter?.add(connection.remotePeer)
    topology.onConnect?.(connection.remotePeer, connection)
  }
}
