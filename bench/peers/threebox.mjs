/**
 * The way of 3Box's ghost threads on today's packages: a JWT by did-jwt with a secp256k1 key, verified by did-jwt at each
 * receiver, in a gossip message that libp2p signs once more.
 */
import { randomBytes } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { createJWT, ES256KSigner, verifyJWT } from 'did-jwt'
import { connectGossip, serveGossip } from '../support/gossip-peer.mjs'

export const title = '3Box’s way: did-jwt over StrictSign'
export const isSigned = true

export const serve = () => serveGossip('StrictSign')

/** A DID names its key, so that no resolver has to be asked. */
const resolver = {
  resolve: async (did) => ({
    didResolutionMetadata: {},
    didDocumentMetadata: {},
    didDocument: {
      id: did,
      verificationMethod: [
        {
          id: `${did}#key`,
          type: 'EcdsaSecp256k1VerificationKey2019',
          controller: did,
          publicKeyHex: did.slice('did:bench:'.length),
        },
      ],
      authentication: [`${did}#key`],
    },
  }),
}

export async function connect(address) {
  const key = randomBytes(32)
  const issuer = `did:bench:${Buffer.from(secp256k1.getPublicKey(key)).toString('hex')}`
  const signer = ES256KSigner(key)
  const { send, onData } = await connectGossip('StrictSign', address)
  return {
    send: (texts) =>
      Promise.all(
        texts.map(async (message) => {
          const jwt = await createJWT(
            { type: 'chat', message, iat: undefined },
            { issuer, signer },
            { alg: 'ES256K' },
          )
          await send(Buffer.from(jwt))
        }),
      ),
    onText(listener) {
      onData(async (data) => {
        const { payload } = await verifyJWT(Buffer.from(data).toString(), { resolver })
        listener(payload.message)
      })
    },
  }
}
