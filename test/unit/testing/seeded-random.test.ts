import { seededRandom } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'

describe('seeded randomness', () => {
  it('is the same for the same seed, on every platform and in every version', () => {
    const random = seededRandom(42)
    const drawn = [random.fraction(), random.fraction(), ...random.bytes(4)]
    expect(drawn).toEqual([0.7953329950105399, 0.051340130157768726, 212, 140, 81, 18])
    expect(seededRandom('42').fraction()).toBe(drawn[0])
  })

  it('is another for another seed, however near', () => {
    const firsts = new Set(Array.from({ length: 1_000 }, (_, seed) => seededRandom(seed).fraction()))
    expect(firsts.size).toBe(1_000)
  })

  it('is spread evenly from 0 up to 1, fractions and bytes', () => {
    const random = seededRandom('spread')
    const tenths = new Array<number>(10).fill(0)
    for (let draw = 0; draw < 100_000; draw += 1) {
      const tenth = Math.floor(random.fraction() * 10)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
    expect(tenths).toHaveLength(10)
    for (const count of tenths) expect(Math.abs(count - 10_000)).toBeLessThan(500)
    const bytes = random.bytes(100_000)
    expect(new Set(bytes).size).toBe(256)
    expect(Math.abs(bytes.reduce((sum, byte) => sum + byte, 0) / bytes.length - 127.5)).toBeLessThan(2)
  })
})
