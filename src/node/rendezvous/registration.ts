import type { RecordForm } from '../../wire/rendezvous.ts'

/** That a peer can be found under a namespace. */
export interface Registration {
  readonly namespace: string
  readonly peerId: string
  /** Multiaddrs of the signed record, 8 at the most. */
  readonly addresses: readonly string[]
  /** The newest envelope of the peer, as it signed it. */
  readonly signedPeerRecord: Uint8Array
  readonly form: RecordForm
  readonly expiresAtMs: number
  /** `local`, or the peer id of the node it was learnt from. */
  readonly origin: string
}

/** What a peer last signed. */
export interface SignedRecord {
  readonly addresses: readonly string[]
  readonly signedPeerRecord: Uint8Array
  /** Later records have higher ones. */
  readonly sequence: bigint
  readonly form: RecordForm
}
