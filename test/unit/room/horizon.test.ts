import { describe, expect, it } from 'vitest'
import { Horizon } from '../../../src/room/horizon.ts'
import { START } from '../../../src/room/reconciler.ts'
import { SyncRefusal } from '../../../src/room/sync-session.ts'
import type { Bound } from '../../../src/wire/sync.ts'
import { messageBy, NOW, testAuthor } from '../../support/authors.ts'

const ada = testAuthor(1)

const DAY_MS = 24 * 60 * 60 * 1000
const at = (ms: number): Bound => ({ timestamp: NOW + ms, prefix: '' })
const all = { floor: at(-DAY_MS), restBefore: undefined, isCut: false }
const page = (count: number, first = 0) => ({
  events: Array.from({ length: count }, (_, index) => messageBy(ada, `${index}`, { at: NOW + first })),
  untimely: 0,
  now: NOW,
})
const full = page(100)

describe('from where on everything is wanted', () => {
  it('is when the device came, less a minute for slow clocks; without where no history is wanted', () => {
    expect(new Horizon(NOW, true).bound).toEqual(at(-60_000))
    expect(new Horizon(NOW, false).bound).toEqual(at(0))
    expect(new Horizon(NOW + 0.9, false).bound).toEqual(at(0))
  })

  it('is where the first page begins, also when that is later', () => {
    for (const restBefore of [at(-90_000), at(-10)]) {
      const horizon = new Horizon(NOW, true)
      horizon.widen({ limit: 100 }, { ...all, restBefore }, full)
      expect(horizon.bound).toEqual(restBefore)
    }
  })

  it('is the beginning where the first page is not full, or nobody else is there', () => {
    const [notFull, alone, withoutHistory] = [
      new Horizon(NOW, true),
      new Horizon(NOW, true),
      new Horizon(NOW, false),
    ]
    notFull.widen({ limit: 100 }, { ...all, floor: at(-5_000) }, page(3))
    alone.alone()
    withoutHistory.alone()
    expect([notFull.isOpen, alone.isOpen, withoutHistory.isOpen]).toEqual([true, true, false])
  })

  it('goes back with each page that continues it, and never forward again', () => {
    const horizon = new Horizon(NOW, true)
    horizon.widen({ limit: 100 }, { ...all, restBefore: at(-1_000) }, full)
    horizon.widen({ limit: 100, before: at(-1_000) }, { ...all, restBefore: at(-2_000) }, full)
    expect(horizon.bound).toEqual(at(-2_000))
    // A page that another member sent for the same question, and a second first page.
    horizon.widen({ limit: 100, before: at(-1_000) }, { ...all, restBefore: at(-1_500) }, full)
    horizon.widen({ limit: 100 }, { ...all, restBefore: at(-500) }, full)
    expect(horizon.bound).toEqual(at(-2_000))
    // Whoever came late itself knows nothing of what was before.
    horizon.widen({ limit: 100, before: at(-2_000) }, { ...all, floor: at(-3_000) }, page(0))
    expect(horizon.bound).toEqual(at(-2_000))
    horizon.widen({ limit: 100, before: at(-2_000) }, all, page(5))
    expect(horizon.bound).toBe(START)
  })

  it('is not moved by a page that does not continue it', () => {
    const horizon = new Horizon(NOW, false)
    horizon.widen({ limit: 100, before: at(-5_000) }, { ...all, restBefore: at(-6_000) }, full)
    horizon.widen({ limit: 0 }, { ...all, restBefore: undefined }, page(0))
    expect(horizon.bound).toEqual(at(0))
  })

  it('is not believed to whoever has more and sends less than was asked for', () => {
    const horizon = new Horizon(NOW, true)
    const said = { ...all, restBefore: at(-10) }
    expect(() => horizon.widen({ limit: 100 }, said, page(99))).toThrow(SyncRefusal)
    expect(horizon.bound).toEqual(at(-60_000))
    horizon.widen({ limit: 5_000 }, said, full)
    expect(horizon.bound).toEqual(at(-10))
    const over = { ...page(99), untimely: 1 }
    new Horizon(NOW, true).widen({ limit: 100 }, said, over)
  })

  it('is not believed to whoever says that its page begins later than it does, nor later than the arrival', () => {
    const horizon = new Horizon(NOW, true)
    const said = { ...all, restBefore: at(10) }
    expect(() => horizon.widen({ limit: 100 }, said, page(100, 9))).toThrow(SyncRefusal)
    expect(horizon.bound).toEqual(at(-60_000))
    horizon.widen({ limit: 100 }, said, page(100, 10))
    expect(horizon.bound).toEqual(at(0))
  })

  it('goes back once for what a slow clock stamped, not where no history is wanted', () => {
    const horizon = new Horizon(NOW, true)
    expect(horizon.loosen()).toBe(false)
    horizon.widen({ limit: 100 }, { ...all, restBefore: at(-10) }, full)
    expect([horizon.loosen(), horizon.bound, horizon.loosen()]).toEqual([true, at(-60_000), false])
    expect(new Horizon(NOW, false).loosen()).toBe(false)
  })
})
