import { beforeEach, describe, expect, it } from 'vitest'
import { Seats } from '../../../src/node/seats.ts'

let seats: Seats<string>
let unseated: string[]

beforeEach(() => {
  unseated = []
  seats = new Seats({ max: 4, onUnseated: (item) => unseated.push(item) })
})

/** Which of these got a place. The address is the first letter. */
const seated = (...items: string[]): string[] => items.filter((item) => seats.take(item, item.charAt(0)))

describe('seats', () => {
  it('are taken by whoever comes first, as long as there are some', () => {
    expect(seated('a1', 'a2', 'a3', 'a4', 'a5')).toEqual(['a1', 'a2', 'a3', 'a4'])
    expect(unseated).toEqual([])
  })

  it('are given up by the most crowded address, newest first, until all have as many', () => {
    seated('a1', 'a2', 'a3', 'a4')
    expect(seated('b1', 'b2', 'b3', 'a5')).toEqual(['b1', 'b2'])
    expect(unseated).toEqual(['a4', 'a3'])
    expect(seated('c1', 'd1', 'e1')).toEqual(['c1', 'd1'])
  })

  it('are as many for one address as that may have, also while there are others', () => {
    seats = new Seats({ max: 4, maxPerAddress: 2, onUnseated: (item) => unseated.push(item) })
    expect(seated('a1', 'a2', 'a3', 'b1')).toEqual(['a1', 'a2', 'b1'])
    seats.leave('a1')
    expect(seated('a4', 'a5')).toEqual(['a4'])
    expect(unseated).toEqual([])
  })

  it('can be had again once they were given back, by any address', () => {
    seated('a1', 'a2', 'a3', 'a4')
    seats.leave('a2')
    seats.leave('a2')
    expect(seated('a5', 'a6')).toEqual(['a5'])
  })

  it('are not given back twice by who had to give them up', () => {
    seated('a1', 'a2', 'a3', 'a4', 'b1')
    seats.leave('a4')
    expect(seated('a6')).toEqual([])
    expect(unseated).toEqual(['a4'])
  })
})
