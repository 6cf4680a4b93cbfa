import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { sealPeerRecord } from '../../src/discovery/peer-record.ts'
import type { RecordForm } from '../../src/wire/rendezvous.ts'

/** A peer with its key. */
export interface Keyed {
  peerId: PeerId
  privateKey: PrivateKey
}

export async function keyed(): Promise<Keyed> {
  const privateKey = await generateKeyPair('Ed25519')
  return { privateKey, peerId: peerIdFromPrivateKey(privateKey) }
}

/** An envelope that a peer signed. */
export function envelopeOf(
  { privateKey }: Keyed,
  options: { addresses?: string[]; sequence?: bigint; form?: RecordForm } = {},
): Promise<Uint8Array> {
  const { addresses = ['/ip4/192.0.2.1/tcp/1/ws'], sequence = 1n, form = 'multicodec' } = options
  const multiaddrs = addresses.map((address) => multiaddr(address))
  return sealPeerRecord(privateKey, form, multiaddrs, sequence)
}
