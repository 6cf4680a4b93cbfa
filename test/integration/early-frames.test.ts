import type { MessageStream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { expect, test } from 'vitest'
import { atEnd, barePeer, startNode } from '../support/resources.ts'

const [WINDOW_UPDATE, PING, SYN] = [1, 2, 1]
const HELLO = new TextEncoder().encode('\x13/multistream/1.0.0\n\x0d/yamux/1.0.0\n')

/** Frames of yamux with nothing in them. */
function frames(
  count: number,
  ofEach: (number: number) => [type: number, flags: number, id: number],
): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(12 * count))
  for (let number = 0; number < count; number += 1) {
    const [type, flags, id] = ofEach(number)
    bytes.setUint8(12 * number + 1, type)
    bytes.setUint16(12 * number + 2, flags)
    bytes.setUint32(12 * number + (type === PING ? 8 : 4), id)
  }
  return new Uint8Array(bytes.buffer)
}

const pings = (count: number): Uint8Array => frames(count, (number) => [PING, SYN, number])
const opened = (count: number, from = 0): Uint8Array =>
  frames(count, (number) => [WINDOW_UPDATE, SYN, 2 * (from + number) + 1])

/** Sends something in one go with the last word of a handshake. Resolves when it was hung up on, with how many frames were answered. */
async function answersTo(address: string, early: Uint8Array): Promise<number> {
  let bytes = 0
  const peer = await createLibp2p({
    transports: [webSockets()],
    connectionEncrypters: [
      (components) => {
        const real = noise()(components)
        const secureOutbound = real.secureOutbound.bind(real)
        real.secureOutbound = async (stream: MessageStream, options) => {
          const { connection } = await secureOutbound(stream, {
            ...options,
            skipStreamMuxerNegotiation: true,
          })
          connection.addEventListener('message', ({ data }) => {
            bytes += data.byteLength
          })
          const all = new Uint8Array(HELLO.length + early.length)
          all.set(HELLO)
          all.set(early, HELLO.length)
          const ended = new Promise((resolve) => connection.addEventListener('close', resolve))
          connection.send(all)
          await ended
          throw new Error('it is over')
        }
        return real
      },
    ],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
  })
  atEnd(() => peer.stop())
  await peer.dial(multiaddr(address)).catch(() => {})
  return Math.floor(bytes / 12)
}

const connectionsOf = async ({ url }: { url: string }): Promise<unknown> =>
  (await (await fetch(`${url}/healthz`)).json()).connections

test.each([
  ['pings', pings(20_000)],
  ['opens streams', opened(20_000)],
  // Those that follow would be refused one by one, and nobody counts that.
  ['opens eleven streams', opened(11)],
])('a node hangs up on whoever %s right behind the handshake', async (_, early) => {
  const node = await startNode()
  expect(await answersTo(node.multiaddrs[0] ?? '', early)).toBeLessThan(100)
  await expect.poll(() => connectionsOf(node)).toBe(0)
})

test('a node hangs up on whoever says that its muxer gives up, and opens streams all the same', async () => {
  const node = await startNode()
  const [connection] = (await barePeer(node.multiaddrs[0] ?? '')).getConnections()
  const { maConn } = (connection as unknown as { muxer: { maConn: MessageStream } }).muxer
  await expect.poll(() => connectionsOf(node)).toBe(1)
  let bytes = 0
  maConn.addEventListener('message', ({ data }) => {
    bytes += data.byteLength
  })
  // An internal error (2) where others have their length.
  const goodbye = new Uint8Array([0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2])
  maConn.send(goodbye)
  maConn.send(opened(20_000, 1_000))
  await expect.poll(() => connectionsOf(node)).toBe(0)
  expect(Math.floor(bytes / 12)).toBeLessThan(100)
})
