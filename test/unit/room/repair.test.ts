import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../src/logger.ts'
import { Gaps } from '../../../src/room/gaps.ts'
import { Repair } from '../../../src/room/repair.ts'
import { Timeline } from '../../../src/room/timeline.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { messageBy, NOW, testAuthor } from '../../support/authors.ts'

const ada = testAuthor(1)
const MEMBERS = ['honest', 'other', 'mallory']
let clock: ManualClock
let timeline: Timeline
/** When was looked, in milliseconds, and who was to be asked. */
let looks: { at: number; first: string[] }[]
/** What looking finds. */
let findable: SignedEvent<'message'>[]
let repair: Repair

beforeEach(() => {
  clock = new ManualClock(NOW)
  timeline = new Timeline()
  looks = []
  findable = []
  repair = new Repair({
    clock,
    logger: silentLogger,
    gaps: new Gaps(timeline, () => MEMBERS),
    isSaidMissing: () => false,
    look: async (first, onAsk) => {
      for (const peer of first) onAsk(peer)
      looks.push({ at: clock.now() - NOW, first })
      for (const event of findable.splice(0)) timeline.add(event, clock.now())
    },
  })
})

/** An event of a device comes that names one that is not here. Answers that one. */
function named(by: string): SignedEvent<'message'> {
  const lost = messageBy(ada, 'lost')
  repair.arrived(messageBy(ada, 'next', { parents: [lost.id] }), [by])
  return lost
}

describe('what is named and is not here', () => {
  it('is looked for after a second and a half, and then after pauses that double up to a minute', async () => {
    named('mallory')
    await clock.advance(200_000)
    expect(looks.map(({ at }) => at)).toEqual([1_500, 4_500, 10_500, 22_500, 46_500, 94_500, 154_500])
  })

  it('is not looked for where it came meanwhile', async () => {
    timeline.add(named('honest'), NOW)
    await clock.advance(60_000)
    expect(looks).toEqual([])
  })

  it('does not wait for that either where its author is not in the list', async () => {
    named('mallory')
    await clock.advance(100_000)
    looks = []
    repair.arrived(messageBy(ada, 'next', { parents: [messageBy(ada, 'lost').id] }), [])
    await clock.advance(11_000)
    expect(looks).not.toEqual([])
  })

  it('does not wait for what somebody else names and nobody has', async () => {
    named('mallory')
    await clock.advance(100_000)
    looks = []
    findable = [named('honest')]
    await clock.advance(10_000)
    expect(looks[0]).toEqual({ at: 104_500, first: ['honest'] })
  })

  it('is looked for soon also where a look was in vain long ago', async () => {
    named('mallory')
    await clock.advance(150_000)
    looks = []
    named('honest')
    await clock.advance(2_000)
    expect(looks).toEqual([{ at: 151_500, first: ['honest'] }])
  })

  it('is looked for every ten seconds at most, however many name what nobody has', async () => {
    named('mallory')
    await clock.advance(100_000)
    looks = []
    for (let second = 0; second < 100; second += 1) {
      named('honest')
      named('mallory')
      named('other')
      await clock.advance(1_000)
    }
    expect(looks.length).toBeLessThanOrEqual(10)
  })

  it('is not looked for after the end', async () => {
    named('honest')
    repair.close()
    await clock.advance(100_000)
    expect(looks).toEqual([])
    expect(clock.pending).toBe(0)
  })
})
