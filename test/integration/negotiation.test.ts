import type { Connection, MessageStream, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { DialPolicy } from '../../src/network/dial-policy.ts'
import { createOwnLibp2p } from '../../src/network/own-libp2p.ts'
import { openCircuit } from '../support/circuit.ts'
import { atEnd, barePeer, startNode } from '../support/resources.ts'

/** Names of protocols that nobody speaks, one after the other, behind a hello. */
function names(count: number): Uint8Array {
  return new TextEncoder().encode(`\x13/multistream/1.0.0\n${'\x02a\n'.repeat(count)}`)
}

/** Sends many names, and resolves with how many bytes were answered until the other side hung up. */
async function answersTo(stream: MessageStream): Promise<number> {
  let bytes = 0
  stream.addEventListener('message', ({ data }) => {
    bytes += data.byteLength
  })
  stream.send(names(20_000))
  await expect.poll(() => stream.status, { timeout: 10_000 }).not.toBe('open')
  return bytes
}

function connectionOf(peer: {
  getConnections(): Connection[]
}): Connection & { muxer: { createStream(): Promise<Stream> } } {
  const [connection] = peer.getConnections()
  if (connection === undefined) throw new Error('not connected')
  return connection as ReturnType<typeof connectionOf>
}

test('a node answers so many names of protocols on a connection, on one stream or many, and hangs up', async () => {
  const node = await startNode()
  const one = connectionOf(await barePeer(node.multiaddrs[0] ?? ''))
  // Four bytes each.
  expect(await answersTo(await one.muxer.createStream())).toBeLessThan(2_000)

  const many = connectionOf(await barePeer(node.multiaddrs[0] ?? ''))
  const streams = await Promise.all(Array.from({ length: 100 }, () => many.muxer.createStream()))
  for (const stream of streams) stream.send(names(3))
  // The end of the connection itself its transport tells only after seconds.
  await expect.poll(() => streams.filter(({ status }) => status === 'open')).toEqual([])
})

test('whoever agrees on a protocol each time may open as many streams as it likes', async () => {
  const node = await startNode()
  const peer = await barePeer(node.multiaddrs[0] ?? '')
  const connection = connectionOf(peer)
  for (let times = 0; times < 200; times += 1) {
    const stream = await connection.newStream(['/nobody/1.0.0', '/nobody/2.0.0', '/ipfs/ping/1.0.0'])
    await stream.close()
  }
  expect(connection.status).toBe('open')
})

test('a member answers so many of them to a stranger that comes through a node, before it knows who that is', async () => {
  const node = await startNode()
  const address = node.multiaddrs[0] ?? ''
  const policy = new DialPolicy({ allowPrivate: true, isTrusted: () => true })
  const member = await createOwnLibp2p({ policy, clock: systemClock, iceServers: async () => [] })
  atEnd(() => member.stop())
  await member.services.reservations.reserveAt(await member.dial(multiaddr(address)))
  const stranger = await barePeer(address)
  expect(await answersTo(await openCircuit(connectionOf(stranger), member.peerId))).toBeLessThan(400)
})
