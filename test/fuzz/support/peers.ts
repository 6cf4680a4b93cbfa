import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { sealPeerRecord } from '../../../src/discovery/peer-record.ts'
import type { RecordForm } from '../../../src/wire/rendezvous.ts'
import type { Keyed } from '../../support/signed-records.ts'

/** A peer whose key is always the same for a number. */
export async function peer(number: number): Promise<Keyed> {
  const privateKey: PrivateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(number))
  return { privateKey, peerId: peerIdFromPrivateKey(privateKey) }
}

/** What a peer signs about where it is. */
export function recordOf(
  { privateKey }: Keyed,
  form: RecordForm,
  ...addresses: string[]
): Promise<Uint8Array> {
  return sealPeerRecord(
    privateKey,
    form,
    addresses.map((address) => multiaddr(address)),
    1n,
  )
}
