import { ManualClock } from 'ghostchat/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Bridge } from '../../../src/room/bridge.ts'
import type { SignedEvent } from '../../../src/wire/event.ts'
import { NOW, testAuthor, unsignedBy } from '../../support/authors.ts'

const events = (count: number): SignedEvent[] =>
  Array.from({ length: count }, (_, index) =>
    unsignedBy(testAuthor(1), 'message', { text: `${index}` }, { at: NOW + index }),
  )

let clock: ManualClock
let fraction: number
let sent: SignedEvent[]
let travelled: Set<SignedEvent>
let bridge: Bridge

beforeEach(() => {
  clock = new ManualClock(NOW)
  fraction = 0.5
  sent = []
  travelled = new Set()
  bridge = new Bridge({
    clock,
    random: { bytes: (length) => new Uint8Array(length), fraction: () => fraction },
    passOn: (event) => !travelled.has(event),
    publish: (event) => sent.push(event),
  })
})

describe('what came in a comparison', () => {
  it('is passed on after two seconds, give or take one', async () => {
    const both = events(2)
    bridge.add(both)
    await clock.advance(1_999)
    expect(sent).toEqual([])
    await clock.advance(1)
    expect(new Set(sent)).toEqual(new Set(both))
    fraction = 0
    bridge.add(events(1))
    await clock.advance(1_000)
    expect(sent).toHaveLength(3)
  })

  it('is not passed on where gossip brought it meanwhile', async () => {
    const [first, second] = events(2)
    bridge.add([first, second].filter((event) => event !== undefined))
    if (first !== undefined) travelled.add(first)
    await clock.advance(60_000)
    expect(sent).toEqual([second])
  })

  it('is passed on four at a time, in any order, and the last 256 of it', async () => {
    const all = events(300)
    bridge.add(all)
    await clock.advance(2_000)
    expect(sent).toHaveLength(4)
    await clock.advance(200_000)
    expect(new Set(sent)).toEqual(new Set(all.slice(44)))
    expect(sent).toHaveLength(256)
    expect(clock.pending).toBe(0)
  })

  it('stays here after the end', async () => {
    bridge.add(events(1))
    bridge.close()
    bridge.add(events(1))
    expect(clock.pending).toBe(0)
    await clock.advance(60_000)
    expect(sent).toEqual([])
  })
})
