import { EdDSASigner, ES256KSigner } from 'did-jwt'
import { describe, expect, it, vi } from 'vitest'
import { publicKeyOf } from '../../../src/identity/did-key.ts'
import { type IdentityOption, openIdentity, sign } from '../../../src/identity/identity.ts'
import type { KeyStore, StoredKey } from '../../../src/identity/key-store.ts'
import { createVerifier } from '../../../src/identity/verifier.ts'
import { testAuthor } from '../../support/authors.ts'
import { codeOf } from '../../support/world.ts'

/** A key store in memory. */
function memoryStore(keepsCryptoKeys: boolean): KeyStore & { keys: Map<string, StoredKey> } {
  const keys = new Map<string, StoredKey>()
  return {
    keys,
    keepsCryptoKeys,
    load: async (space) => keys.get(space),
    add: async (space, key) => {
      const kept = keys.get(space) ?? key
      keys.set(space, kept)
      return kept
    },
  }
}

const noStore = (): KeyStore => {
  throw new Error('no key store is needed')
}

async function signsForItself(identity: Awaited<ReturnType<typeof openIdentity>>): Promise<boolean> {
  const signature = await sign(identity, 'hello')
  return createVerifier().verify(identity.did, new TextEncoder().encode('hello'), signature)
}

describe('an ephemeral identity', () => {
  it('signs for its DID, and is another one each time', async () => {
    const [a, b] = await Promise.all([
      openIdentity('ephemeral', 'dapp', noStore),
      openIdentity('ephemeral', 'dapp', noStore),
    ])
    expect(await signsForItself(a)).toBe(true)
    expect(await signsForItself(b)).toBe(true)
    expect(a.did).not.toBe(b.did)
  })

  it('signs bytes as well as texts', async () => {
    const { signer } = await openIdentity('ephemeral', 'dapp', noStore)
    expect(await signer(new TextEncoder().encode('hello'))).toBe(await signer('hello'))
  })
})

describe('an identity from a seed', () => {
  const seed = new Uint8Array(32).fill(7)
  const open = (space: string, bytes = seed): ReturnType<typeof openIdentity> =>
    openIdentity({ seed: bytes }, space, noStore)

  it('is the same for the same seed and space, and signs', async () => {
    const identity = await open('dapp')
    expect((await open('dapp', seed.slice())).did).toBe(identity.did)
    expect(await signsForItself(identity)).toBe(true)
  })

  it('never changes from version to version', async () => {
    // HKDF-SHA-256, no salt, info "ghostchat/space/dapp"; computed with node:crypto.
    const { hkdfSync, createPrivateKey, createPublicKey } = await import('node:crypto')
    const derived = Buffer.from(hkdfSync('sha256', seed, new Uint8Array(), 'ghostchat/space/dapp', 32))
    const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), derived])
    const spki = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
      format: 'der',
      type: 'spki',
    })
    const { did } = await open('dapp')
    expect(Buffer.from(publicKeyOf(did) ?? [])).toEqual(spki.subarray(-32))
  })

  it('is another one in every space, and for every seed', async () => {
    const other = seed.slice()
    other[31] = 8
    const identities = await Promise.all([open('dapp'), open('dapp2'), open('Dapp'), open('dapp', other)])
    expect(new Set(identities.map(({ did }) => did)).size).toBe(4)
  })

  it.each([
    ['31 bytes', new Uint8Array(31)],
    ['33 bytes', new Uint8Array(33)],
    ['text', 'x'.repeat(32)],
    ['a list', Array.from({ length: 32 }, () => 1)],
    ['nothing', undefined],
  ])('refuses a seed of %s', async (_what, bytes) => {
    expect(await codeOf(() => openIdentity({ seed: bytes } as IdentityOption, 'dapp', noStore))).toBe(
      'invalid-identity',
    )
  })
})

