import type { PrivateKey } from '@libp2p/interface'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import { multiaddr } from '@multiformats/multiaddr'
import { ADDRESSES_MAX, openPeerRecord, RECORD_MAX_BYTES } from '../../../src/discovery/peer-record.ts'
import { hostPart } from '../../../src/network/dial-policy.ts'
import { bytesOf } from '../support/input.ts'
import { peer, recordOf } from '../support/peers.ts'
import { promise, type Target } from '../target.ts'

const RAW = 0
/** As `peer-record.ts` has them. */
const SEALS = [
  { domain: PeerRecord.DOMAIN, codec: PeerRecord.CODEC },
  { domain: 'libp2p-routing-state', codec: bytesOf('/libp2p/routing-state-record') },
]

/** The only key there is: what counts is of this peer. */
const signer = peer(1)

/** A signed record of a peer: the input as it is, or as what a peer signs. */
export const peerRecord: Target = {
  name: 'peer-record',
  async run(input) {
    const { privateKey, peerId } = await signer
    const [mode = RAW, ...rest] = input.subarray(0, 1)
    const body = input.subarray(1 + rest.length)
    const seal = SEALS[(mode % (1 + SEALS.length)) - 1]
    const envelope = seal === undefined ? body : await sealed(privateKey, body, seal)
    const record = await openPeerRecord(envelope)
    if (record === undefined) return
    promise(envelope.length <= RECORD_MAX_BYTES, 'a record is 4 KiB at the most')
    promise(record.peerId === peerId.toString(), 'a record counts for who signed it')
    promise(record.addresses.length <= ADDRESSES_MAX, 'a peer has 8 addresses at the most')
    promise(typeof record.sequence === 'bigint', 'a record has a number')
    for (const address of record.addresses) {
      const text = address.toString()
      promise(multiaddr(text).toString() === text, 'an address can be written and read')
      hostPart(address)
    }
  },
  seeds: async () => {
    const key = await signer
    const addresses = [
      ['/ip4/192.0.2.1/tcp/1/ws'],
      ['/dns4/example.org/tcp/443/tls/ws', '/ip6/::1/udp/1/quic-v1'],
    ]
    const records = await Promise.all(
      addresses.flatMap((all) => [recordOf(key, 'multicodec', ...all), recordOf(key, 'rfc0003', ...all)]),
    )
    return records.flatMap((envelope) => [
      Buffer.concat([Uint8Array.of(RAW), envelope]),
      ...[1, 2].map((mode) =>
        Buffer.concat([Uint8Array.of(mode), RecordEnvelope.createFromProtobuf(envelope).payload]),
      ),
    ])
  },
  maxBytes: RECORD_MAX_BYTES + 8,
  runs: 150_000,
  instrumented: ['@libp2p/peer-record', '@multiformats/multiaddr'],
}

async function sealed(
  privateKey: PrivateKey,
  payload: Uint8Array,
  seal: { domain: string; codec: Uint8Array },
): Promise<Uint8Array> {
  const record = { ...seal, marshal: () => payload, equals: () => false }
  return (await RecordEnvelope.seal(record, privateKey)).marshal()
}
