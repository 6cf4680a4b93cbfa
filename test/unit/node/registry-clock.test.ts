import { ManualClock } from 'ghostchat/testing'
import { describe, expect, it } from 'vitest'
import { Registry } from '../../../src/node/rendezvous/registry.ts'
import { systemRandom } from '../../../src/random.ts'
import { found, registered } from '../../support/registry.ts'
import { ShiftedClock } from '../../support/shifted-clock.ts'

const NOW = 1_800_000_000_000
const HOUR = 60 * 60 * 1_000

describe('a registration', () => {
  it.each([
    ['was learnt from another node', { origin: 'node', ttlSeconds: 60 }, 61_000],
    ['was made here', { ttlSeconds: 7_200 }, 2 * HOUR + 1_000],
  ])('that %s holds no longer where the clock is set back', async (_, options, heldMs) => {
    const time = new ManualClock(NOW)
    const clock = new ShiftedClock(time)
    const registry = new Registry({ clock, random: systemRandom })
    registered(registry, 'ada', options)
    clock.aheadMs = -100 * HOUR
    expect(found(registry, { namespace: 'room' })).toHaveLength(1)
    await time.advance(heldMs)
    expect(found(registry, { namespace: 'room' })).toEqual([])
  })
})
