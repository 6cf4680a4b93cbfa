import type { Connection, Libp2p } from '@libp2p/interface'

/**
 * Ends the old connection of a peer that connects anew. It would not if it still had
 * the old one: it came back from another network, or its machine slept, and nobody
 * told us. Gossipsub would write to the old one until that is found to be dead, and
 * to none from then on.
 */
export function endReplacedConnections(libp2p: Libp2p): void {
  libp2p.addEventListener('connection:open', ({ detail: opened }) => {
    if (!isOwnDoing(opened)) return
    for (const connection of libp2p.getConnections(opened.remotePeer)) {
      if (connection !== opened && isOwnDoing(connection))
        connection.abort(new Error('the peer connected anew'))
    }
  })
}

/** Whether the other side dialled, and directly. Two nodes that name each other have one each way. */
function isOwnDoing({ direction, limits }: Connection): boolean {
  return direction === 'inbound' && limits === undefined
}
