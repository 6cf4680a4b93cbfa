import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { describe, expect, it, vi } from 'vitest'
import { didOf } from '../../../src/identity/did-key.ts'
import { createVerifier, type Verifier } from '../../../src/identity/verifier.ts'
import { testAuthor } from '../../support/authors.ts'
import { SMALL_ORDER, signatureVectors } from '../../support/ed25519-vectors.ts'

const hex = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'hex'))
const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const L = ed25519.Point.Fn.ORDER

const TORSION = SMALL_ORDER[10] ?? ''

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

  it('says of every vector what the wire demands', async () => {
    const wrong = await Promise.all(
      signatureVectors(10).map(async ({ what, key, message, signature, valid }) => {
        const answer = await verifier.verify(didOf(hex(key)), hex(message), hex(signature))
        return answer === valid ? [] : [what]
      }),
    )
    expect(wrong.flat()).toEqual([])
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
    await expect(verify(verifier, 1)).rejects.toThrow('out of memory')
    expect(await verify(verifier, 1)).toBe(true)
  })
})
