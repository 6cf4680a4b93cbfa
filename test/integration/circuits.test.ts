import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { openCircuit } from '../support/circuit.ts'
import { barePeer, ownLibp2p, startNode } from '../support/resources.ts'

test('a stranger opens so many circuits to a member through a node, and keeps nobody else from it', async () => {
  const address = (await startNode()).multiaddrs[0] ?? ''
  const member = await ownLibp2p()
  await member.services.reservations.reserveAt(await member.dial(multiaddr(address)))
  const [connection] = (await barePeer(address)).getConnections()
  if (connection === undefined) throw new Error('not connected')
  // It says nothing on them: the member waits for a handshake on each.
  for (let circuits = 0; circuits < 16; circuits += 1) await openCircuit(connection, member.peerId)
  await expect(openCircuit(connection, member.peerId)).rejects.toThrow('opens no circuit')

  const somebody = await ownLibp2p()
  await somebody.dial(multiaddr(address))
  const route = multiaddr(`${address}/p2p-circuit/p2p/${member.peerId}`)
  expect((await somebody.dial(route)).remotePeer.equals(member.peerId)).toBe(true)
})