describe('an identity with a signer held elsewhere', () => {
  const { did, seed } = testAuthor(1)

  it('takes a did-jwt EdDSASigner', async () => {
    const identity = await openIdentity({ did, signer: EdDSASigner(seed) }, 'dapp', noStore)
    expect(identity.did).toBe(did)
    expect(await signsForItself(identity)).toBe(true)
  })

  it.each([
    ['that signs for another DID', did, EdDSASigner(testAuthor(2).seed)],
    ['that is none', did, 'sign'],
    ['of no DID', undefined, EdDSASigner(seed)],
    ['of another method', 'did:web:example.com', EdDSASigner(seed)],
    ['of a DID URL', `${did}#key`, EdDSASigner(seed)],
    ['that signs something else', did, async () => EdDSASigner(seed)('something else')],
  ])('refuses one %s', async (_what, claimed, signer) => {
    const option = { did: claimed, signer } as IdentityOption
    expect(await codeOf(() => openIdentity(option, 'dapp', noStore))).toBe('invalid-identity')
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects', async () => Promise.reject(new Error('no'))],
    ['answers nothing', async () => undefined],
    ['answers bytes', async () => new Uint8Array(64)],
    ['answers 63 bytes', async () => 'A'.repeat(84)],
    ['answers padding', async () => `${'A'.repeat(86)}==`],
    ['answers an ES256K signature object', async () => ({ r: 'aa', s: 'bb' })],
  ])('tells that a signer %s', async (_what, signer) => {
    const option = { did, signer } as unknown as IdentityOption
    expect(await codeOf(() => openIdentity(option, 'dapp', noStore))).toBe('signing-failed')
  })

  it('refuses the signer of another curve', async () => {
    const option = { did, signer: ES256KSigner(seed) }
    expect(await codeOf(() => openIdentity(option, 'dapp', noStore))).toBe('invalid-identity')
  })
})

describe('a stored identity', () => {
  it.each([
    [true, 'key'],
    [false, 'seed'],
  ] as const)('where the store keeps CryptoKeys: %s', async (keeps, kind) => {
    const store = memoryStore(keeps)
    const first = await openIdentity('stored', 'dapp', () => store)
    const again = await openIdentity('stored', 'dapp', () => store)
    const other = await openIdentity('stored', 'other', () => store)
    expect(again.did).toBe(first.did)
    expect(other.did).not.toBe(first.did)
    expect(store.keys.get('dapp')?.kind).toBe(kind)
    expect(await signsForItself(again)).toBe(true)
  })

  it('cannot be read out where the store keeps CryptoKeys', async () => {
    const store = memoryStore(true)
    await openIdentity('stored', 'dapp', () => store)
    const key = store.keys.get('dapp')
    expect(key?.kind === 'key' && key.privateKey.extractable).toBe(false)
  })

  it('is the one that was faster', async () => {
    const store = memoryStore(false)
    const identities = await Promise.all(
      Array.from({ length: 5 }, () => openIdentity('stored', 'dapp', () => store)),
    )
    expect(new Set(identities.map(({ did }) => did)).size).toBe(1)
  })

  it.each(['load', 'add'] as const)('tells that the store fails to %s', async (method) => {
    const store = {
      ...memoryStore(false),
      [method]: vi.fn(async () => Promise.reject(new Error('the disk is full'))),
    }
    const opening = openIdentity('stored', 'dapp', () => store)
    await expect(opening).rejects.toMatchObject({
      code: 'key-store-failed',
      message: expect.stringContaining('the disk is full') as string,
    })
  })

  it('tells that there is no store', async () => {
    expect(await codeOf(() => openIdentity('stored', 'dapp', noStore))).toBe('key-store-failed')
  })
})

describe('an identity option', () => {
  it.each([
    ['an unknown word', 'wallet'],
    ['null', null],
    ['a number', 1],
    ['an empty object', {}],
    ['a DID alone', { did: testAuthor(1).did }],
    ['a signer alone', { signer: EdDSASigner(testAuthor(1).seed) }],
    ['a list', [{ seed: new Uint8Array(32) }]],
  ])('is not %s', async (_what, option) => {
    expect(await codeOf(() => openIdentity(option as IdentityOption, 'dapp', noStore))).toBe(
      'invalid-identity',
    )
  })
})
