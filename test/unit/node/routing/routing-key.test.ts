import { peerIdFromString } from '@libp2p/peer-id'
import { bases } from 'multiformats/basics'
import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { describe, expect, it } from 'vitest'
import { parseCid, parsePeerId } from '../../../../src/node/routing/routing-key.ts'
import { topicCid } from '../../../../src/wire/topic-cid.ts'
import { TOPIC } from '../../../support/authors.ts'
import { realPeerId } from '../../../support/routing.ts'

const cid = topicCid(TOPIC)
const ed25519 = realPeerId(1)
const rsa = 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N'
const { identity: _identity, base256emoji: _emoji, ...prefixed } = bases
const encoders = Object.entries(prefixed)

describe('a CID in a path', () => {
  it.each(encoders)('is read in %s', (_name, base) => {
    expect(parseCid(cid.toString(base as never))?.equals(cid)).toBe(true)
  })

  it('may be of version 0', () => {
    const v0 = CID.createV0(cid.multihash as never)
    expect(parseCid(v0.toString())?.multihash.bytes).toEqual(cid.multihash.bytes)
  })

  it.each([
    '',
    'Q',
    'b',
    'bafk',
    '?',
    'not a cid',
    '\u0000',
    ed25519,
    `${cid}x`,
    `z${'1'.repeat(5_000)}`,
    '🦊',
  ])('is malformed: %j', (text) => {
    expect(parseCid(text)).toBeUndefined()
  })

  it('is 600 characters long at most', () => {
    const long = (bytes: number): string =>
      CID.createV1(0x55, Digest.create(0x00, new Uint8Array(bytes))).toString(bases.base2 as never)
    expect([long(70).length, parseCid(long(70)) === undefined]).toEqual([593, false])
    expect([long(71).length, parseCid(long(71)) === undefined]).toEqual([601, true])
  })
})

describe('a peer id in a path', () => {
  it.each([ed25519, rsa])('is read as a multihash in base58: %s', (text) => {
    expect(parsePeerId(text)).toBe(text)
  })

  it.each(encoders)('is read as a CID in %s', (_name, base) => {
    for (const text of [ed25519, rsa]) {
      expect(
        parsePeerId(
          peerIdFromString(text)
            .toCID()
            .toString(base as never),
        ),
      ).toBe(text)
    }
  })

  it.each(['', '1', '12D3Koo', 'Qm', `${ed25519}x`, `1${'2'.repeat(5_000)}`, 'nobody', 'k51qzi5uqu5d'])(
    'is malformed: %j',
    (text) => {
      expect(parsePeerId(text)).toBe('malformed')
    },
  )

  it('is no CID of content, and no URL or anything else that is no key', () => {
    const holding = (text: string): string =>
      CID.createV1(0x72, Digest.create(0x00, new TextEncoder().encode(text))).toString()
    const sha512 = CID.createV1(0x72, Digest.create(0x13, new Uint8Array(64))).toString()
    for (const text of [cid.toString(), holding('https://example.org/'), holding('x'), sha512]) {
      expect(parsePeerId(text)).toBe('no-peer')
    }
  })
})
