import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'

/**
 * Keys and signatures about which engines are known to differ, with the verdict
 * that the wire demands. What is right follows from how each was made, not from
 * what an engine says of it.
 */

const { BASE, Fn, Fp } = ed25519.Point
type Point = typeof BASE

/** A key, in hex, and whether it is the canonical encoding of a point of prime order. */
export interface KeyVector {
  what: string
  key: string
  usable: boolean
}

/** A signature, in hex, and whether the wire accepts it. */
export interface SignatureVector {
  what: string
  key: string
  message: string
  signature: string
  valid: boolean
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

/** Every encoding of the eight points of small order, the ones that are not canonical too. */
export const SMALL_ORDER = [
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

/** A point of order 8. */
const TORSION = ed25519.Point.fromHex(SMALL_ORDER[10] ?? '')

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

/** Numbers that look random and are always the same. */
function scalar(seed: string): bigint {
  const digest = sha512(new TextEncoder().encode(seed))
  return (Fn.fromBytes(digest.subarray(0, 32), true) % (Fn.ORDER - 1n)) + 1n
}

function littleEndian(value: bigint): Uint8Array {
  return bytes(value.toString(16).padStart(64, '0')).reverse()
}

/** `count` keys of each kind. */
export function keyVectors(count: number): KeyVector[] {
  const vectors: KeyVector[] = SMALL_ORDER.map((key) => ({ what: 'small order', key, usable: false }))
  const add = (what: string, key: Uint8Array, usable: boolean): void => {
    vectors.push({ what, key: hex(key), usable })
  }
  for (const [key] of RFC_8032) add('RFC 8032', bytes(key), true)
  add('the base point', BASE.toBytes(), true)
  // y + p fits into 255 bits for y up to 18: no other point has two encodings.
  for (let y = 2n; y < 19n; y += 1n) add(`y = p + ${y}`, littleEndian(Fp.ORDER + y), false)
  for (let index = 0; index < count; index += 1) {
    const honest = BASE.multiply(scalar(`key ${index}`))
    add('a key', honest.toBytes(), true)
    add('the key of -a', honest.negate().toBytes(), true)
    for (let order = 1n; order < 8n; order += 1n) {
      add('mixed order', honest.add(TORSION.multiplyUnsafe(order)).toBytes(), false)
    }
    const flipped = honest.toBytes()
    flipped[0] = (flipped[0] ?? 0) ^ 1
    // Another point of any order, or of the twist.
    add('one bit flipped', flipped, isPrimeOrder(flipped))
  }
  return vectors
}

function isPrimeOrder(key: Uint8Array): boolean {
  try {
    // The definition, slowly: L times the point, added up bit by bit.
    return multiply(ed25519.Point.fromBytes(key, false), Fn.ORDER).is0()
  } catch {
    return false
  }
}

function multiply(point: Point, times: bigint): Point {
  let sum = ed25519.Point.ZERO
  for (const bit of times.toString(2)) {
    sum = sum.double()
    if (bit === '1') sum = sum.add(point)
  }
  return sum
}

/** A signature by the bare equation: S = r + k·a, for an R and a key that may have more in them than r and a. */
function sign(a: bigint, key: Uint8Array, r: bigint, encodedR: Uint8Array, message: Uint8Array): Uint8Array {
  const k = Fn.create(BigInt(`0x${hex(sha512(new Uint8Array([...encodedR, ...key, ...message])).reverse())}`))
  return new Uint8Array([...encodedR, ...littleEndian(Fn.create(r + k * a))])
}

/** `count` signatures of each kind. */
export function signatureVectors(count: number): SignatureVector[] {
  const vectors: SignatureVector[] = []
  const add = (
    what: string,
    key: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
    valid: boolean,
  ): void => {
    vectors.push({ what, key: hex(key), message: hex(message), signature: hex(signature), valid })
  }
  for (const [key, message, signature] of RFC_8032) {
    add('RFC 8032', bytes(key), bytes(message), bytes(signature), true)
    add('RFC 8032, another message', bytes(key), bytes(`${message}00`), bytes(signature), false)
  }
  for (let index = 0; index < count; index += 1) {
    const a = scalar(`key ${index}`)
    const r = scalar(`nonce ${index}`)
    const key = BASE.multiply(a).toBytes()
    const message = new TextEncoder().encode(`message ${index}`)
    const pointR = BASE.multiply(r)
    const good = sign(a, key, r, pointR.toBytes(), message)
    const encodedR = good.subarray(0, 32)
    const s = good.subarray(32)
    const sValue = BigInt(`0x${hex(s.slice().reverse())}`)
    const withS = (value: bigint): Uint8Array => new Uint8Array([...encodedR, ...littleEndian(value)])

    add('right', key, message, good, true)
    add('S + L', key, message, withS(sValue + Fn.ORDER), false)
    add('S + 8L', key, message, withS(sValue + 8n * Fn.ORDER), false)
    add('-S', key, message, withS(Fn.neg(sValue)), false)
    add('S = 0', key, message, withS(0n), false)
    add('S = L', key, message, withS(Fn.ORDER), false)
    add('S = 2^256 - 1', key, message, withS((1n << 256n) - 1n), false)
    for (const bit of [0, 7, 255, 256, 300, 508, 509, 510, 511]) {
      const flipped = good.slice()
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      add(`bit ${bit} flipped`, key, message, flipped, false)
    }
    for (const length of [0, 31, 32, 63]) add(`${length} bytes`, key, message, good.slice(0, length), false)
    add('65 bytes', key, message, new Uint8Array([...good, 0]), false)
    add('R of another', key, message, new Uint8Array([...BASE.multiply(r + 1n).toBytes(), ...s]), false)
    add('under the key of -a', ed25519.Point.fromBytes(key).negate().toBytes(), message, good, false)

    // R is the identity: right by the equation, and refused by some engines.
    add('R = 0', key, message, sign(a, key, 0n, littleEndian(1n), message), false)
    add('R = 0, not canonical', key, message, sign(a, key, 0n, bytes(SMALL_ORDER[4] ?? ''), message), false)
    add('R = 0, negative', key, message, sign(a, key, 0n, bytes(SMALL_ORDER[1] ?? ''), message), false)
    for (let order = 1n; order < 8n; order += 1n) {
      const torsion = TORSION.multiplyUnsafe(order)
      const mixedR = pointR.add(torsion).toBytes()
      add('R of mixed order', key, message, sign(a, key, r, mixedR, message), false)
      add('R of small order', key, message, sign(a, key, 0n, torsion.toBytes(), message), false)
      const mixedKey = BASE.multiply(a).add(torsion).toBytes()
      add('key of mixed order', mixedKey, message, sign(a, mixedKey, r, pointR.toBytes(), message), false)
      add('both of mixed order', mixedKey, message, sign(a, mixedKey, r, mixedR, message), false)
    }
    for (const small of SMALL_ORDER) {
      add(
        'key of small order',
        bytes(small),
        message,
        sign(0n, bytes(small), r, pointR.toBytes(), message),
        false,
      )
      add(
        'all of small order',
        bytes(small),
        message,
        sign(0n, bytes(small), 0n, littleEndian(1n), message),
        false,
      )
    }
  }
  return vectors
}
