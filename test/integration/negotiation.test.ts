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

/** Frames of yamux with nothing in them: a type, flags, and the number of a stream or a ping for each. */
function frames(
  count: number,
  ofEach: (number: number) => [type: number, flags: number, id: number][],
): Uint8Array {
  const headers = Array.from({ length: count }, (_, number) => ofEach(number)).flat()
  const bytes = new DataView(new ArrayBuffer(12 * headers.length))
  for (const [at, [type, flags, id]] of headers.entries()) {
    bytes.setUint8(12 * at + 1, type)
    bytes.setUint16(12 * at + 2, flags)
    // A ping is of stream 0, and says its number where others have a length.
    bytes.setUint32(12 * at + (type === PING ? 8 : 4), id)
  }
  return new Uint8Array(bytes.buffer)
}

const [WINDOW_UPDATE, PING, SYN, RST] = [1, 2, 1, 8]

test.each([
  [
    'opens streams and resets them',
    (number: number): [number, number, number][] => [
      [WINDOW_UPDATE, SYN, 100_001 + 2 * number],
      [WINDOW_UPDATE, RST, 100_001 + 2 * number],
    ],
  ],
  ['pings its muxer', (number: number): [number, number, number][] => [[PING, SYN, number]]],
])('a node hangs up on whoever %s without end', async (_, ofEach) => {
  const node = await startNode()
  const peer = await barePeer(node.multiaddrs[0] ?? '')
  const { muxer } = connectionOf(peer) as unknown as { muxer: { maConn: MessageStream } }
  const connections = async (): Promise<unknown> =>
    (await (await fetch(`${node.url}/healthz`)).json()).connections
  expect(await connections()).toBe(1)
  muxer.maConn.send(frames(1_000, ofEach))
  await expect.poll(connections, { timeout: 10_000 }).toBe(0)
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
