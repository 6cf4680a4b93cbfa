import { beforeEach, describe, expect, it } from 'vitest'
import { Line } from '../../../src/node/line.ts'

let line: Line<string>

beforeEach(() => {
  line = new Line()
})

/** Takes out all there are. */
const all = (): string[] => {
  const items: string[] = []
  for (let item = line.next(); item !== undefined; item = line.next()) items.push(item)
  return items
}

describe('a line', () => {
  it('gives each address its turn, and what is of one address in its order', () => {
    for (const item of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1']) line.add(item, item.charAt(0))
    expect(line.size).toBe(6)
    expect(all()).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
    expect(line.size).toBe(0)
  })

  it('has everything once for each address', () => {
    for (const owner of ['a', 'a', 'b']) line.add('x', owner)
    expect(line.size).toBe(2)
    expect(all()).toEqual(['x', 'x'])
  })

  it('is empty once it was cleared', () => {
    line.add('x', 'a')
    line.clear()
    expect([line.size, line.next()]).toEqual([0, undefined])
  })
})
