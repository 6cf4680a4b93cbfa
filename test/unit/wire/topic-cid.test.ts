import { CID } from 'multiformats/cid'
import { sha256 } from 'multiformats/hashes/sha2'
import { describe, expect, it } from 'vitest'
import { topicCid, topicDigest } from '../../../src/wire/topic-cid.ts'

const TOPICS = ['', 'lobby', '3box.chat.my-dapp.lobby', '3box.chat.%F0%9F%A6%8A.caf%C3%A9', 'ü🦊']

describe('the CID of a topic', () => {
  /** `printf 'floodsub:<topic>' | sha256sum`. */
  it.each([
    ['', '73afb94ce4d2513b57329e52e8d6adbd93a0190a2bce2e7bddfdeb76bf117958'],
    ['3box.chat.my-dapp.lobby', '638eb02263fabbfd70a924acdff45c5ab5e747264cc94e756bb951a5a847dd3a'],
  ])('has the sha2-256 of the topic with floodsub: before it: %j', (topic, digest) => {
    expect(Buffer.from(topicDigest(topic)).toString('hex')).toBe(digest)
    expect(Buffer.from(topicCid(topic).multihash.digest).toString('hex')).toBe(digest)
  })

  it('is the one that is written down', () => {
    expect(topicCid('3box.chat.my-dapp.lobby').toString()).toBe(
      'bafkreiddr2ycey72xp6xbkjevtp7ixc2wxtuojsmzfhhk25zkgs2qr65hi',
    )
  })

  it.each(TOPICS)('is the CIDv1, raw, sha2-256 that multiformats makes: %j', async (topic) => {
    const expected = CID.createV1(0x55, await sha256.digest(new TextEncoder().encode(`floodsub:${topic}`)))
    expect(topicCid(topic).equals(expected)).toBe(true)
    expect(CID.parse(topicCid(topic).toString()).equals(expected)).toBe(true)
  })
})
