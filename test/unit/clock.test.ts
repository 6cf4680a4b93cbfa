import { ManualClock } from 'ghostchat/testing'
import { expect, it } from 'vitest'
import { steady, systemClock } from '../../src/clock.ts'
import { NOW } from '../support/authors.ts'
import { ShiftedClock } from '../support/shifted-clock.ts'

it('a steady clock stands still where its own is set back, and goes on from there', async () => {
  const manual = new ManualClock(NOW)
  const shifted = new ShiftedClock(manual)
  const clock = steady(shifted)
  expect(clock.now()).toBe(NOW)
  await manual.advance(1_000)
  expect(clock.now()).toBe(NOW + 1_000)
  shifted.aheadMs = -3_600_000
  expect(clock.now()).toBe(NOW + 1_000)
  await manual.advance(500)
  expect(clock.now()).toBe(NOW + 1_500)
  shifted.aheadMs = -7_200_000
  expect(clock.now()).toBe(NOW + 1_500)
  // Right again: by the steady clock two hours passed.
  shifted.aheadMs = 0
  expect(clock.now()).toBe(NOW + 1_500 + 7_200_000)
})

it('a timer that is to wait longer than the machine can does not end at once', async () => {
  let isDue = false
  const cancel = systemClock.after(30 * 86_400_000, () => {
    isDue = true
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  cancel()
  expect(isDue).toBe(false)
})
