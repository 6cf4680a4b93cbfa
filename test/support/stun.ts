import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { crc32 } from '../../src/wire/crc32.ts'

/** The bytes that a text of hexadecimal digits and blanks spells. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'))
}

export function toHex(bytes: Uint8Array | undefined): string | undefined {
  return bytes && Buffer.from(bytes).toString('hex')
}

/** A STUN message, built without the code under test. `attributes` are types and values. */
export function stunMessage(options: {
  type?: number
  cookie?: number
  transactionId?: Uint8Array
  attributes?: readonly (readonly [number, Uint8Array])[]
  withFingerprint?: boolean
}): Uint8Array {
  const { type = 1, cookie = 0x2112a442, attributes = [], withFingerprint = false } = options
  const body = Buffer.concat(
    attributes.map(([attribute, value]) => {
      const bytes = Buffer.alloc(4 + Math.ceil(value.byteLength / 4) * 4)
      bytes.writeUInt16BE(attribute, 0)
      bytes.writeUInt16BE(value.byteLength, 2)
      bytes.set(value, 4)
      return bytes
    }),
  )
  const header = Buffer.alloc(20)
  header.writeUInt16BE(type, 0)
  header.writeUInt16BE(body.byteLength + (withFingerprint ? 8 : 0), 2)
  header.writeUInt32BE(cookie, 4)
  header.set(options.transactionId ?? Buffer.alloc(12, 7), 8)
  const message = Buffer.concat([header, body])
  if (!withFingerprint) return new Uint8Array(message)
  const seal = Buffer.alloc(8)
  seal.writeUInt32BE(0x80280004, 0)
  seal.writeUInt32BE((crc32(message) ^ 0x5354554e) >>> 0, 4)
  return new Uint8Array(Buffer.concat([message, seal]))
}

/** What is in a success answer, read without the code under test. */
export function readMappedAddress(answer: Uint8Array): { ip: string; port: number } {
  const bytes = Buffer.from(answer)
  if (bytes.readUInt16BE(0) !== 0x0101) throw new Error('no success')
  if (bytes.readUInt16BE(20) !== 0x0020) throw new Error('no XOR-MAPPED-ADDRESS')
  const port = bytes.readUInt16BE(26) ^ 0x2112
  const masked = bytes.subarray(28, bytes.readUInt8(25) === 1 ? 32 : 44)
  const ip = Buffer.from(masked.map((byte, at) => byte ^ (bytes[4 + at] ?? 0)))
  if (ip.byteLength === 4) return { ip: ip.join('.'), port }
  const groups = Array.from({ length: 8 }, (_, at) => ip.readUInt16BE(2 * at).toString(16))
  return { ip: new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1), port }
}

/** Sends datagrams from a new socket and answers the first thing that comes back, with the socket's port. */
export async function ask(
  server: { address: string; port: number },
  ...datagrams: Uint8Array[]
): Promise<{ answer: Uint8Array; port: number }> {
  const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
  try {
    const answered = once(socket, 'message', { signal: AbortSignal.timeout(5_000) })
    for (const datagram of datagrams) socket.send(datagram, server.port, server.address)
    const [answer] = (await answered) as [Uint8Array]
    return { answer: new Uint8Array(answer), port: socket.address().port }
  } finally {
    socket.close()
  }
}
