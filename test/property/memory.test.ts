import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { SeenEvents } from '../../src/gate/seen.ts'
import { eventOf, type SignedEvent } from '../../src/wire/event.ts'
import { eventId } from '../../src/wire/event-id.ts'
import { decodeFrame, encodeFrame } from '../../src/wire/frame.ts'
import { claimsBy, NOW, testAuthor } from '../support/authors.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** How many bytes each of many takes that are kept. */
function bytesEach<T>(count: number, make: (number: number) => T): number {
  const used = (): number => {
    // The memory of arrays is given back after the one in which they are found.
    for (let time = 0; time < 3; time += 1) collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  // What is compiled on the way is no part of it.
  for (let number = 0; number < 2_000; number += 1) make(-number)
  const kept: T[] = []
  const before = used()
  for (let number = 0; number < count; number += 1) kept.push(make(number))
  const each = (used() - before) / kept.length
  expect(kept).toHaveLength(count)
  return each
}

describe('what is kept takes little more memory than it is long', () => {
  it('an id', () => {
    expect(bytesEach(20_000, (number) => eventId(`${number}`))).toBeLessThan(150)
  })

  it('a JWT, beside what else was in its gossip message', () => {
    const others = Array.from({ length: 60 }, (_, index) => `${index}`.padEnd(500, 'x'))
    const kept = bytesEach(
      1_000,
      (number) => decodeFrame(encodeFrame([`a${number}`.padEnd(200, 'x'), ...others]))?.[0],
    )
    expect(kept).toBeLessThan(1_500)
  })

  it('what a gate has seen', () => {
    const seen = new SeenEvents(100_000)
    const claims = claimsBy(testAuthor(1), 'message', { text: 'x' }, { at: NOW })
    const add = (number: number): void => seen.add(eventOf(`${number}`, claims) as SignedEvent, NOW)
    expect(bytesEach(100_000, add)).toBeLessThan(60)
    expect(seen.size).toBe(100_000)
  })
})
