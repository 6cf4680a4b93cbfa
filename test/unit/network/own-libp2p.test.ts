import { peerIdFromString } from '@libp2p/peer-id'
import { ManualClock } from 'ghostchat/testing'
import { expect, it, vi } from 'vitest'
import { DialPolicy } from '../../../src/network/dial-policy.ts'
import { createOwnLibp2p } from '../../../src/network/own-libp2p.ts'
import { PeerDatastore } from '../../../src/network/peer-datastore.ts'
import { NOW } from '../../support/authors.ts'
import { realPeerId } from '../../support/routing.ts'

it('a client’s libp2p node forgets a peer half a minute after it went, and remembers only copies', async () => {
  const put = vi.spyOn(PeerDatastore.prototype, 'put')
  const clock = new ManualClock(NOW)
  const policy = new DialPolicy({ allowPrivate: false, isTrusted: () => false })
  const libp2p = await createOwnLibp2p({ policy, clock, iceServers: async () => [] })
  try {
    const peerId = peerIdFromString(realPeerId(1))
    await libp2p.peerStore.save(peerId, { protocols: ['/test/1.0.0'] })
    expect(put.mock.calls.map(([key]) => String(key))).toContainEqual(expect.stringContaining('/peers/'))
    libp2p.dispatchEvent(new CustomEvent('peer:disconnect', { detail: peerId }))
    await clock.advance(30_000)
    await expect.poll(() => libp2p.peerStore.has(peerId)).toBe(false)
  } finally {
    put.mockRestore()
    await libp2p.stop()
  }
})
