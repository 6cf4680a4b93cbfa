import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { DialPolicy } from '../../src/network/dial-policy.ts'
import { createOwnLibp2p, type OwnLibp2p } from '../../src/network/own-libp2p.ts'
import { openCircuit } from '../support/circuit.ts'
import { atEnd, barePeer, startNode } from '../support/resources.ts'

/** The libp2p node of a client. */
async function ownLibp2p(): Promise<OwnLibp2p> {
  const policy = new DialPolicy({ allowPrivate: true, isTrusted: () => true })
  const libp2p = await createOwnLibp2p({ policy, clock: systemClock, iceServers: async () => [] })
  atEnd(() => libp2p.stop())
  return libp2p
}

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
