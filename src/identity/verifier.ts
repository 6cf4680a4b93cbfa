import { ed25519 } from '@noble/curves/ed25519.js'
import { cryptoWork } from '../crypto-work.ts'
import { KEYS_MAX } from '../limits.ts'
import { publicKeyOf } from './did-key.ts'
import { isPrimeOrder } from './prime-order.ts'
import { supportsEd25519 } from './webcrypto.ts'

/** Verifies Ed25519 signatures of DIDs. */
export interface Verifier {
  /**
   * Whether `signature` (64 bytes) over `data` is by the key of `did`. A DID
   * whose key is unusable has no signatures. Nothing that is asked makes it reject;
   * it does where the platform fails, and then nobody knows.
   */
  verify(did: string, data: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>): Promise<boolean>
}

type VerifyKey = (data: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>) => Promise<boolean>

const never: VerifyKey = async () => false

/**
 * A verifier on the platform's WebCrypto, with `@noble/curves` where that has no
 * Ed25519.
 *
 * Engines disagree about signatures under keys that have a part of small order,
 * and under such a key a signature for any message can exist. So a key counts
 * only when it is canonical and of prime order. Under such a key they disagree
 * about one R only, the identity, which nobody signs with and nobody may. A key is
 * checked once for each DID and kept in a cache of 2,048 keys, least recently used
 * out first.
 */
export function createVerifier(
  options: { maxKeys?: number; native?: () => Promise<boolean> } = {},
): Verifier {
  const { maxKeys = KEYS_MAX, native = supportsEd25519 } = options
  const keys = new Map<string, Promise<VerifyKey>>()

  function keyOf(did: string): Promise<VerifyKey> {
    const key = keys.get(did) ?? prepareKey(did, native)
    keys.delete(did)
    keys.set(did, key)
    if (keys.size > maxKeys) {
      const [oldest] = keys.keys()
      if (oldest !== undefined) keys.delete(oldest)
    }
    return key
  }

  return {
    async verify(did, data, signature) {
      try {
        const verifyKey = await cryptoWork.track(keyOf(did))
        return !hasIdentityAsR(signature) && (await cryptoWork.track(verifyKey(data, signature)))
      } catch (thrown) {
        keys.delete(did)
        throw thrown
      }
    },
  }
}

/** The verifier of this process: a key is checked and imported once, however many spaces meet it. */
export const sharedVerifier: Verifier = createVerifier()

async function prepareKey(did: string, native: () => Promise<boolean>): Promise<VerifyKey> {
  const publicKey = publicKeyOf(did)
  if (publicKey === undefined || !(await isPrimeOrder(publicKey))) return never
  if (!(await native())) return async (data, signature) => verifyStrictly(publicKey, data, signature)
  const key = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', false, ['verify'])
  return (data, signature) => crypto.subtle.verify('Ed25519', key, signature, data)
}

/** WebCrypto's specification refuses every R of small order; of those only the identity can satisfy the equation. */
function hasIdentityAsR(signature: Uint8Array): boolean {
  return signature[0] === 1 && signature.subarray(1, 32).every((byte) => byte === 0)
}

/**
 * noble multiplies by the cofactor, native engines do not. With key and R both
 * free of torsion the two equations say the same.
 */
function verifyStrictly(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  const r = signature.subarray(0, 32)
  if (!isTorsionFree(r)) return false
  try {
    return ed25519.verify(signature, data, publicKey, { zip215: false })
  } catch {
    // It throws at what is no signature at all, where WebCrypto says no.
    return false
  }
}

function isTorsionFree(encodedPoint: Uint8Array): boolean {
  try {
    return ed25519.Point.fromBytes(encodedPoint, false).isTorsionFree()
  } catch {
    return false
  }
}
