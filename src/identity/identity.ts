import { ed25519 } from '@noble/curves/ed25519.js'
import type { Signer } from 'did-jwt'
import { cryptoWork } from '../crypto-work.ts'
import { describe, GhostChatError } from '../errors.ts'
import { fromBase64url, toBase64url } from '../wire/base64url.ts'
import { isRecord } from '../wire/json.ts'
import { didOf, publicKeyOf } from './did-key.ts'
import type { KeyStore, StoredKey } from './key-store.ts'
import { createVerifier } from './verifier.ts'
import { importSigningKey, supportsEd25519 } from './webcrypto.ts'

/**
 * Whose DID a space uses:
 * - `'stored'` (default): a key of this space's own, made at the first visit and
 *   kept: in browsers as a non-extractable key in IndexedDB, in Node in a file
 *   only its owner can read.
 * - `'ephemeral'`: a key of this space's own that nothing keeps.
 * - `{ seed }`: derived from 32 secret bytes and the space's name: the same DID
 *   on every device that has the seed, another one in every space.
 * - `{ did, signer }`: a `did:key` of an Ed25519 key held elsewhere, with a
 *   did-jwt signer (`EdDSASigner` or anything that answers a base64url signature).
 */
export type IdentityOption = 'stored' | 'ephemeral' | { seed: Uint8Array } | { did: string; signer: Signer }

/** A DID and the power to sign for it. */
export interface Identity {
  readonly did: string
  /** A did-jwt signer (EdDSA): answers the signature in base64url. */
  readonly signer: Signer
}

const utf8 = new TextEncoder()

/**
 * The identity of a space.
 *
 * @throws `invalid-identity` when the option is malformed or the signer does not
 * sign for its DID, `key-store-failed` when the kept key cannot be read or written.
 */
export async function openIdentity(
  option: IdentityOption,
  space: string,
  keyStore: () => KeyStore,
): Promise<Identity> {
  if (option === 'stored') return openStored(space, keyStore)
  if (option === 'ephemeral') return identityOf(await generateKey(true))
  if (isRecord(option) && 'seed' in option)
    return identityOf(await seedKey(await spaceSeed(option.seed, space)))
  if (isRecord(option) && 'did' in option && 'signer' in option) return openExternal(option)
  throw new GhostChatError(
    'invalid-identity',
    "unable to open the identity; use 'stored', 'ephemeral', { seed } or { did, signer }",
  )
}

async function openStored(space: string, keyStore: () => KeyStore): Promise<Identity> {
  try {
    const store = keyStore()
    const kept = await store.load(space)
    return await identityOf(kept ?? (await store.add(space, await generateKey(store.keepsCryptoKeys))))
  } catch (cause) {
    if (cause instanceof GhostChatError) throw cause
    throw new GhostChatError('key-store-failed', `unable to keep the key of the space; ${describe(cause)}`, {
      cause,
    })
  }
}

/** A signer held elsewhere is tried once, so that a wrong one fails here and not in everybody's gate. */
async function openExternal(identity: Identity): Promise<Identity> {
  const { did, signer } = identity
  if (typeof did !== 'string' || publicKeyOf(did) === undefined) {
    throw new GhostChatError(
      'invalid-identity',
      'the DID must be a did:key of an Ed25519 key (did:key:z6Mk…)',
    )
  }
  if (typeof signer !== 'function') {
    throw new GhostChatError('invalid-identity', 'the signer must be a did-jwt signer function')
  }
  const probe = `ghostchat ${toBase64url(crypto.getRandomValues(new Uint8Array(16)))}`
  const signature = await sign(identity, probe)
  const isSigned = await createVerifier()
    .verify(did, utf8.encode(probe), signature)
    .catch(() => false)
  if (!isSigned) {
    throw new GhostChatError('invalid-identity', `the signer does not sign for ${did}`)
  }
  return { did, signer }
}

/**
 * The 64-byte signature of an identity over a text.
 *
 * @throws `signing-failed` when the signer throws or answers something else.
 */
export async function sign(identity: Identity, text: string): Promise<Uint8Array<ArrayBuffer>> {
  let answer: unknown
  try {
    answer = await identity.signer(text)
  } catch (cause) {
    throw new GhostChatError('signing-failed', `the signer failed: ${describe(cause)}`, { cause })
  }
  const signature = typeof answer === 'string' ? fromBase64url(answer) : undefined
  if (signature?.byteLength !== 64) {
    throw new GhostChatError('signing-failed', 'the signer did not answer an Ed25519 signature in base64url')
  }
  return signature
}

/** A seed of the space's own: HKDF-SHA-256, so that no two spaces share a DID. */
async function spaceSeed(seed: unknown, space: string): Promise<Uint8Array<ArrayBuffer>> {
  if (!(seed instanceof Uint8Array) || seed.byteLength !== 32) {
    throw new GhostChatError('invalid-identity', 'the seed must be a Uint8Array of 32 bytes')
  }
  const secret = await crypto.subtle.importKey('raw', new Uint8Array(seed), 'HKDF', false, ['deriveBits'])
  const info = utf8.encode(`ghostchat/space/${space}`)
  const salt = new Uint8Array(0)
  return new Uint8Array(
    await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, secret, 256),
  )
}

async function generateKey(asCryptoKey: boolean): Promise<StoredKey> {
  if (!asCryptoKey || !(await supportsEd25519())) {
    return { kind: 'seed', seed: crypto.getRandomValues(new Uint8Array(32)) }
  }
  const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  return { kind: 'key', privateKey: pair.privateKey, publicKey }
}

async function seedKey(seed: Uint8Array<ArrayBuffer>): Promise<StoredKey> {
  if (!(await supportsEd25519())) return { kind: 'seed', seed }
  const publicKey = new Uint8Array(ed25519.getPublicKey(seed))
  return { kind: 'key', privateKey: await importSigningKey(seed), publicKey }
}

async function identityOf(key: StoredKey): Promise<Identity> {
  if (key.kind === 'seed') {
    const native = await seedKey(key.seed)
    if (native.kind === 'key') return identityOf(native)
    const { seed } = key
    return {
      did: didOf(ed25519.getPublicKey(seed)),
      signer: async (data) => toBase64url(ed25519.sign(bytesOf(data), seed)),
    }
  }
  return {
    did: didOf(key.publicKey),
    signer: async (data) => {
      const signing = cryptoWork.track(crypto.subtle.sign('Ed25519', key.privateKey, bytesOf(data)))
      return toBase64url(new Uint8Array(await signing))
    },
  }
}

function bytesOf(data: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof data === 'string' ? utf8.encode(data) : new Uint8Array(data)
}
