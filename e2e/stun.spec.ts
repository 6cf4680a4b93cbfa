import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { type Browser, expect, firefox, test } from '@playwright/test'
import { silentLogger } from '../src/logger.ts'
import { createStunServer } from '../src/node/stun-server.ts'
import { firefoxLaunch } from './support/browsers.ts'

test('a browser learns from the STUN server how the world sees it behind its NAT', async ({
  browser,
  browserName,
}) => {
  // Firefox asks nobody on its own machine unless told to; there may be no other machine here.
  const asking =
    browserName === 'firefox'
      ? await firefox.launch({
          ...firefoxLaunch,
          firefoxUserPrefs: { 'media.peerconnection.ice.loopback': true },
        })
      : browser
  const server = await createStunServer({ host: '127.0.0.1', port: 0, logger: silentLogger })
  const nat = await startNat(server.port)
  const candidates = await gatherCandidates(asking, `stun:127.0.0.1:${nat.port}`)

  // "candidate:<foundation> <component> udp <priority> <address> <port> typ srflx …" (RFC 8839 §5.1)
  const reflexive = candidates
    .map((candidate) => candidate.split(' '))
    .filter((fields) => fields[7] === 'srflx')
    .map((fields) => `${fields[4]}:${fields[5]}`)
  expect(reflexive.length).toBeGreaterThan(0)
  expect(nat.outside()).toEqual(expect.arrayContaining(reflexive))
  expect(server.answered).toBeGreaterThan(0)

  await nat.close()
  await server.stop()
  if (asking !== browser) await asking.close()
})

/** The candidates that a browser's ICE agent gathers, to the last. */
async function gatherCandidates(browser: Browser, stunUrl: string): Promise<string[]> {
  const page = await browser.newPage()
  const candidates = await page.evaluate(async (urls) => {
    const connection = new RTCPeerConnection({ iceServers: [{ urls }] })
    connection.createDataChannel('any')
    const gathered: string[] = []
    const complete = new Promise<void>((resolve) => {
      connection.addEventListener('icecandidate', ({ candidate }) => {
        if (candidate === null) resolve()
        else gathered.push(candidate.candidate)
      })
    })
    await connection.setLocalDescription(await connection.createOffer())
    await complete
    connection.close()
    return gathered
  }, stunUrl)
  await page.close()
  return candidates
}

/**
 * What a NAT does to UDP: each sender gets a socket of its own towards the
 * server, so that the server sees another port than the sender's.
 */
async function startNat(
  serverPort: number,
): Promise<{ port: number; outside(): string[]; close(): Promise<void> }> {
  const inside = createSocket('udp4')
  const mapped = new Map<string, Promise<Socket>>()
  const outside: string[] = []
  const map = async (sender: RemoteInfo): Promise<Socket> => {
    const socket = createSocket('udp4')
    socket.on('message', (answer) => inside.send(answer, sender.port, sender.address))
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    outside.push(`127.0.0.1:${socket.address().port}`)
    return socket
  }
  inside.on('message', (datagram, sender) => {
    const key = `${sender.address}:${sender.port}`
    const mapping = mapped.get(key) ?? map(sender)
    mapped.set(key, mapping)
    void mapping.then((socket) => socket.send(datagram, serverPort, '127.0.0.1'))
  })
  inside.bind(0, '127.0.0.1')
  await once(inside, 'listening')
  return {
    port: inside.address().port,
    outside: () => outside,
    close: async () => {
      inside.close()
      for (const socket of await Promise.all(mapped.values())) socket.close()
    },
  }
}
