import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../src/logger.ts'
import { createStunServer, type StunServer } from '../../src/node/stun-server.ts'
import { atEnd } from '../support/resources.ts'
import { ask, readMappedAddress, stunMessage } from '../support/stun.ts'

async function startStun(host: string, port = 0): Promise<StunServer> {
  const server = await createStunServer({ host, port, logger: silentLogger })
  atEnd(() => server.stop())
  return server
}
const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

describe('a STUN server on a real socket', () => {
  it.each(['127.0.0.1', ...(hasIpv6 ? ['::1'] : [])])('tells a client its address: %s', async (host) => {
    const server = await startStun(host)
    expect([server.address, server.answered]).toEqual([host, 0])
    const { answer, port } = await ask(server, stunMessage({ withFingerprint: true }))
    expect(readMappedAddress(answer)).toEqual({ ip: host, port })
    expect(server.answered).toBe(1)
  })

  it.runIf(hasIpv6)('tells an IPv4 client its IPv4 address on a socket that serves both', async () => {
    const { port } = await startStun('::')
    const asked = await ask({ address: '127.0.0.1', port }, stunMessage({}))
    expect(readMappedAddress(asked.answer)).toEqual({ ip: '127.0.0.1', port: asked.port })
  })

  it('goes on after garbage, TURN, indications, and messages that are too long', async () => {
    const server = await startStun('127.0.0.1')
    const nonsense = [
      new Uint8Array(),
      new Uint8Array(60_000),
      stunMessage({ type: 0x0003 }),
      stunMessage({ type: 0x0011 }),
      stunMessage({ cookie: 0 }),
    ]
    const transactionId = new Uint8Array(12).fill(42)
    const { answer } = await ask(server, ...nonsense, stunMessage({ transactionId }))
    expect(answer.slice(8, 20)).toEqual(transactionId)
    expect(server.answered).toBe(1)
  })

  it('says so when the port is taken', async () => {
    const { port } = await startStun('127.0.0.1')
    await expect(startStun('127.0.0.1', port)).rejects.toMatchObject({
      code: 'node-failed',
      message: `unable to listen for STUN at 127.0.0.1 UDP port ${port}; the port is taken`,
    })
  })

  it('says so when the address is not this machine’s', async () => {
    await expect(startStun('203.0.113.1')).rejects.toMatchObject({
      code: 'node-failed',
      message: expect.stringContaining('EADDRNOTAVAIL'),
    })
  })

  it('stops, as often as it is asked to, and leaves its port free', async () => {
    const server = await startStun('127.0.0.1')
    await Promise.all([server.stop(), server.stop()])
    await server.stop()
    const socket = createSocket('udp4')
    socket.bind(server.port, '127.0.0.1')
    await once(socket, 'listening')
    socket.close()
  })
})
