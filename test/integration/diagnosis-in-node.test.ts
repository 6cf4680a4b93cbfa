import { expect, test } from 'vitest'
import { silentLogger } from '../../src/logger.ts'
import { probeIce } from '../../src/network/ice-probe.ts'
import { createStunServer } from '../../src/node/stun-server.ts'
import { PeerConnection } from '../../src/runtime/webrtc-node.ts'
import { atEnd, openTestSpace, startNode } from '../support/resources.ts'
import { online } from '../support/wait.ts'

const turn = { username: '1', credential: 'x' }
const probe = (urls: string[]) =>
  probeIce(
    PeerConnection as unknown as typeof RTCPeerConnection,
    urls.map((url) => (url.startsWith('turn') ? { urls: url, ...turn } : { urls: url })),
    AbortSignal.timeout(3_000),
  )

test('a server that WebRTC refuses gives nothing, and keeps nobody from the others', async () => {
  const server = await createStunServer({ host: '127.0.0.1', port: 0, logger: silentLogger })
  atEnd(() => server.stop())
  const refused = ['stuns:127.0.0.1:5349', 'stun:[::1]:9']
  const good = `stun:127.0.0.1:${server.port}`
  expect(await probe([...refused, good])).toMatchObject({
    servers: [...refused, good],
    silent: refused,
    hasAnswer: true,
  })
})

test('a server whose name is not known has not answered', async () => {
  const url = 'stun:nobody.invalid:3478'
  expect(await probe([url])).toMatchObject({ silent: [url], hasAnswer: false })
})

test('a server that is not asked has not answered', async () => {
  const urls = ['turn:127.0.0.1:9?transport=tcp', 'turns:127.0.0.1:9']
  expect(await probe(urls)).toMatchObject({ silent: urls, hasAnswer: false })
})

test('devices connect directly also where a node names a server that WebRTC refuses, and are told of it', async () => {
  const refused = 'stuns:127.0.0.1:5349'
  const node = await startNode({ iceServers: [refused] })
  const [ada, bob] = [
    await openTestSpace('refused', { nodes: [node.url] }),
    await openTestSpace('refused', { nodes: [node.url] }),
  ]
  const chat = await ada.joinChat('lobby')
  await bob.joinChat('lobby')
  await online(chat, [ada.did, bob.did])
  const paths = async (): Promise<unknown> => (await ada.diagnose()).peers.map(({ path }) => path)
  // One attempt in some fails on a slow machine, and the next one comes after 30 s.
  await expect.poll(paths, { timeout: 60_000, interval: 1_000 }).toEqual(['direct'])
  const { direct, problems } = await ada.diagnose()
  expect(direct.silentServers).toEqual([refused])
  expect(problems.map(({ code }) => code)).toEqual(['no-stun-answer'])
}, 80_000)
