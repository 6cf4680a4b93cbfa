import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Growth, GrowthWatch } from '../../chaos/growth.ts'

const MB = 1024 * 1024
const CYCLE_MS = 300_000
const noise = [0, 0.9, -0.1, 1.3, -0.3, 0.5]

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Half an hour of a process that is measured each half a minute. `usedMb`: by hours and cycle. */
function watched(usedMb: (hours: number, cycle: number) => number): Growth {
  const watch = new GrowthWatch(CYCLE_MS)
  for (let ms = 0; ms < 6 * CYCLE_MS; ms += 30_000) {
    vi.setSystemTime(ms)
    // Right after each restart it takes more for a while.
    const more = ms % CYCLE_MS < 120_000 ? 12 : 0
    const used = (usedMb(ms / 3_600_000, Math.floor(ms / CYCLE_MS)) + more) * MB
    watch.add([{ usedBytes: used, bufferBytes: 0, codeBytes: 0, resources: 20, descriptors: 10 }])
  }
  return watch.growth
}

describe('what a process grows by', () => {
  it('is nothing where it only goes up and down with each restart', () => {
    expect(watched(() => 40)).toMatchObject({ usedKbPerHour: 0, usedKbPerHourError: 0, resourcesPerHour: 0 })
  })

  it('is what is added in an hour, whatever the restarts take', () => {
    const { usedKbPerHour, usedKbPerHourError } = watched((hours) => 40 + 2 * hours)
    expect(usedKbPerHour).toBeCloseTo(2_048, -1)
    expect(usedKbPerHourError).toBe(0)
  })

  it('is known less surely where it goes up and down besides', () => {
    const { usedKbPerHour, usedKbPerHourError } = watched((_, cycle) => 40 + (noise[cycle] ?? 0))
    expect(Math.abs(usedKbPerHour)).toBeLessThan(2 * usedKbPerHourError)
    const leak = watched((hours, cycle) => 40 + 10 * hours + (noise[cycle] ?? 0))
    expect(leak.usedKbPerHour - 2 * leak.usedKbPerHourError).toBeGreaterThan(2_048)
  })
})
