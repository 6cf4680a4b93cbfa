import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { systemClock } from '../../src/clock.ts'
import { silentLogger } from '../../src/logger.ts'
import { createGhostNode } from '../../src/node/index.ts'
import { createStunServer } from '../../src/node/stun-server.ts'
import { atEnd, barePeer, openTestSpace, startNode } from '../support/resources.ts'
import { RoamingProxy } from '../support/roaming-proxy.ts'
import { arrival, connected, eventOf, online } from '../support/wait.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)
const MULTISTREAM = new TextEncoder().encode('\u0013/multistream/1.0.0\n')

test('a node describes itself, to pages of any origin', async () => {
  const node = await startNode()
  const response = await fetch(`${node.url}/.well-known/ghostchat.json`)
  expect(response.headers.get('access-control-allow-origin')).toBe('*')
  const info = (await response.json()) as Record<string, unknown>
  expect(info).toEqual({
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    peerId: node.peerId,
    multiaddrs: node.multiaddrs,
    time: expect.any(Number),
    stunPort: node.stunPort,
    iceServers: [],
    peers: [],
  })
  expect(Math.abs(Date.now() - Number(info['time']))).toBeLessThan(5_000)
})

test('its health counts rooms and connections, and rooms end with their clients', async () => {
  const node = await startNode()
  const health = async () => (await (await fetch(`${node.url}/healthz`)).json()) as Record<string, unknown>
  expect(await health()).toMatchObject({ status: 'ok', rooms: 0, connections: 0 })
  const space = await openTestSpace('health', { nodes: [node.url] })
  await connected(await space.joinChat('one'))
  await connected(await space.joinChat('two'))
  await expect
    .poll(health)
    .toMatchObject({ status: 'ok', rooms: 2, connections: 1, reservations: 1, registrations: 2 })
  await space.close()
  await expect.poll(health).toMatchObject({ connections: 0, reservations: 0 })
})

test('it keeps its peer id in the data directory, in a file only the owner can read', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ghostchat-test-'))
  atEnd(() => rm(dataDir, { recursive: true }))
  const first = await startNode({ dataDir })
  await first.stop()
  const second = await startNode({ dataDir })
  expect(second.peerId).toBe(first.peerId)
  expect((await stat(join(dataDir, 'peer.key'))).mode & 0o777).toBe(0o600)
  expect((await startNode()).peerId).not.toBe(first.peerId)
})

test('a data directory that cannot be used is said to be', async () => {
  const file = join(await mkdtemp(join(tmpdir(), 'ghostchat-test-')), 'file')
  atEnd(() => rm(dirname(file), { recursive: true }))
  await writeFile(file, 'a file where the directory should be')
  await expect(startNode({ dataDir: file })).rejects.toMatchObject({
    code: 'node-failed',
    message: expect.stringContaining(file),
  })
})

test('a node stops as often as it is asked to', async () => {
  const node = await startNode()
  const space = await openTestSpace('stopping', { nodes: [node.url] })
  await connected(await space.joinChat('lobby'))
  await Promise.all([node.stop(), node.stop()])
  await node.stop()
  await expect(fetch(`${node.url}/healthz`)).rejects.toThrow()
})

test.each([
  { host: '0.0.0.0', name: 'localhost' },
  { host: '127.0.0.1', name: '127.0.0.1' },
  ...(hasIpv6 ? [{ host: '::1', name: '[::1]' }] : []),
])('a node that listens at $host has a URL on this machine', async ({ host, name }) => {
  const { url, peerId } = await startNode({ host })
  expect(url).toBe(`http://${name}:${new URL(url).port}`)
  expect(await (await fetch(`${url}/.well-known/ghostchat.json`)).json()).toMatchObject({ peerId })
})

test('STUN has a port of its own where one is named, and none where it is not wanted', async () => {
  const [own, without] = [await startNode({ stunPort: 0 }), await startNode({ stunPort: false })]
  const info = async ({ url }: { url: string }): Promise<unknown> =>
    (await (await fetch(`${url}/.well-known/ghostchat.json`)).json()).stunPort
  expect(own.stunPort).toBeGreaterThan(0)
  expect(await info(own)).toBe(own.stunPort)
  expect([without.stunPort, await info(without)]).toEqual([undefined, undefined])
})

test('a node whose STUN port is taken does without where none was named, says so, and else does not start', async () => {
  const taken = await createStunServer({ host: '127.0.0.1', port: 0, logger: silentLogger })
  atEnd(() => taken.stop())
  const { port } = taken
  const warnings: string[] = []
  const logger = { debug() {}, warn: (message: string) => warnings.push(message) }
  const node = await startNode({ port, logger })
  expect(node.stunPort).toBeUndefined()
  expect(warnings).toEqual([expect.stringContaining('no STUN')])
  await expect(startNode({ stunPort: port })).rejects.toMatchObject({ code: 'node-failed' })
})

