import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeenTable } from '../../src/gate/seen-table.ts'
import type { EventId } from '../../src/wire/event-id.ts'
import { runs } from '../support/runs.ts'

/** Ids of which many want the same place: they differ in a few bits of one of the four numbers that are kept of them. */
const number = fc.constantFrom('aaaaaa', 'aaaaab', 'aaaaba', '777777', '2aaaaa')
const id = fc
  .tuple(
    number,
    fc.constantFrom(0, 1, 2),
    fc.array(fc.constantFrom('a', '7'), { minLength: 6, maxLength: 6 }),
  )
  .map(([first, place, other]) => {
    const others = ['aaaaaa', 'aaaaaa', 'aaaaaa'].with(place, other.join(''))
    return `bafkreia${first}${others.join('')}${'a'.repeat(27)}` as EventId
  })
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), id, value: fc.integer() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('get' as const), id }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const) }) },
)

describe('a table of seen ids', () => {
  it('says what a map with the newest ones would say', () => {
    const bounds = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 64 }))
    fc.assert(
      fc.property(bounds, fc.array(step, { maxLength: 200 }), ([max, room], steps) => {
        const table = new SeenTable(max, room)
        const model = new Map<EventId, number>()
        const dropFirst = (): void => {
          const [first] = model.keys()
          if (first !== undefined) model.delete(first)
        }
        for (const each of steps) {
          if (each.do === 'drop') {
            table.dropFirst()
            dropFirst()
          } else if (each.do === 'set') {
            if (!model.has(each.id) && model.size === max) dropFirst()
            model.set(each.id, each.value)
            table.set(each.id, each.value)
          } else expect(table.get(each.id)).toBe(model.get(each.id))
        }
        expect(table.size).toBe(model.size)
        expect(table.firstValue).toBe([...model.values()][0])
        for (const [known, value] of model) expect(table.get(known)).toBe(value)
      }),
      runs(),
    )
  })
})
