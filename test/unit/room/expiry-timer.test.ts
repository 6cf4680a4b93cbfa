import { ManualClock } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { ExpiryTimer } from '../../../src/room/expiry-timer.ts'
import { NOW } from '../../support/authors.ts'

describe('the timer for many deadlines', () => {
  it('rings at the earliest, with one timer at a time', async () => {
    const clock = new ManualClock(NOW)
    const rings: number[] = []
    const timer = new ExpiryTimer(clock, () => rings.push(clock.now() - NOW))
    timer.by(NOW + 50)
    timer.by(NOW + 20)
    timer.by(NOW + 30)
    timer.by(undefined)
    expect(clock.pending).toBe(1)
    await clock.advance(100)
    expect(rings).toEqual([20])
    timer.by(NOW + 60) // it has passed already
    await clock.advance(0)
    expect(rings).toEqual([20, 100])
  })

  it('can be cancelled and set again', async () => {
    const clock = new ManualClock(NOW)
    const rings: number[] = []
    const timer = new ExpiryTimer(clock, () => rings.push(clock.now() - NOW))
    timer.by(NOW + 10)
    timer.cancel()
    expect(clock.pending).toBe(0)
    timer.by(NOW + 40)
    await clock.advance(50)
    expect(rings).toEqual([40])
  })
})
