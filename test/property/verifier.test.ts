import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { didOf } from '../../src/identity/did-key.ts'
import { createVerifier } from '../../src/identity/verifier.ts'
import { runs } from '../support/runs.ts'

const L = ed25519.Point.Fn.ORDER
const TORSION = '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'

type Signed = [
  key: Uint8Array<ArrayBuffer>,
  data: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
]

/** What an attacker, or a bad cable, does to a signature. */
const changes: Record<string, (signed: Signed, at: number) => Signed> = {
  nothing: (signed) => signed,
  'a bit of the signature': ([key, data, signature], at) => [key, data, flip(signature, at)],
  'a bit of the key': ([key, data, signature], at) => [flip(key, at), data, signature],
  'a bit of the data': ([key, data, signature], at) => [key, flip(data, at), signature],
  'S plus the order': ([key, data, signature]) => {
    const s = scalarOf(signature.subarray(32)) + L
    return [key, data, new Uint8Array([...signature.subarray(0, 32), ...littleEndian(s)])]
  },
  'torsion added to the key': ([key, data, signature], at) => [addTorsion(key, at), data, signature],
  'torsion added to R': ([key, data, signature], at) => [
    key,
    data,
    new Uint8Array([...addTorsion(signature.slice(0, 32), at), ...signature.subarray(32)]),
  ],
  'R not canonical': ([key, data, signature]) => {
    const r = new Uint8Array(32).fill(0xff)
    r[0] = 0xee
    return [key, data, new Uint8Array([...r, ...signature.subarray(32)])]
  },
}

/** By OpenSSL, which takes a tenth of the time. */
function signed(
  seed: Uint8Array,
  data: Uint8Array,
): { key: Uint8Array<ArrayBuffer>; signature: Uint8Array<ArrayBuffer> } {
  const secret = createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  })
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' })
  return { key: new Uint8Array(spki.subarray(-32)), signature: new Uint8Array(sign(null, data, secret)) }
}

function flip(bytes: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const changed = new Uint8Array(bytes)
  const place = at % (bytes.length * 8)
  changed[place >> 3] = (changed[place >> 3] ?? 0) ^ (1 << (place & 7))
  return changed
}

function addTorsion(encoded: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  const torsion = ed25519.Point.fromHex(TORSION).multiplyUnsafe(BigInt((at % 7) + 1))
  return new Uint8Array(ed25519.Point.fromBytes(encoded).add(torsion).toBytes())
}

function littleEndian(scalar: bigint): Uint8Array {
  return new Uint8Array(Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex')).reverse()
}

function scalarOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}

describe('the verifiers on WebCrypto and on noble', () => {
  it('agree about every signature, and accept only what was signed', async () => {
    const native = createVerifier()
    const fallback = createVerifier({ native: async () => false })
    const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const data = fc.uint8Array({ minLength: 1, maxLength: 64 })
    const change = fc.constantFrom(...Object.keys(changes))
    await fc.assert(
      fc.asyncProperty(seed, data, change, fc.nat(), async (secret, bytes, name, at) => {
        const text = new Uint8Array(bytes)
        const { key, signature } = signed(secret, text)
        const changed = changes[name]?.([key, text, signature], at) ?? [key, text, signature]
        const did = didOf(changed[0])
        const answers = [
          await native.verify(did, changed[1], changed[2]),
          await fallback.verify(did, changed[1], changed[2]),
        ]
        expect(answers).toEqual(name === 'nothing' ? [true, true] : [false, false])
      }),
      runs(200, 20_000),
    )
  })
})
