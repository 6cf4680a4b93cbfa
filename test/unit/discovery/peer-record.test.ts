import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import { multiaddr } from '@multiformats/multiaddr'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  ADDRESSES_MAX,
  openPeerRecord,
  RECORD_MAX_BYTES,
  sealPeerRecord,
} from '../../../src/discovery/peer-record.ts'
import { bytesField, concat, varintField } from '../../../src/wire/protobuf.ts'
import { envelopeOf, type Keyed, keyed } from '../../support/signed-records.ts'

let ada: Keyed
let eve: Keyed
beforeAll(async () => {
  ada = await keyed()
  eve = await keyed()
})

/** Seals any payload as a peer record. */
async function sealPayload(key: PrivateKey, payload: Uint8Array, domain = PeerRecord.DOMAIN) {
  const record = { domain, codec: PeerRecord.CODEC, marshal: () => payload, equals: () => false }
  return (await RecordEnvelope.seal(record, key)).marshal()
}
const address = (bytes: Uint8Array): Uint8Array[] => bytesField(3, concat(bytesField(1, bytes)))

describe('a signed peer record', () => {
  it.each(['multicodec', 'rfc0003'] as const)('is opened to what its peer signed: %s', async (form) => {
    const addresses = ['/ip4/192.0.2.1/tcp/1/ws', '/dns4/example.com/tcp/443/wss']
    const opened = await openPeerRecord(await envelopeOf(ada, { addresses, sequence: 2n ** 63n, form }))
    expect(opened).toMatchObject({ peerId: ada.peerId.toString(), sequence: 2n ** 63n, form })
    expect(opened?.addresses.map(String)).toEqual(addresses)
  })

  it('is what js-libp2p makes and reads, to the byte', async () => {
    const multiaddrs = [multiaddr('/ip4/192.0.2.1/tcp/1/ws')]
    const record = new PeerRecord({ peerId: ada.peerId, multiaddrs, seqNumber: 7n })
    const theirs = (await RecordEnvelope.seal(record, ada.privateKey)).marshal()
    expect(await sealPeerRecord(ada.privateKey, 'multicodec', multiaddrs, 7n)).toEqual(theirs)
    const envelope = await RecordEnvelope.openAndCertify(await envelopeOf(ada), PeerRecord.DOMAIN)
    expect(PeerRecord.createFromProtobuf(envelope.payload).peerId.equals(ada.peerId)).toBe(true)
  })

  it.each(['RSA', 'secp256k1'] as const)('may be signed with a key of another kind: %s', async (kind) => {
    const privateKey = kind === 'RSA' ? await generateKeyPair(kind, 2048) : await generateKeyPair(kind)
    const envelope = await sealPeerRecord(privateKey, 'multicodec', [multiaddr('/ip4/192.0.2.1/tcp/1')], 1n)
    expect(envelope.length).toBeLessThan(RECORD_MAX_BYTES)
    expect(await openPeerRecord(envelope)).toMatchObject({ sequence: 1n })
  })

  it('of which any bit was changed is none, or says the same in another encoding and is told apart', async () => {
    const envelope = await envelopeOf(ada)
    const original = await openPeerRecord(envelope)
    expect(original?.isPlain).toBe(true)
    let refused = 0
    for (let bit = 0; bit < 8 * envelope.length; bit += 1) {
      const changed = envelope.slice()
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const opened = await openPeerRecord(changed)
      if (opened === undefined) refused += 1
      else expect(opened).toEqual({ ...original, isPlain: false })
    }
    // All that is signed and the signature, and nearly all around them.
    expect(refused).toBeGreaterThan(8 * (envelope.length - 4))
  })

  it('that names another peer than signed it is none', async () => {
    const record = new PeerRecord({ peerId: ada.peerId, multiaddrs: [] })
    const forged = (await RecordEnvelope.seal(record, eve.privateKey)).marshal()
    expect(await openPeerRecord(forged)).toBeUndefined()
  })

  it('that was signed as something else is none', async () => {
    const { payload } = RecordEnvelope.createFromProtobuf(await envelopeOf(ada))
    expect(await openPeerRecord(await sealPayload(ada.privateKey, payload))).toBeDefined()
    expect(
      await openPeerRecord(await sealPayload(ada.privateKey, payload, 'libp2p-routing-state')),
    ).toBeUndefined()
  })

  it('keeps the addresses that can be read, 8 at the most', async () => {
    const id = bytesField(1, ada.peerId.toMultihash().bytes)
    const good = Array.from({ length: 12 }, (_, port) => multiaddr(`/ip4/192.0.2.1/tcp/${port + 1}`).bytes)
    const odd = [
      new Uint8Array(),
      Uint8Array.of(0xff, 0xff, 0xff),
      Uint8Array.of(4, 1),
      Uint8Array.of(0x91, 0x7f, 1),
    ]
    const payload = concat([
      ...id,
      ...varintField(2, 1),
      ...[...odd, ...good].flatMap(address),
      ...bytesField(3, Uint8Array.of(0xff)),
    ])
    const opened = await openPeerRecord(await sealPayload(ada.privateKey, payload))
    expect(opened?.addresses.map(String)).toEqual(
      Array.from({ length: ADDRESSES_MAX }, (_, port) => `/ip4/192.0.2.1/tcp/${port + 1}`),
    )
    expect(opened?.isPlain).toBe(false)
  })

  it.each([
    [
      '17 parts',
      '/ip4/192.0.2.1/tcp/1'.concat('/ws'.repeat(15)),
      '/ip4/192.0.2.1/tcp/1'.concat('/ws'.repeat(14)),
    ],
    ['513 characters', `/dns4/${'x'.repeat(507)}`, `/dns4/${'x'.repeat(506)}`],
    [
      'few bytes that make many characters',
      `/dns4/${'x'.repeat(250)}${'/p2p-websocket-star'.repeat(14)}`,
      '/p2p-websocket-star',
    ],
  ])('is left without an address of %s, and is no plain one any more', async (_what, long, short) => {
    const opened = await openPeerRecord(await envelopeOf(ada, { addresses: [long, short] }))
    expect([opened?.addresses.map(String), opened?.isPlain]).toEqual([[short], false])
    const without = await openPeerRecord(await envelopeOf(ada, { addresses: [short] }))
    expect(without?.isPlain).toBe(true)
  })

  it('over 4 KiB is none', async () => {
    const addresses = (count: number): string[] =>
      Array.from({ length: count }, (_, port) => `/dns4/${'x'.repeat(40)}.example.com/tcp/${port + 1}/wss`)
    const small = await envelopeOf(ada, { addresses: addresses(50) })
    const large = await envelopeOf(ada, { addresses: addresses(70) })
    expect([small.length <= 4_096, large.length > 4_096]).toEqual([true, true])
    expect(await openPeerRecord(small)).toBeDefined()
    expect(await openPeerRecord(large)).toBeUndefined()
  })
})
