import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { QuietLooks } from '../../../src/room/quiet-looks.ts'

let clock: ManualClock
let looks: number[]
let fraction: number
let quiet: QuietLooks

beforeEach(() => {
  clock = new ManualClock(0)
  looks = []
  fraction = 0.5
  quiet = new QuietLooks({
    clock,
    random: { bytes: (length) => new Uint8Array(length), fraction: () => fraction },
    look: () => looks.push(clock.now() / 1_000),
  })
})

describe('a look without a reason', () => {
  it('is taken after 40 s, and more and more rarely, up to every ten minutes', async () => {
    quiet.start()
    await clock.advance(2_500_000)
    expect(looks).toEqual([40, 120, 280, 600, 1_200, 1_800, 2_400])
  })

  it('is taken half as much earlier or later, so that not all look at once', async () => {
    fraction = 0
    quiet.start()
    await clock.advance(20_000)
    expect(looks).toEqual([20])
  })

  it('is taken soon again where something was missing', async () => {
    quiet.start()
    await clock.advance(600_000)
    quiet.start()
    await clock.advance(100_000)
    expect(looks.slice(4)).toEqual([640])
  })

  it('is not put off by what is missing again and again', async () => {
    for (let time = 0; time < 100; time += 10) {
      quiet.start()
      await clock.advance(10_000)
    }
    expect(looks).toEqual([40, 80])
  })

  it('is taken no more after the end', async () => {
    quiet.start()
    quiet.close()
    quiet.start()
    await clock.advance(600_000)
    expect([looks, clock.pending]).toEqual([[], 0])
  })
})