test('a port that is taken is said to be', async () => {
  const node = await startNode()
  const port = Number(new URL(node.url).port)
  await expect(createGhostNode({ host: '127.0.0.1', port, logger: silentLogger })).rejects.toMatchObject({
    code: 'node-failed',
    message: expect.stringContaining('taken'),
  })
})

test('a node stops within seconds where a client does not say goodbye', async () => {
  const node = await startNode()
  const proxy = await RoamingProxy.start(Number(new URL(node.url).port))
  atEnd(() => proxy.close())
  const client = await openTestSpace('asleep', {
    nodes: [`/ip4/127.0.0.1/tcp/${proxy.port}/ws/p2p/${node.peerId}`],
  })
  await connected(await client.joinChat('lobby'))
  proxy.roam()
  const stopped = node.stop().then(() => 'stopped')
  const patience = new AbortController()
  const waited = setTimeout(10_000, 'waits', { signal: patience.signal })
  expect(await Promise.race([stopped, waited])).toBe('stopped')
  patience.abort()
  await waited.catch(() => {})
}, 60_000)

test('clients come back when the node does, and what was written meanwhile arrives', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ghostchat-test-'))
  atEnd(() => rm(dataDir, { recursive: true }))
  const node = await startNode({ dataDir })
  const port = Number(new URL(node.url).port)
  const ada = await openTestSpace('restart', { nodes: [node.url] })
  const bob = await openTestSpace('restart', { nodes: [node.url] })
  const adasChat = await ada.joinChat('lobby')
  const bobsChat = await bob.joinChat('lobby')
  await online(adasChat, [ada.did, bob.did])
  await online(bobsChat, [ada.did, bob.did])

  const events: string[] = []
  for (const chat of [adasChat, bobsChat]) {
    chat.on('user-joined', (did) => events.push(`joined ${did}`))
    chat.on('user-left', (did) => events.push(`left ${did}`))
  }
  const lost = [adasChat, bobsChat].map((chat) =>
    eventOf(chat, 'status', ({ current }) => current === 'reconnecting'),
  )
  await node.stop()
  await Promise.all(lost)
  const message = await adasChat.send('into the dark')
  expect(message.status).toBe('queued')

  const arrived = arrival(bobsChat, 'into the dark')
  await startNode({ dataDir, port })
  expect((await arrived).id).toBe(message.id)
  await expect.poll(() => message.status).toMatch(/^(sent|acknowledged)$/)
  expect(events).toEqual([])
})

test.each(['fe80::1%eth0', '::ffff:192.0.2.1', '192.0.2.1, fe80::1%25en0', 'unknown'])(
  'a node behind a proxy survives a client that is forwarded for %s',
  async (forwarded) => {
    const node = await startNode({ trustProxy: true })
    const socket = new WebSocket(node.url.replace('http', 'ws'), {
      headers: { 'x-forwarded-for': forwarded },
    })
    atEnd(() => socket.terminate())
    await new Promise<void>((resolve, reject) => {
      socket.once('message', () => resolve())
      socket.once('close', () => resolve())
      socket.once('error', reject)
      // The first words of a libp2p connection: it is answered, or refused.
      socket.once('open', () => socket.send(MULTISTREAM))
    })
    const space = await openTestSpace('proxy', { nodes: [node.url] })
    await connected(await space.joinChat('lobby'))
  },
)

/** A WebSocket that says nothing, of somebody whom a proxy forwards. Resolves when it was answered: with the status, or none where it is open. */
function silentSocket(url: string, forwardedFor: string): Promise<number | undefined> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers: { 'x-forwarded-for': forwardedFor } })
  atEnd(() => socket.terminate())
  return new Promise((resolve) => {
    socket.on('error', () => {})
    socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
    socket.once('open', () => resolve(undefined))
    socket.once('close', () => resolve(undefined))
  })
}

test('those who open sockets and say nothing keep nobody else out', async () => {
  const node = await startNode({ trustProxy: true })
  // As many as may be under way, and from each address as many as libp2p takes within a second.
  const opened = await Promise.all(
    Array.from({ length: 1_010 }, (_, number) => silentSocket(node.url, `192.0.2.${number % 6}`)),
  )
  expect(await barePeer(node.multiaddrs[0] ?? '')).toBeDefined()
  expect(opened.filter((status) => status === 429).length).toBeGreaterThanOrEqual(1)
})

