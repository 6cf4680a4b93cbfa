import { expect, it } from 'vitest'
import { PeerDatastore } from '../../../src/network/peer-datastore.ts'

it('what is remembered of a peer holds no more memory than it is long', async () => {
  const store = new PeerDatastore()
  const key = { toString: () => '/peers/ada' } as Parameters<PeerDatastore['put']>[0]
  const shared = new Uint8Array(65_536)
  shared.fill(7, 100, 120)
  await store.put(key, shared.subarray(100, 120))
  const kept = await store.get(key)
  expect([...kept]).toEqual(Array(20).fill(7))
  expect(kept.buffer.byteLength).toBe(20)
})
