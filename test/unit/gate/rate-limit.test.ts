import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { RateLimit } from '../../../src/gate/rate-limit.ts'
import { NOW } from '../../support/authors.ts'

let clock: ManualClock
let limit: RateLimit
beforeEach(() => {
  clock = new ManualClock(NOW)
  limit = new RateLimit({ clock, burst: 3, perSecond: 2, maxKeys: 4 })
})
const granted = (key: string, times: number): number =>
  Array.from({ length: times }, () => limit.take(key)).filter((waitMs) => waitMs === 0).length

describe('a rate limit', () => {
  it('grants a burst, and then says how long to wait', () => {
    expect(granted('a', 3)).toBe(3)
    expect(limit.take('a')).toBe(500)
  })

  it('grants again after exactly that long', async () => {
    granted('a', 3)
    await clock.advance(499)
    expect(limit.take('a')).toBe(1)
    await clock.advance(1)
    expect(limit.take('a')).toBe(0)
    expect(limit.take('a')).toBe(500)
  })

  it('never saves up more than a burst', async () => {
    granted('a', 3)
    await clock.advance(60_000)
    expect(granted('a', 10)).toBe(3)
  })

  it('does not punish asking too early', async () => {
    granted('a', 100)
    await clock.advance(500)
    expect(limit.take('a')).toBe(0)
  })

  it('takes as many at once as are asked for, all or none', async () => {
    expect(limit.take('a', 2)).toBe(0)
    expect(limit.has('a', 2)).toBe(false)
    expect(limit.take('a', 2)).toBe(500)
    expect(limit.has('a', 1)).toBe(true)
    expect(limit.take('a')).toBe(0)
    await clock.advance(1_500)
    expect(limit.take('a', 3)).toBe(0)
    expect(limit.take('b', 4)).toBeGreaterThan(0)
    expect(limit.take('b', 3)).toBe(0)
  })

  it('counts every key by itself', () => {
    granted('a', 10)
    expect(granted('b', 10)).toBe(3)
  })

  it('remembers only so many keys: the one used longest ago makes room and starts anew', () => {
    for (const key of ['a', 'b', 'c', 'd']) granted(key, 3)
    granted('a', 1)
    limit.take('e')
    expect(limit.size).toBe(4)
    expect(limit.take('a')).toBeGreaterThan(0)
    expect(limit.take('b')).toBe(0)
    expect(limit.size).toBe(4)
  })

  it('gives nothing when the clock is set back, and goes on from there', () => {
    let now = NOW
    const moved = new RateLimit({
      clock: { now: () => now, after: () => () => {} },
      burst: 1,
      perSecond: 1,
      maxKeys: 1,
    })
    expect(moved.take('a')).toBe(0)
    now -= 3_600_000
    expect(moved.take('a')).toBe(1_000)
    now += 1_000
    expect(moved.take('a')).toBe(0)
  })
})
