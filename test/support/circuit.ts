import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'

/** How a HopMessage says that its request was granted: `status` 100. */
const GRANTED = '40,100'

/**
 * A circuit to a peer through the node at the other end of a connection, as bare bytes: nothing is said on it yet.
 *
 * @throws Error when the node does not open it
 */
export async function openCircuit(connection: Connection, to: PeerId): Promise<Stream> {
  const prefixed = lpStream(await connection.newStream('/libp2p/circuit/relay/0.2.0/hop'))
  const id = to.toMultihash().bytes
  // HopMessage { type: CONNECT, peer: { id } }
  await prefixed.write(Uint8Array.from([0x08, 1, 0x12, id.length + 2, 0x0a, id.length, ...id]))
  const answer = await prefixed.read()
  if (!answer.subarray().join().includes(GRANTED)) throw new Error('the node opens no circuit')
  return prefixed.unwrap()
}
