import type { Connection, Libp2p } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { expect, it } from 'vitest'
import { endReplacedConnections } from '../../../src/node/replaced-connections.ts'
import { realPeerId } from '../../support/routing.ts'

const [peer, other] = [peerIdFromString(realPeerId(1)), peerIdFromString(realPeerId(2))]

/** Opens connections one after the other. Resolves with which of them were ended. */
function endedOf(connections: Partial<Connection>[]): number[] {
  const events = new EventTarget()
  const open: Partial<Connection>[] = []
  const ended: number[] = []
  endReplacedConnections({
    addEventListener: events.addEventListener.bind(events),
    getConnections: (peerId: unknown) => open.filter(({ remotePeer }) => remotePeer === peerId),
  } as unknown as Libp2p)
  for (const [index, connection] of connections.entries()) {
    const detail = { ...connection, abort: () => ended.push(index) }
    open.push(detail)
    events.dispatchEvent(new CustomEvent('connection:open', { detail }))
  }
  return ended
}

it('the connection a peer made before is ended when it makes another', () => {
  const inbound: Partial<Connection> = { remotePeer: peer, direction: 'inbound' }
  expect(endedOf([inbound, inbound])).toEqual([0])
})

it('those of other peers, those made from here, and those over a relay stay', () => {
  const inbound: Partial<Connection> = { remotePeer: peer, direction: 'inbound' }
  const outbound: Partial<Connection> = { remotePeer: peer, direction: 'outbound' }
  const relayed: Partial<Connection> = { ...inbound, limits: {} }
  expect(endedOf([{ ...inbound, remotePeer: other }, outbound, relayed, inbound, outbound, relayed])).toEqual(
    [],
  )
})
