import { ManualClock, seededRandom, settle } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { every, systemClock } from '../../../src/clock.ts'
import { NOW } from '../../support/authors.ts'

describe('the manual clock', () => {
  it('stands still until it is moved, and rings on the way in order', async () => {
    const clock = new ManualClock(NOW)
    const rings: string[] = []
    clock.after(20, () => rings.push(`b ${clock.now() - NOW}`))
    clock.after(10, () => rings.push(`a ${clock.now() - NOW}`))
    clock.after(20, () => rings.push(`c ${clock.now() - NOW}`))
    await settle()
    expect([clock.now(), clock.pending]).toEqual([NOW, 3])
    await clock.advance(19)
    expect(rings).toEqual(['a 10'])
    await clock.advance(1)
    expect(rings).toEqual(['a 10', 'b 20', 'c 20'])
    expect(clock.now()).toBe(NOW + 20)
  })

  it('begins at the time of the machine, once', async () => {
    const before = Date.now()
    const clock = new ManualClock()
    const began = clock.now()
    expect(began).toBeGreaterThanOrEqual(before)
    expect(began).toBeLessThanOrEqual(Date.now())
    while (Date.now() === began) await settle()
    expect(clock.now()).toBe(began)
  })

  it('rings what is set on the way, and not what is cancelled', async () => {
    const clock = new ManualClock(NOW)
    const rings: number[] = []
    const cancel = clock.after(5, () => rings.push(-1))
    clock.after(1, () => {
      cancel()
      clock.after(2, () => rings.push(clock.now() - NOW))
    })
    await clock.advance(10)
    expect(rings).toEqual([3])
    expect(clock.pending).toBe(0)
  })

  it('rings what was on its way to be set when it was moved', async () => {
    const clock = new ManualClock(NOW)
    const rings: number[] = []
    void Promise.resolve().then(() => clock.after(5, () => rings.push(clock.now() - NOW)))
    await clock.advance(10)
    expect(rings).toEqual([5])
  })

  it('rings thousands in order, whatever is cancelled, when it is and how often', async () => {
    const clock = new ManualClock(NOW, { settle: async () => {} })
    const random = seededRandom('timers')
    const whole = (max: number): number => Math.floor(random.fraction() * max)
    const rings: number[] = []
    const expected: { at: number; index: number }[] = []
    for (let index = 0; index < 3_000; index += 1) {
      const at = whole(200)
      const cancel = clock.after(at, () => rings.push(index))
      if (whole(3) === 0) {
        expected.push({ at, index })
        continue
      }
      if (whole(2) === 0) clock.after(whole(at + 1), cancel)
      cancel()
      cancel()
    }
    await clock.advance(200)
    expect(rings).toEqual(expected.sort((a, b) => a.at - b.at || a.index - b.index).map(({ index }) => index))
    expect(clock.pending).toBe(0)
  })

  it('forgets what was cancelled: a timer that is set again and again takes no room', () => {
    const clock = new ManualClock(NOW)
    for (let index = 0; index < 1_000; index += 1) clock.after(1_000, () => {})()
    expect(clock.pending).toBe(0)
    const cancel = clock.after(1, () => {})
    expect(clock.pending).toBe(1)
    cancel()
    expect(clock.pending).toBe(0)
  })

  it('waits after each timer for what it is told to', async () => {
    const rings: string[] = []
    const clock = new ManualClock(NOW, { settle: async () => void rings.push('settled') })
    clock.after(1, () => rings.push('rang'))
    clock.after(2, () => rings.push('rang'))
    await clock.advance(5)
    expect(rings).toEqual(['settled', 'rang', 'settled', 'rang', 'settled', 'settled'])
  })
})

describe('every', () => {
  it('takes turns until it is ended, also from inside a turn', async () => {
    const clock = new ManualClock(NOW)
    const turns: number[] = []
    const end = every(clock, 10, () => {
      turns.push(clock.now() - NOW)
      if (turns.length === 3) end()
    })
    await clock.advance(100)
    expect(turns).toEqual([10, 20, 30])
    expect(clock.pending).toBe(0)
  })

  it('goes on when a turn throws', async () => {
    const clock = new ManualClock(NOW)
    let turns = 0
    const end = every(clock, 10, () => {
      turns += 1
      if (turns === 1) throw new Error('a turn')
    })
    await expect(clock.advance(10)).rejects.toThrow('a turn')
    await clock.advance(10)
    end()
    expect(turns).toBe(2)
  })
})

describe('the system clock', () => {
  it('tells the time, rings and can be cancelled', async () => {
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000)
    const rings: string[] = []
    systemClock.after(0, () => rings.push('cancelled'))()
    await new Promise<void>((resolve) => {
      systemClock.after(0, () => {
        rings.push('rang')
        resolve()
      })
    })
    expect(rings).toEqual(['rang'])
  })
})