test('sockets that ask nothing are as many as a node has places for, and some to ask it something', async () => {
  const node = await startNode({ maxConnections: 4 })
  const port = Number(new URL(node.url).port)
  const sockets: Socket[] = []
  atEnd(() => {
    for (const socket of sockets) socket.destroy()
  })
  // Not all at once: the system lets 511 wait to be accepted, and whoever comes then tries again after 1, 3, 7 and 15 s.
  while (sockets.length < 1_050) {
    const some = Array.from({ length: 50 }, () => connect(port, '127.0.0.1').on('error', () => {}))
    sockets.push(...some)
    await Promise.all(some.map((socket) => once(socket, 'connect')))
  }
  const ended = (): number => sockets.filter(({ destroyed }) => destroyed).length
  await expect.poll(ended, { timeout: 10_000 }).toBe(46)
})

test('whoever would rather have HTTP/2 is answered all the same', async () => {
  const node = await startNode()
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQ' }
  const [response] = await once(get(`${node.url}/healthz`, { headers }), 'response')
  response.resume()
  expect(response.statusCode).toBe(200)
})

test('one address does not take all the connections of a node', async () => {
  const node = await startNode({ trustProxy: true, maxConnections: 4 })
  const connections = async (): Promise<unknown> =>
    (await (await fetch(`${node.url}/healthz`)).json()).connections
  for (let number = 0; number < 4; number += 1) await barePeer(node.multiaddrs[0] ?? '')
  await expect(barePeer(node.multiaddrs[0] ?? '')).rejects.toThrow()
  expect(await connections()).toBe(4)
  expect(await silentSocket(node.url, '192.0.2.1')).toBe(undefined)
  await expect.poll(connections).toBe(3)
  expect(await silentSocket(node.url, '192.0.2.1')).toBe(undefined)
  expect(await silentSocket(node.url, '192.0.2.1')).toBe(429)
})

test('an unreachable node is said to be, with the next attempt', async () => {
  const space = await openTestSpace('nowhere', { nodes: ['http://127.0.0.1:1'] })
  const chat = await space.joinChat('lobby')
  const [status] = await eventOf(chat, 'status', ({ error }) => error !== undefined)
  expect(status).toMatchObject({ current: 'connecting', error: { code: 'node-unreachable' } })
  expect(status.error?.message).toMatch(/127\.0\.0\.1:1.*next attempt in \d/)
  // Half a second from when it failed, a quarter of it by chance.
  expect(Math.abs((status.nextAttemptAt ?? 0) - Date.now())).toBeLessThan(5_000)
})

test('a clock that differs from that of a node is an error that the chats are told of, and no state of theirs', async () => {
  const gone = await startNode()
  await gone.stop()
  const clock = { now: () => Date.now() + 45_000, after: systemClock.after }
  const space = await openTestSpace('skew', { nodes: [gone.url], clock })
  const chat = await space.joinChat('lobby')
  const told = eventOf(chat, 'error')
  const node = await startNode({ port: Number(new URL(gone.url).port) })
  const [error] = await told
  expect(error).toMatchObject({ code: 'clock-skew', message: expect.stringContaining(node.url) })
  await connected(chat)
  expect(chat.status.error).toBeUndefined()
})

test('a device that is gone without a word is gone for all after 10 s, by the will it left with the node', async () => {
  const node = await startNode()
  const ada = await openTestSpace('crash', { nodes: [node.url] })
  const adasChat = await ada.joinChat('lobby')
  await connected(adasChat)
  const machine = await barePeer(node.multiaddrs[0] ?? '')
  const bob = await openTestSpace('crash', { nodes: [node.url], libp2p: machine })
  await bob.joinChat('lobby')
  await online(adasChat, [ada.did, bob.did])

  const wills = async (): Promise<unknown> => (await (await fetch(`${node.url}/healthz`)).json()).wills
  await expect.poll(wills).toBe(2)

  const left = eventOf(adasChat, 'user-left')
  const since = Date.now()
  await machine.stop()
  expect(await left).toEqual([bob.did, { reason: 'left' }])
  expect(Date.now() - since).toBeGreaterThan(9_000)
  expect(Date.now() - since).toBeLessThan(20_000)
})

test.each([
  ['ahead of', 45_000],
  ['behind', -600_000],
])('a clock that is %s that of the node is warned of', async (way, offMs) => {
  const node = await startNode()
  const warned = new Promise<string>((resolve) => {
    openTestSpace('skew', {
      nodes: [node.url],
      clock: { now: () => Date.now() + offMs, after: systemClock.after },
      logger: { debug: () => {}, warn: resolve },
    }).catch(resolve)
  })
  const seconds = Math.round(Math.abs(offMs) / 1000)
  expect(await warned).toMatch(
    new RegExp(`^this clock is (${seconds - 1}|${seconds}|${seconds + 1}) s ${way} that of the node`),
  )
})
