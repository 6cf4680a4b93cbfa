import { describe, expect, it } from 'vitest'
import { isPrimeOrder } from '../../../src/identity/prime-order.ts'
import { supportsX25519 } from '../../../src/identity/webcrypto.ts'
import { keyVectors } from '../../support/ed25519-vectors.ts'

const VECTORS = keyVectors(100)

describe.each([
  ['by X25519', true],
  ['by noble', false],
])('whether a key is of prime order, %s', (_how, native) => {
  it('is said of every vector as it is', async () => {
    expect(await supportsX25519()).toBe(true)
    const wrong = await Promise.all(
      VECTORS.map(async ({ key, usable, what }) => {
        const answer = await isPrimeOrder(new Uint8Array(Buffer.from(key, 'hex')), async () => native)
        return answer === usable ? [] : [`${what}: ${key}`]
      }),
    )
    expect(wrong.flat()).toEqual([])
  })
})
