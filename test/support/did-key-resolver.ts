import type { JWTVerifyOptions } from 'did-jwt'
import type { Resolvable } from 'did-resolver'
import { base58btc } from 'multiformats/bases/base58'

/** A resolver of Ed25519 `did:key`s, written from the did:key specification and not from our own code. */
const didKeyResolver: Resolvable = {
  resolve: async (did) => {
    const multibase = did.slice('did:key:'.length)
    const bytes = base58btc.decode(multibase)
    if (bytes[0] !== 0xed || bytes[1] !== 0x01 || bytes.byteLength !== 34)
      throw new Error('not an Ed25519 did:key')
    const id = `${did}#${multibase}`
    const x = Buffer.from(bytes.subarray(2)).toString('base64url')
    return {
      didResolutionMetadata: { contentType: 'application/did+json' },
      didDocumentMetadata: {},
      didDocument: {
        id: did,
        verificationMethod: [
          { id, type: 'JsonWebKey2020', controller: did, publicKeyJwk: { kty: 'OKP', crv: 'Ed25519', x } },
        ],
        authentication: [id],
        assertionMethod: [id],
      },
    }
  },
}

/** Options for one `verifyJWT`: it writes into them, so they must never be used twice. */
export function verifyOptions(audience: string, nowMs: number): JWTVerifyOptions {
  return { audience, resolver: didKeyResolver, policies: { now: nowMs / 1000 } }
}
