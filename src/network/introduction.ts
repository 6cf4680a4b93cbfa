import type { Connection, Libp2p, Topology } from '@libp2p/interface'

/** What a GhostNode speaks, and gossipsub waits for. */
const SPOKEN_BY_NODES = ['/meshsub/1.2.0']

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
 * Tells gossipsub that a connection is to a node, which it would otherwise learn
 * from identify two round trips later. The application
 * named the node, so what it speaks is known. Where a libp2p node has no such
 * service, identify tells it.
 */
export function introduce(libp2p: Libp2p, connection: Connection): void {
  const { introductions: registrar } = libp2p.services as Partial<IntroductionServices>
  for (const topology of SPOKEN_BY_NODES.flatMap((protocol) => registrar?.getTopologies(protocol) ?? [])) {
    if (topology.filter?.has(connection.remotePeer) === true) continue
    topology.filter?.add(connection.remotePeer)
    topology.onConnect?.(connection.remotePeer, connection)
  }
}
