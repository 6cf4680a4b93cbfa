import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { describe, expect, it, vi } from 'vitest'
import { didOf } from '../../../src/identity/did-key.ts'
import { createVerifier, type Verifier } from '../../../src/identity/verifier.ts'
import { testAuthor } from '../../support/authors.ts'

const hex = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'hex'))
const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const L = ed25519.Point.Fn.ORDER

/** RFC 8032 §7.1: public key, message, signature. */
const RFC_8032 = [
  [
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  [
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const

/** Every encoding of the eight points of small order, the ones that are not canonical too. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
]

const TORSION = '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'

function littleEndian(scalar: bigint): Uint8Array {
  return hex(scalar.toString(16).padStart(64, '0')).reverse()
}

function scalarOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

/** A signature under the key `a·B + T`, which cofactored verifiers accept for any torsion point T. */
function signMixed(
  a: bigint,
  key: Uint8Array,
  r: Uint8Array,
  rScalar: bigint,
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const k = scalarOf(sha512(new Uint8Array([...r, ...key, ...data]))) % L
  return new Uint8Array([...r, ...littleEndian((rScalar + k * a) % L)])
}

describe.each([
  ['on WebCrypto', () => createVerifier()],
  ['on noble', () => createVerifier({ native: async () => false })],
])('a verifier %s', (_where, create: () => Verifier) => {
  const verifier = create()

  it.each(RFC_8032)('accepts the vector of RFC 8032 with key %s', async (key, message, signature) => {
    const did = didOf(hex(key))
    expect(await verifier.verify(did, hex(message), hex(signature))).toBe(true)
    expect(await verifier.verify(did, hex(`${message}00`), hex(signature))).toBe(false)
  })

  it.each(SMALL_ORDER)('has no signatures under the key %s', async (key) => {
    // Under a key of small order these are right for every message, or for one in eight, by the bare equation.
    const point = ed25519.Point.BASE.multiply(7n).toBytes()
    const signatures = [
      [...point, ...littleEndian(7n)],
      [...hex(SMALL_ORDER[0] ?? ''), ...littleEndian(0n)],
      [...hex(key), ...littleEndian(0n)],
    ].map((bytes) => new Uint8Array(bytes))
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => utf8(`message ${index}`)).flatMap((data) =>
        signatures.map((signature) => verifier.verify(didOf(hex(key)), data, signature)),
      ),
    )
    expect(answers).not.toContain(true)
  })

  it('has no signatures under a key of mixed order, where engines disagree message by message', async () => {
    const a = 1234567n
    const torsion = ed25519.Point.fromHex(TORSION)
    const key = new Uint8Array(ed25519.Point.BASE.multiply(a).add(torsion).toBytes())
    const r = ed25519.Point.BASE.multiply(7n).toBytes()
    const native = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
    const counts = { noble: 0, webCrypto: 0, ours: 0 }
    for (let index = 0; index < 64; index += 1) {
      const data = utf8(`message ${index}`)
      const signature = signMixed(a, key, r, 7n, data)
      if (ed25519.verify(signature, data, key, { zip215: false })) counts.noble += 1
      if (await crypto.subtle.verify('Ed25519', native, signature, data)) counts.webCrypto += 1
      if (await verifier.verify(didOf(key), data, signature)) counts.ours += 1
    }
    expect(counts).toEqual({
      noble: 64,
      webCrypto: expect.toSatisfy((n: number) => n > 0 && n < 64),
      ours: 0,
    })
  })

  it('refuses an R with a part of small order, which noble alone would accept', async () => {
    const a = 1234567n
    const key = ed25519.Point.BASE.multiply(a).toBytes()
    const r = ed25519.Point.BASE.multiply(7n).add(ed25519.Point.fromHex(TORSION)).toBytes()
    const data = utf8('hello')
    const signature = signMixed(a, key, r, 7n, data)
    expect(ed25519.verify(signature, data, key, { zip215: false })).toBe(true)
    expect(await verifier.verify(didOf(key), data, signature)).toBe(false)
  })

  it('refuses a signature whose S has the order of the group added', async () => {
    const { did, seed } = testAuthor(1)
    const data = utf8('hello')
    const signature = new Uint8Array(ed25519.sign(data, seed))
    expect(await verifier.verify(did, data, signature)).toBe(true)
    const s = scalarOf(signature.subarray(32)) + L
    const malleated = new Uint8Array([...signature.subarray(0, 32), ...littleEndian(s)])
    expect(await verifier.verify(did, data, malleated)).toBe(false)
  })

  it('refuses signatures by somebody else, and of another length', async () => {
    const data = utf8('hello')
    const signature = new Uint8Array(ed25519.sign(data, testAuthor(1).seed))
    expect(await verifier.verify(testAuthor(2).did, data, signature)).toBe(false)
    expect(await verifier.verify(testAuthor(1).did, data, signature.slice(0, 63))).toBe(false)
    expect(await verifier.verify(testAuthor(1).did, data, new Uint8Array([...signature, 0]))).toBe(false)
    expect(await verifier.verify(testAuthor(1).did, data, new Uint8Array())).toBe(false)
  })

  it('refuses a y coordinate that is on no point, or not canonical', async () => {
    const off = hex('0200000000000000000000000000000000000000000000000000000000000000')
    const high = hex('f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')
    for (const key of [off, high]) {
      expect(await verifier.verify(didOf(key), utf8('hello'), new Uint8Array(64))).toBe(false)
    }
  })

  it.each(['', 'did:web:example.com', 'did:key:z6Mk', `${testAuthor(1).did}#`])(
    'never throws: %j',
    async (did) => {
      expect(await verifier.verify(did, utf8('hello'), new Uint8Array(64))).toBe(false)
    },
  )
})

describe('the keys of a verifier', () => {
  const data = utf8('hello')
  const verify = (verifier: Verifier, number: number): Promise<boolean> => {
    const { did, seed } = testAuthor(number)
    return verifier.verify(did, data, new Uint8Array(ed25519.sign(data, seed)))
  }

  it('are prepared once, and least recently used out first', async () => {
    const native = vi.fn(async () => false)
    const verifier = createVerifier({ maxKeys: 2, native })
    const prepared = async (number: number): Promise<number> => {
      native.mockClear()
      expect(await verify(verifier, number)).toBe(true)
      return native.mock.calls.length
    }
    expect(await prepared(1)).toBe(1)
    expect(await prepared(2)).toBe(1)
    expect(await prepared(1)).toBe(0)
    expect(await prepared(3)).toBe(1) // 2 goes
    expect(await prepared(1)).toBe(0)
    expect(await prepared(2)).toBe(1) // 3 goes
    expect(await prepared(3)).toBe(1)
  })

  it('are prepared once for signatures that come together', async () => {
    const native = vi.fn(async () => false)
    const verifier = createVerifier({ native })
    expect(await Promise.all([verify(verifier, 1), verify(verifier, 1), verify(verifier, 1)])).toEqual([
      true,
      true,
      true,
    ])
    expect(native).toHaveBeenCalledTimes(1)
  })

  it('are not kept when preparing one failed', async () => {
    const native = vi.fn(async () => false).mockRejectedValueOnce(new Error('out of memory'))
    const verifier = createVerifier({ native })
    expect(await verify(verifier, 1)).toBe(false)
    expect(await verify(verifier, 1)).toBe(true)
  })
})
