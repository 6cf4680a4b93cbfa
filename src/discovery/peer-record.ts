import type { AbortOptions, PrivateKey, Record as SealedRecord } from '@libp2p/interface'
import { peerIdFromMultihash, peerIdFromPublicKey } from '@libp2p/peer-id'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import * as Digest from 'multiformats/hashes/digest'
import { decodeFields, lastBytes, lastVarint } from '../wire/protobuf.ts'
import type { RecordForm } from '../wire/rendezvous.ts'

/** The largest envelope: an RSA key, its signature, and addresses of 2 KiB, which go-libp2p-rendezvous allows. */
export const RECORD_MAX_BYTES = 4096
/** How many addresses of a peer are kept. */
export const ADDRESSES_MAX = 8
/**
 * The longest address: twice one with two certificates that leads through a relay. Parts of two bytes may be written out
 * as twenty characters each, which everybody who keeps or reads the address would pay for.
 */
const ADDRESS_MAX_CHARACTERS = 512
const ADDRESS_MAX_PARTS = 16

/** The record of a peer, signed by it. */
export interface VerifiedRecord {
  peerId: string
  /** Those this version of multiaddr can read and that are not too long, 8 at the most. */
  addresses: Multiaddr[]
  /** Later records have higher ones. */
  sequence: bigint
  form: RecordForm
  /**
   * Whether every reader understands it: encoded as protobuf's own writers do,
   * without an address that makes libp2p's reader give up, or that is too long.
   */
  isPlain: boolean
}

interface Seal {
  form: RecordForm
  domain: string
  payloadType: Uint8Array
}

const SEALS: readonly Seal[] = [
  { form: 'multicodec', domain: PeerRecord.DOMAIN, payloadType: PeerRecord.CODEC },
  {
    form: 'rfc0003',
    domain: 'libp2p-routing-state',
    payloadType: new TextEncoder().encode('/libp2p/routing-state-record'),
  },
]

/** An envelope has four fields, a record one for each address; a peer lists no more than fit into an envelope. */
const MAX_FIELDS = 1_024

/** The record in a signed envelope of either form, or `undefined` when it is none or not signed by its peer. */
export async function openPeerRecord(
  envelope: Uint8Array,
  options: AbortOptions = {},
): Promise<VerifiedRecord | undefined> {
  if (envelope.length > RECORD_MAX_BYTES) return undefined
  try {
    const opened = RecordEnvelope.createFromProtobuf(envelope)
    const seal = SEALS.find(({ payloadType }) => isEqual(payloadType, opened.payloadType))
    if (seal === undefined || !(await opened.validate(seal.domain, options))) return undefined
    const record = readRecord(opened.payload, peerIdFromPublicKey(opened.publicKey).toString(), seal.form)
    return record && { ...record, isPlain: record.isPlain && isEqual(opened.marshal(), envelope) }
  } catch {
    options.signal?.throwIfAborted()
    return undefined
  }
}

/** An envelope around these addresses, in the form that is asked for. */
export async function sealPeerRecord(
  privateKey: PrivateKey,
  form: RecordForm,
  multiaddrs: Multiaddr[],
  sequence: bigint,
): Promise<Uint8Array> {
  const peerId = peerIdFromPublicKey(privateKey.publicKey)
  const record = new PeerRecord({ peerId, multiaddrs, seqNumber: sequence })
  const { domain, payloadType } = SEALS.find((seal) => seal.form === form) as Seal
  const sealed: SealedRecord = {
    domain,
    codec: payloadType,
    marshal: () => record.marshal(),
    equals: (other) => record.equals(other),
  }
  return (await RecordEnvelope.seal(sealed, privateKey)).marshal()
}

/** libp2p's own reader gives up on a record when it does not know one address in it. */
function readRecord(payload: Uint8Array, signer: string, form: RecordForm): VerifiedRecord | undefined {
  const fields = decodeFields(payload, MAX_FIELDS)
  const id = fields && lastBytes(fields, 1)
  if (fields === undefined || id === undefined) return undefined
  const peerId = peerIdFromMultihash(Digest.decode(id)).toString()
  if (peerId !== signer) return undefined
  const infos = fields.flatMap((field) => (field.kind === 'bytes' && field.number === 3 ? [field.value] : []))
  const addresses = infos.flatMap((info) => readAddress(info) ?? [])
  return {
    peerId,
    addresses: addresses.slice(0, ADDRESSES_MAX),
    sequence: lastVarint(fields, 2) ?? 0n,
    form,
    isPlain: addresses.length === infos.length,
  }
}

function readAddress(info: Uint8Array): Multiaddr | undefined {
  const bytes = lastBytes(decodeFields(info, MAX_FIELDS) ?? [], 1)
  // No address has more bytes than characters: what is much too long is not taken apart first.
  if (bytes === undefined || bytes.length === 0 || bytes.length > ADDRESS_MAX_CHARACTERS) return undefined
  try {
    const address = multiaddr(bytes)
    if (address.getComponents().length > ADDRESS_MAX_PARTS) return undefined
    const text = address.toString()
    // Some malformed ones show only when they are written out.
    return text.length > ADDRESS_MAX_CHARACTERS ? undefined : multiaddr(text)
  } catch {
    return undefined
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
