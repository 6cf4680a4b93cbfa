import { base58btc } from 'multiformats/bases/base58'
import type { Identity } from '../../src/identity/identity.ts'
import type { Verifier } from '../../src/identity/verifier.ts'
import type { Random } from '../../src/random.ts'
import { toBase64url } from '../../src/wire/base64url.ts'
import { assembleJwt } from '../../src/wire/jwt.ts'
import { Ledger } from './ledger.ts'

const SIGNATURE_BYTES = 64

/**
 * Signatures that cost next to nothing: a hash over a secret and the data. Only
 * the ring knows the secrets, so within a simulation nobody forges one, and
 * everything is done in microtasks.
 */
export class KeyRing implements Verifier {
  readonly #random: Random
  readonly #secrets = new Map<string, number>()
  /** What was signed with these keys. */
  readonly ledger = new Ledger()

  constructor(random: Random) {
    this.#random = random
  }

  /** Somebody new. */
  create(): Identity {
    const did = `did:key:z6Mk${base58btc.baseEncode(this.#random.bytes(36)).padStart(44, '2').slice(0, 44)}`
    const secret = Math.floor(this.#random.fraction() * 2 ** 32)
    this.#secrets.set(did, secret)
    return {
      did,
      signer: async (data) => {
        const text = typeof data === 'string' ? data : new TextDecoder().decode(data)
        const signature = signatureOf(secret, new TextEncoder().encode(text))
        this.ledger.note(assembleJwt(text, signature), did)
        return toBase64url(signature)
      },
    }
  }

  async verify(did: string, data: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const secret = this.#secrets.get(did)
    if (secret === undefined) return false
    const expected = signatureOf(secret, data)
    return signature.every((byte, index) => byte === expected[index])
  }
}

function signatureOf(secret: number, data: Uint8Array): Uint8Array {
  let a = secret | 0
  let b = ~secret
  for (const byte of data) {
    a = Math.imul(a ^ byte, 0x01000193)
    b = Math.imul(b ^ byte, 0x5bd1e995) ^ (b >>> 15)
  }
  const signature = new Uint8Array(SIGNATURE_BYTES)
  const words = new DataView(signature.buffer)
  for (let at = 0; at < SIGNATURE_BYTES; at += 8) {
    words.setInt32(at, a)
    words.setInt32(at + 4, b)
  }
  return signature
}
