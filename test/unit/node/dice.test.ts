import { expect, test } from 'vitest'
import { Dice } from '../../../src/node/rendezvous/dice.ts'
import { systemRandom } from '../../../src/random.ts'

test('dice throw every number below the end, about equally often', () => {
  const dice = new Dice(systemRandom)
  const counts = Array.from({ length: 6 }, () => 0)
  for (let time = 0; time < 6_000; time += 1) {
    const number = dice.below(6)
    counts[number] = (counts[number] ?? 0) + 1
  }
  expect(counts).toHaveLength(6)
  // Ten standard deviations.
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(290)
})

test('dice throw what the injected randomness says, and ask it anew when that is used up', () => {
  let calls = 0
  const bytes = (length: number): Uint8Array => {
    calls += 1
    return new Uint8Array(length).fill(calls === 1 ? 0xff : 0)
  }
  const dice = new Dice({ bytes, fraction: () => 0 })
  for (let time = 0; time < 1_024; time += 1) expect(dice.below(10)).toBe(9)
  expect(dice.below(10)).toBe(0)
  expect(calls).toBe(2)
  expect(dice.below(1)).toBe(0)
})
