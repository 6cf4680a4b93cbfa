import { base58btc } from 'multiformats/bases/base58'

/** multicodec `ed25519-pub` (0xed) as an unsigned varint. */
const ED25519_PREFIX = [0xed, 0x01]
const SCHEME = 'did:key:'

/** The `did:key` of an Ed25519 public key of 32 bytes. */
export function didOf(publicKey: Uint8Array): string {
  return SCHEME + base58btc.encode(new Uint8Array([...ED25519_PREFIX, ...publicKey]))
}

/**
 * The Ed25519 public key of a `did:key`, or `undefined` when the DID is of
 * another method, of another kind of key, or not in its one canonical spelling.
 * Whether the 32 bytes are a usable key is not looked at here.
 */
export function publicKeyOf(did: string): Uint8Array<ArrayBuffer> | undefined {
  if (!did.startsWith(`${SCHEME}z6Mk`) || did.length !== 56) return undefined
  try {
    const bytes = base58btc.decode(did.slice(SCHEME.length))
    const publicKey = new Uint8Array(bytes.subarray(ED25519_PREFIX.length))
    return publicKey.byteLength === 32 && didOf(publicKey) === did ? publicKey : undefined
  } catch {
    return undefined
  }
}
