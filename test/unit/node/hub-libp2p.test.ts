import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromString } from '@libp2p/peer-id'
import { ManualClock } from 'ghostchat/testing'
import { afterEach, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { PeerDatastore } from '../../../src/network/peer-datastore.ts'
import { createHubLibp2p } from '../../../src/node/hub-libp2p.ts'
import { checkOptions } from '../../../src/node/options.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'

afterEach(() => vi.restoreAllMocks())

it('a node forgets a peer half a minute after it went, and remembers only copies', async () => {
  const clock = new ManualClock(NOW)
  vi.spyOn(systemClock, 'now').mockImplementation(() => clock.now())
  vi.spyOn(systemClock, 'after').mockImplementation((ms, task) => clock.after(ms, task))
  const put = vi.spyOn(PeerDatastore.prototype, 'put')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const libp2p = await createHubLibp2p(
    server,
    port,
    await generateKeyPair('Ed25519'),
    { remoteIp: () => '127.0.0.1', onPageGone: () => {} },
    checkOptions({ host: '127.0.0.1', port }),
    () => false,
  )
  try {
    const peerId = peerIdFromString(realPeerId(1))
    await libp2p.peerStore.save(peerId, { protocols: ['/test/1.0.0'] })
    expect(put.mock.calls.map(([key]) => String(key))).toContainEqual(expect.stringContaining('/peers/'))
    libp2p.dispatchEvent(new CustomEvent('peer:disconnect', { detail: peerId }))
    await clock.advance(30_000)
    await expect.poll(() => libp2p.peerStore.has(peerId)).toBe(false)
  } finally {
    await libp2p.stop()
    server.close()
  }
})
